#include <cstring>

#include "protocol/shadowland/decoder.h"

/// A session goes from one process to another of the same build.
namespace portcullis::shadowland {

namespace {

constexpr uint32_t none = Pool<Session>::none;

}  // namespace

size_t Decoder::put_down(const Session& session, MutableBytes out) const noexcept {
    Writer to(out);
    for (const Half& half : session.halves) {
        if (!fragments_.put_down(half.fragments, to)) return 0;
    }
    for (uint32_t at = session.harmless; at != none; at = harmless_[at].next) {
        to.u8(1);
        to.bytes(as_bytes(&harmless_[at], sizeof(Harmless)));
    }
    to.u8(0);
    return to.ok() ? to.size() : 0;
}

bool Decoder::resume(Link& link, const Session& from, Bytes hanging) noexcept {
    const uint32_t handle = sessions_.make();
    if (handle == none) return false;
    link.session = handle;
    Session& session = sessions_[handle];
    session = from;
    session.service = link.service;
    session.harmless = session.kept = none;
    uint32_t& head = head_of(session.connection_id);
    next_[handle] = head;
    head = handle;
    Reader in(hanging);
    for (Half& half : session.halves) {
        if (!fragments_.take_up(half.fragments, in)) return false;
    }
    for (uint32_t* last = &session.harmless; in.u8() == 1;) {
        const uint32_t one = harmless_.make();
        if (one == none) return false;
        const Bytes bytes = in.bytes(sizeof(Harmless));
        if (bytes.size() == sizeof(Harmless)) {
            std::memcpy(static_cast<void*>(&harmless_[one]), bytes.data(), bytes.size());
        }
        harmless_[one].next = none;
        *last = one;
        last = &harmless_[one].next;
    }
    return in.ok();
}

}  // namespace portcullis::shadowland
