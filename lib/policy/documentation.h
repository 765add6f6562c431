#pragma once

#include <string>

namespace portcullis::policy {

/// docs/CHECKS.md, made from the checks themselves, so that the page can not
/// name a setting that does not exist.
std::string checks_documentation();

}  // namespace portcullis::policy
