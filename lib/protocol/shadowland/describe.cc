#include "protocol/shadowland/describe.h"

#include <openssl/evp.h>

namespace portcullis::shadowland {

void TellWalk::rest(std::string_view, Bytes v) noexcept {
    out_.field("data_len", uint64_t{v.size()});
    std::array<std::byte, 32> digest{};
    unsigned size = 0;
    EVP_Digest(v.data(), v.size(), reinterpret_cast<unsigned char*>(digest.data()), &size,
               EVP_sha256(), nullptr);
    out_.field("data_sha256", Bytes(digest));
}

void TellWalk::qrot(std::string_view name, bool yaw_only, const Quantised& v) noexcept {
    out_.open(name, true);
    if (yaw_only) {
        out_.field({}, int64_t{v[1]});
    } else {
        for (const int16_t x : v) out_.field({}, int64_t{x});
    }
    out_.close();
}

void TellWalk::sequences(std::string_view name, const Ack& m) noexcept {
    out_.open(name, true);
    for (size_t i = 0; i < m.count; ++i) out_.field({}, m[i]);
    out_.close();
}

void TellWalk::entities(std::string_view name, const DeltaSync& m) noexcept {
    out_.open(name, true);
    m.for_each([&](const DeltaSync::Entity& e) {
        out_.open({}, false);
        out_.field("entity_id", uint64_t{e.entity});
        out_.field("dx", int64_t{e.dx});
        out_.field("dy", int64_t{e.dy});
        if ((e.bits & 1) != 0) out_.field("dz", int64_t{e.dz});
        if ((e.bits & 2) != 0) out_.field("yaw", int64_t{e.yaw});
        out_.close();
    });
    out_.close();
}

void describe(const Header& header, protocol::FieldVisitor& out) noexcept {
    out.field("connection_id", uint64_t{header.connection_id});
    out.field("channel", uint64_t{static_cast<uint8_t>(header.channel)});
    out.field("key_phase", uint64_t{header.key_phase});
    out.field("flags", uint64_t{header.flags});
    out.field("sequence", header.sequence);
}

}  // namespace portcullis::shadowland
