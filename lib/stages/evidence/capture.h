#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <span>
#include <type_traits>

#include "base/bytes.h"
#include "base/time.h"
#include "config/config.h"
#include "flow/flow_key.h"
#include "policy/policy.h"
#include "protocol/minecraft/session.h"
#include "protocol/shadowland/session.h"
#include "records/record.h"
#include "stages/detect/watched.h"
#include "stream/connection.h"

/// What is kept of a suspect: his packets, and how everything stood before the
/// first of them, so that the same build finds in them what it found then.
namespace portcullis::stages {

/// The same of a session of Shadowland.  The entities that it knows and what hangs on the
/// session follow, as what is undecoded to the server.
struct ShadowlandSnapshot {
    static constexpr uint32_t never = UINT32_MAX;

    shadowland::Session session;
    alignas(ShadowlandWatched) std::array<std::byte, sizeof(ShadowlandWatched)> watched{};
    uint32_t entities = 0;
    uint16_t map = 0;  ///< Where he is.
    bool has_map = false;
    bool pass_unknown = false, reseal = false;
    config::Aoi aoi{};
    uint32_t session_packets_per_s = 0;
    bool knows_integrity = false;  ///< The secret of the integrity table was at hand.
    /// The keys that the last packet brought into use, and which that is, counted from 0.
    std::array<shadowland::Epoch, 2> next;
    uint32_t next_at = never;
    policy::ShadowlandSet::Settings settings;

    void take(const ShadowlandWatched& player) noexcept {
        new (watched.data()) ShadowlandWatched(player);
    }
    /// Its pointers are those of the process that was recorded.
    const ShadowlandWatched& player() const noexcept {
        return *std::launder(reinterpret_cast<const ShadowlandWatched*>(watched.data()));
    }
};

/// All that decides what the next packets of a connection are found guilty of.
/// Bytes without a pointer that is followed: another process of the same build
/// reads it back.
struct Snapshot {
    static constexpr size_t rungs_max = 16;

    Nanos time{};
    protocol::Protocol protocol{};  ///< Minecraft: all but `shadowland`; else that, and
                                    ///< nothing of a stream.
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
    ShadowlandSnapshot shadowland;
};

/// A packet of a Capture; `size` bytes of the frame follow, of `original` that
/// came.  What is missing was skipped unread.
struct KeptFrame {
    Nanos time{};
    uint32_t size = 0;
    uint32_t original = 0;
    uint32_t to_client = 0;
    uint32_t answers_right = 0;  ///< A challenge of Shadowland's integrity table.
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
    /// The same after `size` bytes of what goes to the server were written to `front`.
    void begin_written(size_t size) noexcept;
    MutableBytes front() const noexcept { return room_.first(room_.size() / 2); }
    bool add(Nanos time, Bytes frame, uint32_t original, bool to_client) noexcept;
    /// Of the packet that was added last.
    void answers_right() noexcept;

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
    size_t last_frame_ = 0;
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
