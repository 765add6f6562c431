#include "protocol/minecraft/velocity.h"

#include "base/reader.h"
#include "protocol/minecraft/translate.h"

namespace portcullis::minecraft {

namespace {

constexpr size_t signature_size = 32;
constexpr uint32_t name_size_max = 64;  ///< Bytes; vanilla's 16 characters, and prefixes.
constexpr uint32_t properties_max = 64;
constexpr uint32_t property_size_max = 1u << 16;
constexpr uint32_t key_size_max = 4096;

/// What Velocity sends by version: the first, a key's two revisions, and none again
/// since clients of 1.19.3 tell it later.
enum Version : uint32_t { plain = 1, with_key = 2, with_linked_key = 3, lazy_session = 4 };

std::string_view text(Reader& in, uint32_t size_max) noexcept {
    const uint32_t size = in.varint();
    if (size > size_max) in.fail();
    return as_text(in.bytes(in.ok() ? size : 0));
}

void skip_properties(Reader& in) noexcept {
    const uint32_t count = in.varint();
    if (count > properties_max) in.fail();
    for (uint32_t i = 0; i < count && in.ok(); ++i) {
        text(in, property_size_max);
        text(in, property_size_max);
        if (in.boolean()) text(in, property_size_max);
    }
}

void skip_key(Reader& in, bool linked) noexcept {
    in.u64();  // When it expires.
    text(in, key_size_max);
    text(in, key_size_max);
    if (linked && in.boolean()) in.skip(protocol::Uuid{}.size());
}

}  // namespace

std::optional<IpAddress> parse_forwarded_address(std::string_view text) noexcept {
    // A link-local address of the sixth version comes with its interface.
    return parse_address(text.substr(0, text.find('%')));
}

protocol::IdentityForwarded read_velocity(Bytes data) noexcept {
    protocol::IdentityForwarded said{.way = protocol::IdentityForwarded::Way::velocity};
    if (data.size() < signature_size) return said;
    said.signature = data.first(signature_size);
    said.signed_bytes = data.subspan(signature_size);

    Reader in(said.signed_bytes);
    const uint32_t version = in.varint();
    const auto address = parse_forwarded_address(text(in, name_size_max));
    said.uuid = uuid_in(in.bytes(said.uuid.size()));
    said.name = text(in, name_size_max);
    skip_properties(in);
    if (version == with_key || version == with_linked_key) {
        skip_key(in, version == with_linked_key);
    }
    if (!in.ok() || !address || version < plain || version > lazy_session) return said;
    said.readable = true;
    said.address = *address;
    return said;
}

}  // namespace portcullis::minecraft
