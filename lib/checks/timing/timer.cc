#include "checks/timing/timer.h"

#include <algorithm>
#include <cmath>

namespace portcullis::checks {
namespace {

/// Unmoved clients from 1.9 on tell a place on the 20th tick since the last.
constexpr double reminder_ticks = 20;
constexpr int32_t version_1_9 = 107;
/// Looks without a place in one tick: its own, and those of mods that turn the head for a
/// click and back, twice.
constexpr uint8_t turns_free = 5;

/// ViaVersion on a proxy to a server of 1.8 says that a client is there each tick of its
/// own clock in which nothing came, whatever comes later.
bool may_be_the_proxys(const protocol::Move& e, const Player& player) noexcept {
    const bool bare = !e.has_position && !e.has_rotation;
    return bare && player.line.translated && player.version < version_1_9;
}

Nanos from_ms(double ms) noexcept { return Nanos(static_cast<int64_t>(ms * 1e6)); }
Nanos ticks_long(double ticks) noexcept { return from_ms(ticks * 50); }

}  // namespace

void Timer::on(const protocol::Move& e, const Player& player, const Settings& settings,
               Findings& out) noexcept {
    if (may_be_the_proxys(e, player)) return;
    if (unclear_ticks_ > 0) {
        // No item was used, so it was no repetition.
        moved(unclear_ticks_, true, player, settings, out);
        told_place(unclear_at_);
        unclear_ticks_ = 0;
    }
    const Player::MoveKind kind = player.kind_of(e);
    if (kind == Player::MoveKind::answer || kind == Player::MoveKind::turn) return;
    const double ticks = ticks_of(e, player);
    if (kind == Player::MoveKind::repeat) {
        unclear_ticks_ = ticks;
        unclear_at_ = player.now;
        return;
    }
    moved(ticks, e.has_position, player, settings, out);
    if (e.has_position) told_place(player.now);
}

void Timer::moved(double ticks, bool placed, const Player& player, const Settings& settings,
                  Findings& out) noexcept {
    if (!player.tells_ticks()) return ticked(ticks, player, settings, out);
    // One movement belongs to each tick that ends; more of them are ticks that do not.
    uint8_t& said = placed ? places_in_tick_ : turns_in_tick_;
    const uint8_t most = placed ? 1 : turns_free;
    if (said < most) {
        ++said;
    } else {
        ticked(1, player, settings, out);
    }
}

double Timer::ticks_of(const protocol::Move& e, const Player& player) const noexcept {
    if (!e.has_position || !has_place_ || player.version < version_1_9) return 1;
    const protocol::Position& last = player.position();
    if (e.position.x != last.x || e.position.y != last.y || e.position.z != last.z) return 1;
    const double passed = to_milliseconds(player.now - place_at_) / 50;
    const double since = ticks_ - ticks_at_place_;
    return std::max(1.0, std::min(reminder_ticks, std::floor(passed)) - since);
}

void Timer::told_place(Nanos at) noexcept {
    ticks_at_place_ = ticks_;
    place_at_ = at;
    has_place_ = true;
}

void Timer::on(const protocol::TickEnded&, const Player& player, const Settings& settings,
               Findings& out) noexcept {
    places_in_tick_ = turns_in_tick_ = 0;
    unclear_ticks_ = 0;
    ticked(1, player, settings, out);
}

void Timer::ticked(double ticks, const Player& player, const Settings& settings,
                   Findings& out) noexcept {
    ticks_ += ticks;
    if (!has_floor_ || player.bedrock()) return;
    const double clock = settings.clock_fast_percent / 100;
    const Nanos lived = player.now - ticks_long(ticks_);
    const Nanos allowed =
        floor_ - from_ms(settings.slack_ms + to_milliseconds(player.now - floor_at_) * clock);
    if (lived >= allowed) return;

    const double ahead = to_milliseconds(allowed - lived);
    out.add(0.97f, {.observed = ahead / 50, .limit = 0, .unit = "ticks", .note = "ahead of time"});
    // The next finding needs a gain of its own.
    floor_ -= from_ms(ahead + settings.again_ms);
}

void Timer::answered(RoundTrips::Kind kind, int64_t id, const Player& player,
                     const Settings& settings) noexcept {
    const RoundTrips::Answer answer = player.trips().sent_at(kind, id);
    if (!answer.known) return;
    // What an unmoved client kept to itself may have been before this answer.
    has_place_ = false;
    unclear_ticks_ = 0;
    const Nanos floor = answer.sent - ticks_long(ticks_ + settings.catch_up_ticks);
    const double clock = settings.clock_fast_percent / 100;
    const Nanos grown = from_ms(to_milliseconds(player.now - floor_at_) * clock);
    if (has_floor_ && floor <= floor_ - grown) return;
    has_floor_ = true;
    floor_ = floor;
    floor_at_ = answer.sent;
}

void Timer::on(const protocol::KeepAliveAnswered& e, const Player& player, const Settings& settings,
               Findings&) noexcept {
    answered(RoundTrips::Kind::keep_alive, e.id, player, settings);
}
void Timer::on(const protocol::PingAnswered& e, const Player& player, const Settings& settings,
               Findings&) noexcept {
    answered(RoundTrips::Kind::ping, e.id, player, settings);
}
void Timer::on(const protocol::TeleportConfirmed& e, const Player& player, const Settings& settings,
               Findings&) noexcept {
    answered(RoundTrips::Kind::teleport, e.id, player, settings);
}

}  // namespace portcullis::checks
