#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace portcullis::verdicts {

/// What can be done about a log whose files are damaged: a part of a sentence.
std::string damage_advice(const std::string& path);

/// Where a damaged log is put aside at start.
std::string path_of_damaged(const std::string& path);

/// Whether the directory holds a log that has lost its first file, without which RocksDB would
/// begin a new one and remove the old one's files.
bool lost_its_beginning(const std::string& path);

struct Repaired {
    uint64_t entries = 0;           ///< That can be read now.
    std::vector<std::string> said;  ///< What RocksDB could not read, in its words.
};

/// Makes a log of what can be read of a damaged one; files that it takes away are kept in the
/// directory's `lost`.  Throws SetupError: there is no log, or somebody writes to it.
Repaired repair(const std::string& path);

}  // namespace portcullis::verdicts
