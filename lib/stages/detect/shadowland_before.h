#pragma once

#include <array>
#include <cstddef>

#include "player/shadowland/player.h"
#include "protocol/shadowland/decoder.h"
#include "protocol/shadowland/session.h"
#include "stages/detect/watched.h"

namespace portcullis::stages {

/// How a player whom nobody suspects, and his session, stood before the packet at hand: for
/// the case that something is found by it, which may be acted on at once.
///
/// Each packet of a client's is such a one, so no more is put aside than it can change, when it
/// is about to, and mostly what it has to touch anyway.  The rest is as it stands when asked.
/// Keys are, too: a packet that brings new ones is read by those.
class ShadowlandBefore {
public:
    /// More than this of fragments that wait is not copied with each that comes.
    static constexpr size_t hanging_max = 8'192;

    explicit ShadowlandBefore(const ShadowlandWatched& nobody) noexcept : watched_(nobody) {}

    bool holds() const noexcept { return holds_; }
    void forget() noexcept { holds_ = false; }

    /// Before anything of the packet is read.
    void put_aside(const shadowland::Session& session, const shadowland::Header& header,
                   shadowland::Direction direction, const shadowland::Decoder& decoder) noexcept {
        const shadowland::Half& half = session.halves[shadowland::index_of(direction)];
        holds_ = true;
        heard_ = {};
        all_ = false;
        direction_ = direction;
        header_ = header;
        conduct_ = session;
        if (header.control()) answers_ = session;
        window_ = half.window(header.channel);
        if (header.reliable()) {
            copies_ = half.copies[shadowland::index_of(header.channel) - 1];
        } else {
            slot_ = session.unreliable_at[header.sequence % shadowland::ReplayWindow::size];
        }
        hanging_size_ = 0;
        const bool fragment = (header.flags & shadowland::flag::fragment) != 0;
        if (fragment && direction == shadowland::Direction::to_server) {
            hanging_size_ = decoder.put_down(session, hanging_);
        }
    }
    /// Before its first message, which will be told as this Event.
    template <class Event>
    void put_aside_for(const ShadowlandWatched& watched) noexcept {
        constexpr auto hearers = policy::ShadowlandSet::hearers_of<Event>();
        heard_ = hearers;
        whereabouts_ = watched.player;
        watched.checks.keep_fronts(hearers, fronts_);
    }
    /// Before one more, or one that changes more.
    void put_aside_all(const ShadowlandWatched& watched) noexcept {
        if (all_) return;
        all_ = true;
        watched_ = watched;
    }

    /// Makes copies of how they stand now into how they stood.
    void put_back(shadowland::Session& session, ShadowlandWatched& watched) const noexcept {
        shadowland::Half& half = session.half(direction_);
        static_cast<shadowland::Conduct&>(session) = conduct_;
        if (header_.control()) static_cast<shadowland::Answers&>(session) = answers_;
        half.window(header_.channel) = window_;
        if (header_.reliable()) {
            half.of(header_.channel) = copies_;
        } else {
            session.unreliable_slot(header_.sequence) = slot_;
        }
        if (all_) watched = watched_;
        if (heard_.none()) return;
        static_cast<shadowland::Whereabouts&>(watched.player) = whereabouts_;
        watched.checks.put_back(heard_, fronts_);
    }
    /// What hung on the session, where the packet may change it; else empty.
    Bytes hanging() const noexcept { return Bytes(hanging_).first(hanging_size_); }

private:
    bool holds_ = false;
    bool all_ = false;
    shadowland::Direction direction_{};
    shadowland::Header header_;
    shadowland::Conduct conduct_;
    shadowland::Answers answers_;
    shadowland::ReplayWindow window_;
    shadowland::Copies copies_;
    uint8_t slot_ = 0;
    shadowland::Whereabouts whereabouts_;
    policy::ShadowlandSet::Which heard_;  ///< The checks whose fronts are here.
    policy::ShadowlandSet::Fronts fronts_;
    ShadowlandWatched watched_;  ///< When `all_`: before the second message.
    size_t hanging_size_ = 0;
    std::array<std::byte, hanging_max> hanging_;
};

}  // namespace portcullis::stages
