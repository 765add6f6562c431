#include "checks/shadowland/movement.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace portcullis::checks {

using shadowland::Box;
using shadowland::Correction;
using shadowland::Place;
using shadowland::Player;
using shadowland::Step;
using shadowland::Synced;

namespace {

double in_ms(Nanos t) noexcept { return to_milliseconds(t); }

/// On the ground plan.
struct Corner {
    double x, y;
};
double between(Corner a, Corner b) noexcept { return std::hypot(b.x - a.x, b.y - a.y); }

bool inside(const Place& p, const Box& box) noexcept {
    return p.x > box.min.x && p.x < box.max.x && p.y > box.min.y && p.y < box.max.y &&
           p.z > box.min.z && p.z < box.max.z;
}

/// Whether the way from `a` to `b` enters the box's ground plan (the slab method).
bool crosses(Corner a, Corner b, const Box& box) noexcept {
    const double from[] = {a.x, a.y}, to[] = {b.x, b.y};
    const double low[] = {box.min.x, box.min.y}, high[] = {box.max.x, box.max.y};
    double enter = 0, leave = 1;
    for (size_t i = 0; i < 2; ++i) {
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

/// The shortest way from `a` to `b` that does not enter the box's ground plan: over one of its
/// corners, or two that are next to each other.  Infinite where one of them lies within.
double way_round(Corner a, Corner b, const Box& box) noexcept {
    const Corner corners[] = {{box.min.x, box.min.y},
                              {box.max.x, box.min.y},
                              {box.max.x, box.max.y},
                              {box.min.x, box.max.y}};
    double shortest = std::numeric_limits<double>::infinity();
    for (size_t i = 0; i < 4; ++i) {
        const Corner first = corners[i];
        if (crosses(a, first, box)) continue;
        if (!crosses(first, b, box)) {
            shortest = std::min(shortest, between(a, first) + between(first, b));
        }
        for (const size_t next : {(i + 1) % 4, (i + 3) % 4}) {
            const Corner second = corners[next];
            if (crosses(second, b, box)) continue;
            shortest =
                std::min(shortest, between(a, first) + between(first, second) + between(second, b));
        }
    }
    return shortest;
}

/// What a position on the wire may be off by is no wall.
Box shrunk(const Box& box, double by) noexcept {
    Box smaller = box;
    smaller.min.x += by;
    smaller.min.y += by;
    smaller.max.x -= by;
    smaller.max.y -= by;
    return smaller;
}

}  // namespace

void ShadowSpeed::on(const Synced& synced, const Player& player, const Settings& settings,
                     Findings& out) noexcept {
    const Step step = player.step(synced);
    if (!step.judged) return;
    // A leap is another check's.
    constexpr double leap = ShadowTeleport::leap;
    const bool leaps = step.distance > ShadowTeleport::limit(step, leap);
    if (step.back || step.ignores || (leaps && !step.corrected)) return restart();
    // Where the server put him he has not walked.
    if (!step.corrected) {
        path_ += step.perhaps_corrected ? std::min(step.distance, step.allowed) : step.distance;
        allowed_ += step.allowed;
    }
    const uint32_t now_ms = synced.client_time_ms;

    // The youngest mark that is old enough; older ones have served.
    while (marks_size_ > 1 &&
           now_ms - marks_[(marks_first_ + 1u) % marks_max].time_ms >= window_ms) {
        marks_first_ = static_cast<uint8_t>((marks_first_ + 1) % marks_max);
        --marks_size_;
    }
    if (marks_size_ > 0) {
        const Mark& mark = marks_[marks_first_];
        const double walked = path_ - mark.path;
        const double fair = allowed_ - mark.allowed;
        const bool whole = now_ms - mark.time_ms >= window_ms;
        const double seconds = std::max((now_ms - mark.time_ms) / 1e3, 0.001);
        const double limit = settings.tolerance * fair +
                             settings.steps * std::max(synced.step, 1.0) +
                             settings.clock_ms / 1e3 * Player::walk_speed;
        // For what exceeds it by a leap no whole window need pass.
        if (walked > limit + (whole ? 0 : leap)) {
            out.add(0.98f,
                    {.observed = walked / seconds, .limit = limit / seconds, .unit = "units/s"});
            return restart();
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
    const Step step = player.step(synced);
    if (!step.judged || step.corrected) return;
    const double most = limit(step, settings.beyond);
    if (step.distance <= most) return;
    out.add(0.98f, {.observed = step.distance,
                    .limit = most,
                    .unit = "units",
                    .note = step.ignores ? "from where the server put it" : ""});
}

void ShadowFly::on(const Synced& synced, const Player& player, const Settings& settings,
                   Findings& out) noexcept {
    if (!player.step(synced).taken || !player.map->ground) return;
    const double ground = *player.map->ground;
    const double height = synced.position.z - ground;
    if (height <= settings.air_units) {
        syncs_ = 0;
        lifted_to_ = 0;
        return;
    }
    for (const Correction& correction : player.corrections) {
        const double put = correction.position().z - ground;
        const bool aloft = put > settings.air_units && player.in_force(correction);
        const auto most = static_cast<float>(put + settings.jump_units);
        if (aloft) lifted_to_ = std::max(lifted_to_, most);
    }
    const double highest = std::max<double>(lifted_to_, settings.jump_units);
    if (height > highest) {
        out.add(0.97f, {.observed = height, .limit = highest, .unit = "units"});
    } else if (lifted_to_ > 0) {
        lifted_to_ = static_cast<float>(std::min(highest, height + settings.jump_units));
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
    if (!player.in_world) return;
    if (const double back = clock_.back_by(synced.client_time_ms, synced.sequence); back > 0) {
        out.add(0.98f, {.observed = back, .unit = "ms", .note = "goes back"});
    }
    hear(synced.client_time_ms, player, settings, out);
}

void ShadowTimer::hear(uint32_t time_ms, const Player& player, const Settings& settings,
                       Findings& out) noexcept {
    if (!player.in_world) return;
    // Only differences count, and those a double holds to the microsecond.
    const double offset = time_ms - in_ms(player.now);
    if (!begun_) {
        begun_ = true;
        since_ = player.now;
        base_ms_ = offset;
    }
    const Nanos passed = player.now - since_;
    const double ahead = offset - base_ms_ - settings.drift * in_ms(passed);
    const bool learns = passed <= learning;
    if (ahead <= level_max_ms) level_at_ = player.now;
    if (ahead <= (learns ? 0 : settings.ahead_ms)) return;
    if (!learns && raised_at_ == Nanos{}) {
        // A clock that runs fast owes nothing.
        const bool sudden = player.now - level_at_ <= from_level_max;
        raised_at_ = sudden ? player.now : since_;
        raised_ms_ = 0;
        told_ = false;
    }
    const double room = learns ? raise_max_ms - raised_ms_ : raise_max_ms;
    // Half of what is fair stays, so that a fast clock is told on as it gains.
    const double raise = std::min(learns ? ahead : ahead - settings.ahead_ms / 2, room);
    base_ms_ += raise;
    raised_ms_ += static_cast<float>(raise);
    // What a line owed him since he joined it gives back at once; that is told once at most.
    const bool gives_back = learns || player.now - raised_at_ <= owed_for_max;
    if (gives_back && ahead <= room && raised_ms_ <= (learns ? raise_max_ms : owed_max_ms)) return;
    if (gives_back && told_ && raised_ms_ <= told_once_max_ms) return;
    told_ = true;
    out.add(0.98f, {.observed = ahead, .limit = settings.ahead_ms, .unit = "ms"});
}

void ShadowClip::on(const Synced& synced, const Player& player, const Settings&,
                    Findings& out) noexcept {
    const Step step = player.step(synced);
    if (!step.judged) return;
    const Place& from = player.position;
    const Place& to = synced.position;
    const bool below = player.map->ground && to.z < *player.map->ground - depth_max;
    const bool put_below = std::ranges::any_of(player.corrections, [&](const Correction& c) {
        return player.map->ground && player.in_force(c) &&
               c.position().z < *player.map->ground - depth_max;
    });
    if (put_below) {
        sunk_ |= below;
    } else {
        sunk_ &= below;
    }
    if (below && !sunk_) {
        out.add(0.97f, {.observed = to.z,
                        .limit = *player.map->ground,
                        .unit = "units",
                        .note = "below the ground"});
    }
    if (step.corrected || step.perhaps_corrected || step.ignores || step.back) return;
    // Both a step coarse, as movement.speed has it.
    const double coarse = std::max(synced.step, 1.0);
    const double way_max = step.allowed * 1.05 + 8 * coarse;
    for (const Box& wall : player.map->walls) {
        constexpr double leap = 95;
        const bool high = wall.max.z > std::max(from.z, to.z) + leap;
        const bool deep = wall.min.z <= std::min(from.z, to.z);
        if (!high || !deep) continue;
        const Box box = shrunk(wall, 2 * coarse);
        // Where the server has put somebody into a wall, he must get out again.
        if (inside(from, box)) continue;
        const Corner a{from.x, from.y}, b{to.x, to.y};
        if (!crosses(a, b, box)) continue;
        const double way = way_round(a, b, box);
        if (way <= way_max) continue;
        out.add(0.97f,
                {.observed = way, .limit = way_max, .unit = "units", .note = "through a wall"});
    }
}

}  // namespace portcullis::checks
