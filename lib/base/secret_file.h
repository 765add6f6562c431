#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace portcullis {

/// What a file with secrets must be, for reading it and for saying what is wrong with it.
struct SecretFile {
    std::string_view what;   ///< What the message calls it: "forwarding_secret_file".
    std::string_view holds;  ///< What is to be in it: "the proxy's secret as its first line".
    size_t lines_max = 1;
    size_t bytes_max = 1024;  ///< Of a line.
};

/// The lines of a file that holds secrets: at least one.  Empty ones are nobody's, nor is
/// white space at the end of one.  Throws SetupError, which never shows what is in the file
/// or, where a secret was given in place of its name, what was given.
std::vector<std::string> read_secret_lines(const std::string& path, const SecretFile& file);

}  // namespace portcullis
