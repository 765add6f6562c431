#include "actions/secret.h"

#include <fstream>

#include "base/setup_error.h"
#include "base/unreadable.h"

namespace portcullis::actions {

namespace {

constexpr size_t secret_size_max = 1024;

}  // namespace

std::string read_secret(const std::string& path) {
    // A slip of the hand would show the secret itself in every message about the file.
    if (path.contains("://")) {
        throw SetupError(
            "a secret was given in place of the name of a file that holds it; write it into a "
            "file that only this user may read, and name that");
    }
    if (const std::string why = why_unreadable(path); !why.empty()) {
        throw SetupError("secret file " + path + ": " + why +
                         "; create it with the secret as its first line, readable for this user");
    }
    std::ifstream file(path);
    std::string secret;
    std::getline(file, secret);
    while (!secret.empty() && (secret.back() == '\r' || secret.back() == ' ')) secret.pop_back();
    if (secret.empty() || secret.size() > secret_size_max) {
        throw SetupError("secret file " + path + ": its first line must hold 1 to 1024 bytes");
    }
    return secret;
}

}  // namespace portcullis::actions
