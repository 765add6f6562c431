#include "checks/shadowland/movement.h"

#include <algorithm>

namespace portcullis::checks {

using shadowland::Box;
using shadowland::Place;
using shadowland::Player;
using shadowland::Synced;

namespace {

double in_ms(Nanos t) noexcept { return to_milliseconds(t); }

bool inside(const Place& p, const Box& box) noexcept {
    return p.x > box.min.x && p.x < box.max.x && p.y > box.min.y && p.y < box.max.y &&
           p.z > box.min.z && p.z < box.max.z;
}

/// Whether the way from `a` to `b` enters the box (the slab method).
bool crosses(const Place& a, const Place& b, const Box& box) noexcept {
    const double from[] = {a.x, a.y, a.z}, to[] = {b.x, b.y, b.z};
    const double low[] = {box.min.x, box.min.y, box.min.z};
    const double high[] = {box.max.x, box.max.y, box.max.z};
    double enter = 0, leave = 1;
    for (size_t i = 0; i < 3; ++i) {
        const double way = to[i] - from[i];
        if (way == 0) {
            if (from[i] <= low[i] || from[i] >= high[i]) return false;
            continue;
        }
        const double one = (low[i] - from[i]) / way, other = (high[i] - from[i]) / way;
        enter = std::max(enter, std::min(one, other));
        leave = std::min(leave, std::max(one, other));
    }
    return enter < leave;
}

}  // namespace

ShadowStep ShadowStep::of(const Synced& synced, const Player& player) noexcept {
    ShadowStep step;
    if (!synced.has_position || !player.placed || player.map == nullptr) return step;
    if (synced.client_time_ms < player.client_time_ms) return step;  // An older one, late.
    step.judged = true;
    step.seconds = (synced.client_time_ms - player.position_time_ms) / 1e3;
    step.distance = (synced.position - player.position).horizontal();
    step.allowed = player.speed_max() * step.seconds;
    constexpr double quantised = 8;
    // Only a step that legs do not explain asks for the server's word.
    const double plain = step.allowed * 1.05 + quantised * std::max(synced.step, 1.0);
    step.corrected = step.distance > plain && player.correction_for(synced.position) != nullptr;
    return step;
}

void ShadowSpeed::on(const Synced& synced, const Player& player, const Settings& settings,
                     Findings& out) noexcept {
    const ShadowStep step = ShadowStep::of(synced, player);
    if (!step.judged) return;
    // A leap is another check's; over a corrected way nobody can tell.
    constexpr double leap = 1'000;
    if (step.corrected || step.distance > step.allowed + leap) return restart();
    // Until the server's word has arrived for certain, it may set the client back at any step.
    if (player.correction_waits()) return restart();
    path_ += step.distance;
    allowed_ += step.allowed;
    const uint32_t now_ms = synced.client_time_ms;

    // The youngest mark that is old enough; older ones have served.
    while (marks_size_ > 1 &&
           now_ms - marks_[(marks_first_ + 1u) % marks_max].time_ms >= window_ms) {
        marks_first_ = static_cast<uint8_t>((marks_first_ + 1) % marks_max);
        --marks_size_;
    }
    if (marks_size_ > 0) {
        const Mark& mark = marks_[marks_first_];
        if (now_ms - mark.time_ms >= window_ms) {
            const double walked = path_ - mark.path;
            const double fair = allowed_ - mark.allowed;
            const double seconds = (now_ms - mark.time_ms) / 1e3;
            const double limit = settings.tolerance * fair +
                                 settings.steps * std::max(synced.step, 1.0) +
                                 settings.clock_ms / 1e3 * Player::walk_speed;
            if (walked > limit) {
                out.add(
                    0.98f,
                    {.observed = walked / seconds, .limit = limit / seconds, .unit = "units/s"});
                return restart();
            }
        }
    }
    const size_t last = (marks_first_ + marks_size_ + marks_max - 1u) % marks_max;
    if (marks_size_ > 0 && now_ms - marks_[last].time_ms < mark_every_ms) return;
    if (marks_size_ == 0) {
        // Small numbers again, which a float holds exactly.
        path_ = allowed_ = 0;
    }
    if (marks_size_ == marks_max) {
        marks_first_ = static_cast<uint8_t>((marks_first_ + 1) % marks_max);
        --marks_size_;
    }
    marks_[(marks_first_ + marks_size_) % marks_max] = {now_ms, static_cast<float>(path_),
                                                        static_cast<float>(allowed_)};
    ++marks_size_;
}

void ShadowTeleport::on(const Synced& synced, const Player& player, const Settings& settings,
                        Findings& out) noexcept {
    const ShadowStep step = ShadowStep::of(synced, player);
    if (!step.judged || step.corrected) return;
    const double limit = step.allowed * 1.05 + settings.beyond;
    if (step.distance <= limit) return;
    out.add(0.98f, {.observed = step.distance, .limit = limit, .unit = "units"});
}

void ShadowFly::on(const Synced& synced, const Player& player, const Settings& settings,
                   Findings& out) noexcept {
    if (!synced.has_position || player.map == nullptr || !player.map->ground) return;
    if (player.synced && synced.client_time_ms < player.client_time_ms) return;
    const double ground = *player.map->ground;
    const double height = synced.position.z - ground;
    if (height <= settings.air_units) {
        syncs_ = 0;
        lifted_ = false;
        return;
    }
    for (const Player::Correction& correction : player.corrections) {
        const bool aloft = correction.position().z - ground > settings.air_units;
        if (aloft && player.in_force(correction)) lifted_ = true;
    }
    if (height > settings.jump_units && !lifted_) {
        out.add(0.97f, {.observed = height, .limit = settings.jump_units, .unit = "units"});
    }
    const auto now_at = static_cast<float>(height);
    const float low = syncs_ == 0 ? now_at : std::min(lowest_, now_at);
    const float high = syncs_ == 0 ? now_at : std::max(highest_, now_at);
    if (syncs_ == 0 || high - low > settings.level_units) {
        syncs_ = 1;
        since_ms_ = synced.client_time_ms;
        lowest_ = highest_ = now_at;
        return;
    }
    lowest_ = low;
    highest_ = high;
    ++syncs_;
    const double hovering_ms = double(synced.client_time_ms - since_ms_);
    if (syncs_ < hover_syncs_min || hovering_ms < settings.hover_ms) return;
    out.add(0.98f,
            {.observed = hovering_ms, .limit = settings.hover_ms, .unit = "ms", .note = "hovers"});
    syncs_ = 0;
}

void ShadowTimer::on(const Synced& synced, const Player& player, const Settings& settings,
                     Findings& out) noexcept {
    if (const double back = clock_.back_by(synced.client_time_ms, synced.sequence); back > 0) {
        out.add(0.98f, {.observed = back, .unit = "ms", .note = "goes back"});
    }
    // Only differences count, and those a double holds to the microsecond.
    const double offset = synced.client_time_ms - in_ms(player.now);
    if (!begun_) {
        begun_ = true;
        since_ = player.now;
        base_ms_ = offset;
    }
    const Nanos passed = player.now - since_;
    if (passed <= learning) {
        base_ms_ = std::max(base_ms_, offset);
        return;
    }
    const double ahead = offset - base_ms_ - settings.drift * in_ms(passed);
    if (ahead <= settings.ahead_ms) return;
    out.add(0.98f, {.observed = ahead, .limit = settings.ahead_ms, .unit = "ms"});
    base_ms_ += settings.ahead_ms / 2;
}

void ShadowClip::on(const Synced& synced, const Player& player, const Settings&,
                    Findings& out) noexcept {
    const ShadowStep step = ShadowStep::of(synced, player);
    if (!step.judged) return;
    const bool below = player.map->ground && synced.position.z < *player.map->ground - depth_max;
    if (step.corrected || player.correction_waits()) {
        sunk_ |= below;
        return;
    }
    sunk_ &= below;
    if (below && !sunk_) {
        out.add(0.97f, {.observed = synced.position.z,
                        .limit = *player.map->ground,
                        .unit = "units",
                        .note = "below the ground"});
    }
    for (const Box& wall : player.map->walls) {
        // Where the server has put somebody into a wall, he must get out again.
        if (inside(player.position, wall)) continue;
        if (!crosses(player.position, synced.position, wall)) continue;
        // Between syncs far apart an honest way may lead around the corner.
        constexpr double unseen_max_s = 0.25;
        out.add(step.seconds <= unseen_max_s ? 0.97f : 0.7f,
                {.observed = step.distance, .unit = "units", .note = "through a wall"});
    }
}

}  // namespace portcullis::checks
