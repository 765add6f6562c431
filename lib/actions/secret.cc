#include "actions/secret.h"

#include "base/secret_file.h"

namespace portcullis::actions {

std::string read_secret(const std::string& path) {
    constexpr SecretFile alone = {"secret file", "the secret alone"};
    return read_secret_lines(path, alone).front();
}

bool is_credential(std::string_view path) { return path.starts_with("/run/credentials/"); }

}  // namespace portcullis::actions
