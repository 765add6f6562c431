#include "protocol/proxy/header.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <string_view>

#include "base/crc32c.h"
#include "base/reader.h"

namespace portcullis::proxy {

namespace {

using Status = Header::Status;

constexpr std::string_view line_start = "PROXY ";
constexpr std::string_view line_end = "\r\n";
constexpr std::string_view signature{"\r\n\r\n\0\r\nQUIT\n", 12};
constexpr size_t fixed_size = 16;  ///< Signature, version and command, family, length.
constexpr uint8_t crc32c_type = 3;
constexpr size_t crc32c_size = 4;

Header malformed(uint8_t version, size_t size = 0) noexcept {
    return {.status = Status::malformed, .size = size, .version = version};
}

/// Whether one of the two is the beginning of the other.
bool begins_alike(std::string_view a, std::string_view b) noexcept {
    const size_t size = std::min(a.size(), b.size());
    return a.substr(0, size) == b.substr(0, size);
}

// ---- version 1: a line of text ----

/// The words of a line, between single spaces.
class Words {
public:
    explicit Words(std::string_view line) noexcept : rest_(line) {}

    std::string_view next() noexcept {
        const size_t space = std::min(rest_.find(' '), rest_.size());
        const std::string_view word = rest_.substr(0, space);
        ended_ = space == rest_.size();
        rest_.remove_prefix(std::min(space + 1, rest_.size()));
        return word;
    }
    bool ended() const noexcept { return ended_; }

private:
    std::string_view rest_;
    bool ended_ = false;
};

/// "heading zeroes are not permitted" (2.1).
std::optional<uint16_t> port_in(std::string_view word) noexcept {
    constexpr size_t digits_max = 5;
    if (word.empty() || word.size() > digits_max || (word[0] == '0' && word.size() > 1)) {
        return std::nullopt;
    }
    uint32_t value = 0;
    for (const char c : word) {
        if (c < '0' || c > '9') return std::nullopt;
        value = value * 10 + static_cast<uint32_t>(c - '0');
    }
    if (value > UINT16_MAX) return std::nullopt;
    return static_cast<uint16_t>(value);
}

/// An address of the family that the line names.
std::optional<IpAddress> address_in(std::string_view word, bool v6) noexcept {
    if (word.contains(':') != v6) return std::nullopt;
    return parse_address(word);
}

Header read_words(std::string_view line) noexcept {
    Header header{.status = Status::whole, .size = line.size() + line_end.size(), .version = 1};
    Words words(line);
    words.next();  // "PROXY"
    const std::string_view family = words.next();
    if (family == "UNKNOWN") return header;  // Whatever follows says nothing.
    if (family != "TCP4" && family != "TCP6") return malformed(1, header.size);
    const bool v6 = family == "TCP6";
    const auto from = address_in(words.next(), v6);
    const auto to = address_in(words.next(), v6);
    const auto from_port = port_in(words.next());
    const auto to_port = port_in(words.next());
    if (!from || !to || !from_port || !to_port || !words.ended()) {
        return malformed(1, header.size);
    }
    header.has_addresses = true;
    header.source = {*from, *from_port};
    header.destination = {*to, *to_port};
    return header;
}

Header read_line(std::string_view in) noexcept {
    const std::string_view most = in.substr(0, line_size_max);
    const size_t end = most.find(line_end);
    if (end != most.npos) return read_words(most.substr(0, end));
    if (in.size() >= line_size_max) return malformed(1);
    return {.status = Status::need_more, .version = 1};
}

// ---- version 2: binary ----

/// All of `whole` but the checksum itself, which counts as zeroes (2.2.4).
bool checksum_holds(Bytes whole, size_t at) noexcept {
    std::array<std::byte, header_size_max> copy;
    std::copy(whole.begin(), whole.end(), copy.begin());
    std::fill_n(copy.begin() + static_cast<ptrdiff_t>(at), crc32c_size, std::byte{0});
    return Reader(whole.subspan(at)).u32() == crc32c(Bytes(copy).first(whole.size()));
}

/// Walks the additions from `at` on: each must end within the header, and a checksum
/// among them must be right.
bool additions_hold(Bytes whole, size_t at) noexcept {
    Reader in(whole.subspan(at));
    while (!in.empty()) {
        const uint8_t type = in.u8();
        const uint16_t size = in.u16();
        const size_t value_at = at + in.position();
        in.skip(size);
        if (!in.ok()) return false;
        if (type != crc32c_type) continue;
        if (size != crc32c_size || !checksum_holds(whole, value_at)) return false;
    }
    return true;
}

IpAddress v6_in(Reader& in) noexcept {
    IpAddress address;
    const Bytes octets = in.bytes(address.octets.size());
    if (!octets.empty()) std::memcpy(address.octets.data(), octets.data(), octets.size());
    return address;
}

/// Fills the addresses in; the bytes they take, or nothing when there is no room for them.
std::optional<size_t> read_addresses(uint8_t family, Bytes body, Header& header) noexcept {
    constexpr uint8_t unspecified = 0x00, tcp4 = 0x11, tcp6 = 0x21;
    // By address family: what follows is skipped where it is not TCP's.
    constexpr std::array<size_t, 4> sizes = {0, 12, 36, 216};
    if (family >> 4 >= static_cast<int>(sizes.size()) || (family & 0xf) > 2) return std::nullopt;
    const size_t size = sizes[family >> 4];
    if (body.size() < size) return std::nullopt;
    if (family == unspecified) return body.size();  // The receiver skips all of it (2.2).
    Reader in(body);
    if (family == tcp4) {
        header.source.address = IpAddress::v4(in.u32());
        header.destination.address = IpAddress::v4(in.u32());
    } else if (family == tcp6) {
        header.source.address = v6_in(in);
        header.destination.address = v6_in(in);
    } else {
        return size;
    }
    header.source.port = in.u16();
    header.destination.port = in.u16();
    header.has_addresses = true;
    return size;
}

Header read_binary(Bytes in) noexcept {
    Header header{.status = Status::need_more, .version = 2};
    if (in.size() < fixed_size) return header;
    Reader fixed(in.subspan(signature.size()));
    const uint8_t version_command = fixed.u8();
    const uint8_t family = fixed.u8();
    const size_t size = fixed_size + fixed.u16();
    constexpr uint8_t local = 0x20, proxied = 0x21;
    const bool known = version_command == local || version_command == proxied;
    // Of another version nobody knows what the length says.
    if (version_command >> 4 != 2) return malformed(2);
    if (size > header_size_max) return malformed(2, size);
    if (in.size() < size) return header;
    if (!known) return malformed(2, size);
    const Bytes whole = in.first(size);
    const auto taken = read_addresses(family, whole.subspan(fixed_size), header);
    if (version_command == local) {
        // Its addresses, and whatever else stands there, are to be skipped (2.2).
        return {.status = Status::whole, .size = size, .version = 2};
    }
    if (!taken || !additions_hold(whole, fixed_size + *taken)) return malformed(2, size);
    header.status = Status::whole;
    header.size = size;
    return header;
}

}  // namespace

Header read_header(Bytes in) noexcept {
    const std::string_view text = as_text(in);
    if (text.empty()) return {.status = Status::need_more};
    if (begins_alike(text, line_start)) {
        if (text.size() < line_start.size()) return {.status = Status::need_more};
        return read_line(text);
    }
    if (!begins_alike(text, signature)) return {};
    return read_binary(in);
}

}  // namespace portcullis::proxy
