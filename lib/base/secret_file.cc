#include "base/secret_file.h"

#include <fstream>
#include <sstream>

#include "base/concat.h"
#include "base/setup_error.h"
#include "base/unreadable.h"

namespace portcullis {

namespace {

/// No more than `size_max` bytes: a device may have no end.
std::string begin_of(const std::string& path, size_t size_max) {
    std::string text(size_max, '\0');
    std::ifstream file(path);
    file.read(text.data(), static_cast<std::streamsize>(size_max));
    text.resize(static_cast<size_t>(file.gcount()));
    return text;
}

}  // namespace

std::vector<std::string> read_secret_lines(const std::string& path, const SecretFile& file) {
    // A slip of the hand would show the secret itself in every message about the file.
    if (path.contains("://")) {
        throw SetupError(
            "a secret was given in place of the name of a file that holds it; write it into a "
            "file that only this user may read, and name that");
    }
    if (const std::string why = why_unreadable(path); !why.empty()) {
        throw SetupError(concat(file.what, " ", path, ": ", why, "; create it with ", file.holds,
                                ", readable for this user"));
    }
    constexpr size_t blank_bytes_max = 4096;
    const size_t size_max = file.lines_max * file.bytes_max + blank_bytes_max;
    const std::string text = begin_of(path, size_max + 1);
    bool fits = text.size() <= size_max;
    std::vector<std::string> lines;
    std::istringstream all(text);
    for (std::string line; std::getline(all, line);) {
        line.erase(line.find_last_not_of(" \t\r") + 1);
        if (line.empty()) continue;
        fits = fits && line.size() <= file.bytes_max && lines.size() < file.lines_max;
        lines.push_back(line);
    }
    if (!fits) {
        throw SetupError(concat(file.what, " ", path, ": allowed are ", file.lines_max,
                                file.lines_max == 1 ? " line" : " lines", " of at most ",
                                file.bytes_max, " bytes; it must hold ", file.holds));
    }
    if (lines.empty()) {
        throw SetupError(concat(file.what, " ", path, " is empty; it must hold ", file.holds));
    }
    return lines;
}

}  // namespace portcullis
