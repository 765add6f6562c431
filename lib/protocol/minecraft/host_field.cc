#include "protocol/minecraft/host_field.h"

#include <algorithm>
#include <array>

#include "protocol/minecraft/translate.h"
#include "protocol/minecraft/velocity.h"

namespace portcullis::minecraft {

namespace {

constexpr size_t sections_max = 8;  ///< More than all of them together ever add.

/// The longest first, since one begins like another.
constexpr std::array<std::string_view, 4> loaders = {"FORGE", "FML3", "FML2", "FML"};

std::string_view loader_in(std::string_view section) noexcept {
    for (const std::string_view loader : loaders) {
        if (section.starts_with(loader)) return loader;
    }
    return {};
}

std::string_view without_markers(std::string_view host) noexcept {
    host = host.substr(0, host.find("///"));  // TCPShield's signature.
    while (host.ends_with('.')) host.remove_suffix(1);
    return host;
}

bool is_hex(char c) noexcept {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

bool is_uuid(std::string_view text) noexcept {
    constexpr ptrdiff_t digits = 32;
    const bool clean = std::ranges::all_of(text, [](char c) { return is_hex(c) || c == '-'; });
    return clean && std::ranges::count_if(text, is_hex) == digits;
}

/// Address, UUID, and perhaps properties.
void read_forwarding(std::span<const std::string_view> said,
                     protocol::IdentityForwarded& out) noexcept {
    if (said.size() < 2 || said.size() > 3) return;
    const auto address = parse_forwarded_address(said[0]);
    if (!address || !is_uuid(said[1])) return;
    out.readable = true;
    out.address = *address;
    out.uuid = uuid_in_text(said[1]);
    if (said.size() == 3) out.properties = said[2];
}

// ---- JSON, as far as a list of properties goes ----

class Properties {
public:
    explicit Properties(std::string_view text) noexcept : rest_(text) {}

    /// Calls `on_property(name, value)` for each; false when the layout is broken.
    template <class OnProperty>
    bool each(OnProperty&& on_property) noexcept {
        if (!take('[')) return false;
        if (take(']')) return true;
        do {
            std::string_view name, value;
            if (!property(name, value)) return false;
            on_property(name, value);
        } while (take(','));
        return take(']');
    }

private:
    bool property(std::string_view& name, std::string_view& value) noexcept {
        if (!take('{')) return false;
        if (take('}')) return true;
        do {
            std::string_view key, text;
            if (!string(key) || !take(':') || !scalar(text)) return false;
            if (key == "name") name = text;
            if (key == "value") value = text;
        } while (take(','));
        return take('}');
    }
    bool scalar(std::string_view& text) noexcept {
        if (string(text)) return true;
        const size_t size = std::min(rest_.find_first_of(",}]{["), rest_.size());
        if (size == 0) return false;
        rest_.remove_prefix(size);
        return true;
    }
    bool string(std::string_view& text) noexcept {
        if (!take('"')) return false;
        for (size_t i = 0; i < rest_.size(); ++i) {
            if (rest_[i] == '\\') {
                ++i;
            } else if (rest_[i] == '"') {
                text = rest_.substr(0, i);
                rest_.remove_prefix(i + 1);
                return true;
            }
        }
        return false;
    }
    bool take(char c) noexcept {
        while (!rest_.empty() && (rest_[0] == ' ' || (rest_[0] >= '\t' && rest_[0] <= '\r'))) {
            rest_.remove_prefix(1);
        }
        if (!rest_.starts_with(c)) return false;
        rest_.remove_prefix(1);
        return true;
    }

    std::string_view rest_;
};

}  // namespace

HostField read_host_field(std::string_view sent) noexcept {
    HostField field;
    std::array<std::string_view, sections_max> others;
    size_t others_size = 0;
    const size_t end = std::min(sent.find('\0'), sent.size());
    field.host = without_markers(sent.substr(0, end));
    std::string_view rest = sent.substr(end);
    while (!rest.empty()) {
        rest.remove_prefix(1);
        const std::string_view section = rest.substr(0, rest.find('\0'));
        rest.remove_prefix(section.size());
        if (section.starts_with("^Floodgate^")) {
            field.floodgate = true;
        } else if (const std::string_view loader = loader_in(section); !loader.empty()) {
            field.loader = loader;
        } else if (!section.empty() || !rest.empty()) {
            if (others_size == others.size()) {
                field.forwarded = true;  // And not readable.
                return field;
            }
            others[others_size++] = section;
        }
    }
    // One alone is some other program's mark.
    field.forwarded = others_size >= 2;
    read_forwarding(std::span(others).first(others_size), field.identity);
    return field;
}

std::string_view bungeeguard_token(std::string_view properties) noexcept {
    std::string_view token;
    size_t times = 0;
    const bool whole = Properties(properties).each([&](std::string_view name, auto value) {
        if (name != "bungeeguard-token") return;
        token = value;
        ++times;
    });
    return whole && times == 1 ? token : std::string_view{};
}

}  // namespace portcullis::minecraft
