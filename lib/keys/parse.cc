#include "keys/parse.h"

#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>

#include "base/concat.h"
#include "base/hex.h"
#include "base/secret_file.h"
#include "base/setup_error.h"
#include "base/unreadable.h"

namespace portcullis::keys {

namespace {

using Json = nlohmann::json;

/// Reads the fields of one object.  Keeps the first complaint; fields read after it
/// are worth nothing.
class Fields {
public:
    explicit Fields(const Json& object) : object_(object) {}

    bool has(const char* name) const { return object_.contains(name); }

    Endpoint endpoint(const char* name) {
        const auto endpoint = parse_endpoint(text(name));
        if (!endpoint) complain(name, "is not an address and port");
        return endpoint.value_or(Endpoint{});
    }

    uint32_t number(const char* name) {
        const auto at = object_.find(name);
        if (at == object_.end() || !at->is_number_unsigned() ||
            at->get<uint64_t>() > std::numeric_limits<uint32_t>::max()) {
            complain(name, "is not a number of 32 bits");
            return 0;
        }
        return at->get<uint32_t>();
    }

    /// Exactly `out.size()` bytes.
    void secret(const char* name, MutableBytes out) {
        if (hex(name, out) != out.size()) {
            complain(name, concat("is not ", 2 * out.size(), " hex digits"));
        }
    }

    /// At least one byte; returns how many.
    size_t secret_of_any_size(const char* name, MutableBytes out) {
        const size_t size = hex(name, out);
        if (size == 0) complain(name, concat("is not 2 to ", 2 * out.size(), " hex digits"));
        return size;
    }

    std::string_view text(const char* name) {
        const auto at = object_.find(name);
        if (at == object_.end() || !at->is_string()) {
            complain(name, "is missing or not a text");
            return {};
        }
        return at->get_ref<const std::string&>();
    }

    void complain(const char* name, const std::string& what) {
        if (complaint_.empty()) complaint_ = concat("\"", name, "\" ", what);
    }
    const std::string& complaint() const { return complaint_; }

private:
    size_t hex(const char* name, MutableBytes out) { return from_hex(text(name), out); }

    const Json& object_;
    std::string complaint_;
};

Key minecraft(Fields& fields) {
    MinecraftKey key{};
    key.client = fields.endpoint("client");
    key.server = fields.endpoint("server");
    fields.secret("secret", key.secret);
    return key;
}

Key shadowland_epoch(Fields& fields) {
    ShadowlandKey key{};
    key.client = fields.endpoint("client");
    key.server = fields.endpoint("server");
    key.connection_id = fields.number("connection_id");
    key.epoch = fields.number("epoch");
    fields.secret("c2s", key.to_server);
    fields.secret("s2c", key.to_client);
    return key;
}

Key shadowland_secrets(Fields& fields) {
    ShadowlandSecrets key{};
    key.server = fields.endpoint("server");
    if (fields.has("cookie_secret")) {
        key.has_cookie = true;
        fields.secret("cookie_secret", key.cookie);
    }
    if (fields.has("integrity_secret")) {
        key.integrity_size =
            static_cast<uint8_t>(fields.secret_of_any_size("integrity_secret", key.integrity));
    }
    if (!key.has_cookie && !fields.has("integrity_secret")) {
        fields.complain("cookie_secret", "is missing, and so is any other secret");
    }
    return key;
}

}  // namespace

std::expected<Key, std::string> parse(std::string_view line) {
    if (line.size() > line_size_max) {
        return std::unexpected(concat("the line is over ", line_size_max, " bytes"));
    }
    // The library's own messages quote what they read, so they are not for a log.
    const Json object = Json::parse(line, nullptr, false);
    if (!object.is_object()) return std::unexpected("the line is not a JSON object");

    Fields fields(object);
    const std::string_view protocol = fields.text("protocol");
    Key key;
    if (protocol == "minecraft") {
        key = minecraft(fields);
    } else if (protocol == "shadowland") {
        key = fields.has("client") ? shadowland_epoch(fields) : shadowland_secrets(fields);
    } else {
        fields.complain("protocol", "is neither minecraft nor shadowland");
    }
    if (!fields.complaint().empty()) return std::unexpected(fields.complaint());
    return key;
}

namespace {

/// The one secret in a file.
size_t load_secret(const std::string& path, MutableBytes out, size_t size_min) {
    const std::string holds =
        size_min == out.size()
            ? concat("the secret alone, ", 2 * size_min, " hex digits")
            : concat("the secret alone, ", 2 * size_min, " to ", 2 * out.size(), " hex digits");
    const std::string line = read_secret_lines(path, {"secret file", holds}).front();
    const size_t begin = line.find_first_not_of(" \t");
    const size_t size = from_hex(std::string_view(line).substr(begin), out);
    if (size < size_min) throw UsageError(concat("secret file ", path, ": must hold ", holds));
    return size;
}

}  // namespace

std::optional<ShadowlandSecrets> load_secrets(const Endpoint& server,
                                              const std::string& cookie_secret_file,
                                              const std::string& integrity_secret_file) {
    if (cookie_secret_file.empty() && integrity_secret_file.empty()) return std::nullopt;
    ShadowlandSecrets secrets{};
    secrets.server = server;
    if (!cookie_secret_file.empty()) {
        load_secret(cookie_secret_file, secrets.cookie, secrets.cookie.size());
        secrets.has_cookie = true;
    }
    if (!integrity_secret_file.empty()) {
        secrets.integrity_size =
            static_cast<uint8_t>(load_secret(integrity_secret_file, secrets.integrity, 1));
    }
    return secrets;
}

std::vector<Key> load(const std::string& path) {
    if (const std::string why = why_unreadable(path); !why.empty()) {
        throw UsageError(concat(path, ": cannot be read as a file of keys: ", why,
                                "; name one with one JSON object a line"));
    }
    std::ifstream file(path);
    std::vector<Key> keys;
    std::string line;
    for (size_t number = 1; std::getline(file, line); ++number) {
        if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
        const auto key = parse(line);
        if (!key) throw UsageError(concat(path, ":", number, ": ", key.error()));
        if (keys.size() == keys_max) {
            throw UsageError(concat(path, ":", number, ": more than ", keys_max, " keys"));
        }
        keys.push_back(*key);
    }
    return keys;
}

}  // namespace portcullis::keys
