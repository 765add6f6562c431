#pragma once

#include "config/rows.h"

namespace portcullis::config {

/// Every key of the configuration file.
const Rows<Config>& schema();

/// A file of signatures: a map with one list.
struct SignatureFile {
    std::vector<Signature> signatures;
};
/// Every key of it.
const Rows<SignatureFile>& signature_schema();

/// What the rows can not see: names that must exist or be unique, levels that
/// must rise.
void check_across(const Config& config, Problems& problems);

/// docs/CONFIGURATION.md, made from the rows.
std::string documentation();

}  // namespace portcullis::config
