#pragma once

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>

namespace portcullis {

/// Why a file can not be read, for a message; empty when it can.  A folder opens as a file
/// does, and then is one without a line.
inline std::string why_unreadable(const std::string& path) {
    std::error_code failed;
    if (std::filesystem::is_directory(path, failed)) return "it is a folder";
    errno = 0;
    const std::ifstream file(path);
    if (file) return "";
    return std::strerror(errno != 0 ? errno : ENOENT);
}

}  // namespace portcullis
