#include "protocol/shadowland/messages.h"

#include "base/reader.h"
#include "protocol/shadowland/walks.h"

namespace portcullis::shadowland {

uint64_t Ack::operator[](size_t i) const noexcept { return Reader(raw.subspan(8 * i)).le_u64(); }

DeltaSync::Entity DeltaSync::read_entity(BodyReader& in, uint32_t last) noexcept {
    Entity entity;
    // The sum may leave 32 bits, and then is no id.
    const int64_t id = int64_t{last} + in.varint();
    in.expect(id >= 1 && id <= INT32_MAX);
    entity.entity = static_cast<uint32_t>(id);
    entity.bits = in.bits(2);
    entity.dx = in.varint();
    entity.dy = in.varint();
    if ((entity.bits & 1) != 0) entity.dz = in.varint();
    if ((entity.bits & 2) != 0) entity.yaw = in.i16();
    return entity;
}

void ReadWalk::sequences(std::string_view, Ack& m) noexcept {
    // One by one, so that the first that fails names the error.
    const size_t from = in_.position();
    BodyReader look = in_;
    uint64_t last = 0;
    for (size_t i = 0; i < m.count && look.ok(); ++i) {
        const uint64_t sequence = look.u64();
        if (look.ok()) look.expect(i == 0 || sequence > last);
        last = sequence;
    }
    if (!look.ok()) in_.fail(look.error());
    m.raw = in_.bytes(look.position() - from);
}

void ReadWalk::entities(std::string_view, DeltaSync& m) noexcept {
    const size_t from = in_.position();
    BodyReader look = in_;
    uint32_t last = 0;
    for (uint32_t i = 0; i < m.count && look.ok(); ++i) {
        last = DeltaSync::read_entity(look, last).entity;
    }
    if (!look.ok()) in_.fail(look.error());
    m.raw = in_.bytes(look.position() - from);
}

}  // namespace portcullis::shadowland
