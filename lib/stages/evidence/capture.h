#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>

#include "base/bytes.h"
#include "base/time.h"
#include "config/config.h"
#include "flow/flow_key.h"
#include "policy/policy.h"
#include "protocol/minecraft/session.h"
#include "stages/detect/watched.h"
#include "stream/connection.h"
#include "verdicts/record.h"

/// What is kept of a suspect: his packets, and how everything stood before the
/// first of them, so that the same build finds in them what it found then.
namespace portcullis::stages {

/// All that decides what the next packets of a connection are found guilty of.
/// Bytes without a pointer that is followed: another process of the same build
/// reads it back.
struct Snapshot {
    static constexpr size_t rungs_max = 16;

    Nanos time{};
    Endpoint client, server;
    verdicts::Mode mode{};
    config::Urgent urgent{};
    uint32_t stream_bytes = 0;  ///< limits.stream_bytes
    uint64_t signatures = 0;    ///< The operator's own: `config::signatures_id`.
    /// Of those that went by and were not decoded, by protocol::Direction.
    std::array<uint32_t, 2> undecoded{};
    /// Enciphered: so many of them, to the server, are decoded once deciphered.
    uint32_t decoded_front = 0;
    float act_at_confidence = 0;
    uint32_t rungs = 0;
    std::array<policy::Policy::Rung, rungs_max> ladder{};
    stream::Connection connection;  ///< Its numbers.
    minecraft::Session session;
    Watched watched;
    policy::MinecraftSet::Settings settings;
};

/// A packet of a Capture; `size` bytes of the frame follow, of `original` that
/// came.  What is missing was skipped unread.
struct KeptFrame {
    Nanos time{};
    uint32_t size = 0;
    uint32_t original = 0;
    uint32_t to_client = 0;
    uint32_t reserved = 0;
};
static_assert(std::is_trivially_copyable_v<KeptFrame>);

/// Some packets in a row, and the Snapshot before them.
class CapturePart {
public:
    void give_room(std::span<std::byte> room) noexcept { room_ = room; }
    /// Empty and without a Snapshot.
    void clear() noexcept {
        used_ = 0;
        frames_ = 0;
        begun_ = false;
    }
    bool begun() const noexcept { return begun_; }
    /// More than three quarters are used: a good time to begin the next part.
    bool nearly_full() const noexcept { return used_ > room_.size() / 4 * 3; }
    size_t room() const noexcept { return room_.size(); }
    uint32_t frames() const noexcept { return frames_; }

    /// After `snapshot` was filled in but for `undecoded`; at most half the room.
    bool begin(Bytes to_server, Bytes to_client) noexcept;
    bool add(Nanos time, Bytes frame, uint32_t original, bool to_client) noexcept;

    MutableBytes undecoded(protocol::Direction direction) const noexcept {
        const auto which = static_cast<size_t>(direction);
        return room_.subspan(undecoded_at_[which], snapshot.undecoded[which]);
    }
    /// The decoder wants none of the `size` bytes that it is offered next.
    void pass_over(protocol::Direction direction, uint32_t size) noexcept;
    /// Calls `visit(const KeptFrame&, MutableBytes)` for each packet, in order.
    template <class Visit>
    void each(Visit&& visit) const {
        for (size_t at = first_frame_; at < used_;) {
            KeptFrame frame;
            std::memcpy(&frame, room_.data() + at, sizeof frame);
            visit(frame, room_.subspan(at + sizeof frame, frame.size));
            at += sizeof frame + padded(frame.size);
        }
    }

    Snapshot snapshot;

private:
    static constexpr size_t padded(size_t size) noexcept { return (size + 7) / 8 * 8; }

    std::span<std::byte> room_;
    std::array<size_t, 2> undecoded_at_{};  ///< By protocol::Direction.
    size_t first_frame_ = 0;
    size_t used_ = 0;
    uint32_t frames_ = 0;
    bool begun_ = false;
};

/// One suspect's packets: two parts that take turns, so that the older one is
/// there while the newer one is short; and the verdicts that they prove.
struct Capture {
    static constexpr size_t verdicts_max = 16;

    struct Proven {
        verdicts::VerdictRecord record;
        uint8_t part = 0;  ///< Whose Snapshot it follows from.
    };

    std::array<CapturePart, 2> parts;
    uint8_t oldest = 0;  ///< The part that comes first; it may not have begun.
    std::array<Proven, verdicts_max> proven;
    uint32_t proven_size = 0;

    std::span<const Proven> verdicts() const noexcept { return {proven.data(), proven_size}; }
    bool proves_by(size_t part) const noexcept {
        for (const Proven& one : verdicts()) {
            if (one.part == part) return true;
        }
        return false;
    }
};

}  // namespace portcullis::stages
