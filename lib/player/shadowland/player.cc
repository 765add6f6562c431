#include "player/shadowland/player.h"

#include <algorithm>
#include <limits>
#include <span>
#include <utility>

namespace portcullis::shadowland {

namespace {

/// A reliable message is repeated every 250 ms, ten times; after so long the client has it,
/// or its server has given it up.
constexpr Nanos delivery_max = 4s;
/// What is on its way and back is known to the client after this, over its RTT.
constexpr Nanos delivery_usual = 1s;
/// What the client said before it had something can come so long after its word that it has.
constexpr Nanos overtaken_max = 500ms;
/// On channel 0 things are said again so long after, to count as said again.
constexpr Nanos said_again_after = 2s;
/// Longer no line holds a message back: the session would be over.
constexpr Nanos held_back_max = 15s;
/// So much faster than all before it a single message may have been.
constexpr Nanos sooner_max = 100ms;
/// A client's clock is believed so far ahead of what we know of it, for one step.
constexpr uint32_t ahead_max_ms = 5'000;
/// From where it was put the client may have walked on; and corrections so near each other are one.
constexpr double near = 100;
/// Of the allowed way; and of quantisation.
constexpr double tolerance = 1.05, quantised = 8;
/// What is made up to here before its cause passed us, the client's clock may be wrong about.
constexpr Nanos before_cause_max = 100ms;
constexpr double rtt_believed_max_ms = 2'000;
constexpr uint64_t sequence_mask = (uint64_t{1} << Told::sequence_bits) - 1;

Nanos in_nanos(uint32_t ms) noexcept { return std::chrono::milliseconds(ms); }

uint8_t speed_with(const Flags& flags) noexcept {
    const bool held = (flags.buffs & (buff::frozen | buff::stunned)) != 0 ||
                      (flags.state & state::stunned) != 0 || (flags.state & state::alive) == 0;
    if (held) return 0;
    return (flags.buffs & buff::slowed) != 0 ? Freedom::full / 2 : Freedom::full;
}

bool acts_with(const Flags& flags) noexcept {
    return (flags.state & state::alive) != 0 &&
           (flags.state & (state::casting | state::stunned)) == 0 &&
           (flags.buffs & (buff::stunned | buff::frozen)) == 0;
}

/// The numbers are a stranger's: what no int32_t holds becomes the nearest that it does.
std::array<int32_t, 3> steps_of(const Place& p, double step) noexcept {
    const auto steps = [step](double at) noexcept {
        const double whole = std::floor(at / step + 0.5);
        constexpr double most = INT32_MAX;
        return whole > -most ? static_cast<int32_t>(std::min(whole, most)) : -INT32_MAX;
    };
    return {steps(p.x), steps(p.y), steps(p.z)};
}

}  // namespace

double Player::believed_rtt_ms() const noexcept {
    return std::min<double>(rtt_ms, rtt_believed_max_ms);
}

Nanos Player::slack() const noexcept {
    return delivery_usual + std::chrono::milliseconds(static_cast<int64_t>(believed_rtt_ms()));
}

Nanos Player::time_of(Stamp then) const noexcept { return now - in_nanos(stamp(now) - then); }

Told Player::told_now() const noexcept {
    Told told;
    told.sequence = sequence & sequence_mask;
    told.channel = static_cast<uint32_t>(channel) & 3u;
    told.at = stamp(now);
    return told;
}

Nanos Player::known_from(const Told& told) const noexcept {
    if (told.delivered != 0) return time_of(told.at) + overtaken_max;
    const bool sure = told.channel != 0 || told.said == Told::said_max;
    return sure ? time_of(told.at) + delivery_max + slack() : Nanos::max();
}

// ---- The client's clock ----

void Player::hear_clock(uint32_t time_ms) noexcept {
    if (!in_world) return;
    const Nanos zero = now - in_nanos(time_ms);
    if (!clock_known || zero - clock_zero > held_back_max) {
        clock_known = true;
        clock_zero = zero;
    } else if (zero < clock_zero) {
        clock_zero = std::max(zero, clock_zero - sooner_max);
    }
}

Nanos Player::made_at(uint32_t time_ms) const noexcept {
    return clock_known ? std::min(now, clock_zero + in_nanos(time_ms)) : now;
}

uint32_t Player::client_now_ms() const noexcept {
    if (!clock_known) return UINT32_MAX;
    const int64_t ms = (now - clock_zero) / std::chrono::milliseconds(1);
    return static_cast<uint32_t>(std::clamp<int64_t>(ms, 0, UINT32_MAX));
}

bool Player::late(const Synced& s) const noexcept {
    if (!synced || s.client_time_ms >= client_time_ms) return false;
    // By its packet it is newer, so the server has not taken what was ahead of it.
    const auto number = static_cast<uint32_t>(s.sequence);
    const bool newer =
        s.sequence != 0 && (sync_sequence == 0 || static_cast<int32_t>(number - sync_sequence) > 0);
    return !newer || client_time_ms - s.client_time_ms <= put_aside_max_ms;
}

// ---- What the server says ----

void Player::on(const CreateEntity& message) noexcept {
    const Place where = place_of(message.position);
    if (message.self()) {
        const Map* there = maps_->find(message.map);
        if (there != map) {
            placed = false;
            corrections.fill({});
        }
        self = message.entity;
        in_world = true;
        map = there;
        take_flags(message.flags);
        correct(message.position);
        return;
    }
    Entity* entity = known.make(message.entity);
    if (entity == nullptr) return;
    entity->type = message.type & 0x7f;
    entity->put(where);
    entity->steps = steps_of(where, map != nullptr ? map->step : 1);
}

void Player::on(const UpdateEntity& message) noexcept {
    const FullFields& fields = message.fields;
    if (message.entity == self) {
        if (fields.has(delta::flags)) take_flags(fields.flags);
        if (fields.has(delta::position)) correct(fields.position);
        return;
    }
    Entity* entity = known.find(message.entity);
    if (entity != nullptr && fields.has(delta::position)) move(*entity, place_of(fields.position));
}

void Player::on(const UpdateEntityQuantized& message) noexcept {
    const QuantisedFields& fields = message.fields;
    if (message.entity == self) {
        if (fields.has(delta::flags)) take_flags(fields.flags);
        return;
    }
    Entity* entity = known.find(message.entity);
    if (entity == nullptr || map == nullptr || !fields.has(delta::position)) return;
    const auto where = map->place(fields.quadrant, fields.position);
    if (where) move(*entity, *where);
}

void Player::move(Entity& entity, const Place& to) noexcept {
    entity.moved = (to - entity.place()).length() >= 1;
    entity.put(to);
}

void Player::on(const RemoveEntity& message) noexcept { known.forget(message.entity); }

void Player::on(const DeltaSync& message) noexcept {
    if (map == nullptr) return;
    message.for_each([&](const DeltaSync::Entity& moved) noexcept {
        Entity* entity = known.find(moved.entity);
        if (entity == nullptr) return;
        // Sums wrap rather than overflow: the numbers are a stranger's.
        const auto add = [](int32_t a, int32_t b) noexcept {
            return static_cast<int32_t>(static_cast<uint32_t>(a) + static_cast<uint32_t>(b));
        };
        entity->steps = {add(entity->steps[0], moved.dx), add(entity->steps[1], moved.dy),
                         add(entity->steps[2], moved.dz)};
        move(*entity, {entity->steps[0] * map->step, entity->steps[1] * map->step,
                       entity->steps[2] * map->step});
    });
}

void Player::take_flags(const Flags& said) noexcept {
    flags = said;
    Freedom fresh;
    fresh.told = told_now();
    fresh.from = stamp(now);
    fresh.speed = speed_with(said);
    fresh.acts = acts_with(said);
    Freedom& last = freedoms_[freedoms_size_ - 1u];
    if (last.same(fresh)) {
        Told& told = last.told;
        if (told.delivered != 0 || told.channel != 0) return;
        if (fresh.told.channel != 0) {
            told = fresh.told;
        } else if (told.said < Told::said_max && now - time_of(told.at) >= said_again_after) {
            ++told.said;
            told.at = stamp(now);
        }
        return;
    }
    if (freedoms_size_ == freedoms_max) {
        // What he may have done by the oldest, he may not have said yet.
        const Freedom& oldest = freedoms_[0];
        Freedom& next = freedoms_[1];
        if (made_at(client_time_ms) - known_from(next.told) <= held_back_max) {
            next.speed = std::max(next.speed, oldest.speed);
            next.acts |= oldest.acts;
        }
        std::ranges::copy(std::span(freedoms_).subspan(1), freedoms_.begin());
        --freedoms_size_;
    }
    freedoms_[freedoms_size_++] = fresh;
}

/// A server that refuses what was on its way repeats itself for each of it.
void Player::correct(const Triple& to) noexcept {
    Correction fresh;
    fresh.to = to;
    fresh.told = told_now();
    fresh.told.said = Told::said_max;
    fresh.waiting = true;
    fresh.from = stamp(now);
    fresh.copies = 1;
    const auto same = std::ranges::find_if(corrections, [&](const Correction& c) {
        return in_force(c) && (c.position() - place_of(to)).length() <= near;
    });
    Correction* place = same;
    if (same != corrections.end()) {
        fresh.from = same->from;
        fresh.copies = static_cast<uint8_t>(std::min(same->copies + 1, UINT8_MAX));
        fresh.set_back = same->set_back;
    } else {
        place = std::ranges::min_element(corrections, {}, [&](const Correction& c) {
            return std::pair(in_force(c), time_of(c.told.at));
        });
    }
    *place = fresh;
    newest_correction = static_cast<uint8_t>(place - corrections.begin());
}

void Player::on(const Delivered& all) noexcept {
    const auto hear = [&](Told& told) noexcept {
        const uint64_t past = (all.sequence - told.sequence) & sequence_mask;
        const bool its = told.channel == static_cast<uint32_t>(all.channel) && told.delivered == 0;
        if (!its || past > sequence_mask / 2) return;
        told.delivered = 1;
        told.at = stamp(now);
    };
    for (Correction& correction : corrections) hear(correction.told);
    for (Freedom& freedom : freedoms_) hear(freedom.told);
}

void Player::on(const Missed& missed) noexcept {
    flags = Flags{.state = state::alive, .buffs = 0, .hp = 255, .mana = 255};
    freedoms_[0] = {};
    freedoms_size_ = 1;
    known.doubt_all();
    if (!missed.reliable) return;
    known.forget_all();
    map = nullptr;
    self = 0;
    in_world = true;
    placed = false;
    corrections.fill({});
}

// ---- What the client says ----

bool Player::in_force(const Correction& correction) const noexcept {
    if (!correction.waiting) return false;
    return !placed || known_from(correction.told) >= made_at(position_time_ms);
}

/// From there, not further than he may have walked since.
double Player::near_by(const Correction& correction) const noexcept {
    return near + walk_speed * tolerance * (to_seconds(now - time_of(correction.from)) + 0.1);
}

const Correction* Player::correction_for(const Place& where) const noexcept {
    for (const Correction& correction : corrections) {
        if (!in_force(correction)) continue;
        if ((where - correction.position()).horizontal() <= near_by(correction)) return &correction;
    }
    return nullptr;
}

/// The nearest of those that have not set him back as often as they were sent: taken for
/// another's copy, one would be missing when its own comes.
Correction* Player::usable_for(const Place& where) noexcept {
    Correction* nearest = nullptr;
    double least = std::numeric_limits<double>::infinity();
    for (Correction& correction : corrections) {
        if (correction.set_back >= correction.copies || !in_force(correction)) continue;
        const double distance = (where - correction.position()).horizontal();
        if (distance > near_by(correction) || distance >= least) continue;
        nearest = &correction;
        least = distance;
    }
    return nearest;
}

bool Player::arriving(uint32_t time_ms) const noexcept {
    const Correction& newest = corrections[newest_correction];
    return !placed && newest.waiting && known_from(newest.told) >= made_at(time_ms);
}

/// How far he may have walked, by what he may have believed at each moment.
double Player::way_max(Nanos from, Nanos to) const noexcept {
    Nanos halves{};
    for (uint8_t speed = 1; speed <= Freedom::full; ++speed) {
        Nanos at = from;
        for (size_t i = 0; i < freedoms_size_; ++i) {
            if (freedoms_[i].speed < speed) continue;
            const bool last = i + 1u == freedoms_size_;
            const Nanos since = i == 0 ? from : time_of(freedoms_[i].from) - before_cause_max;
            const Nanos until = last ? to : std::min(to, known_from(freedoms_[i + 1].told));
            const Nanos begin = std::max(at, since);
            if (until <= begin) continue;
            halves += until - begin;
            at = until;
        }
    }
    return walk_speed / Freedom::full * to_seconds(halves);
}

bool Player::may_act(Nanos made) const noexcept {
    for (size_t i = 0; i < freedoms_size_; ++i) {
        const bool last = i + 1u == freedoms_size_;
        const bool begun = i == 0 || time_of(freedoms_[i].from) - before_cause_max <= made;
        const bool over = !last && known_from(freedoms_[i + 1].told) < made;
        if (freedoms_[i].acts && begun && !over) return true;
    }
    return false;
}

Step Player::step(const Synced& s) const noexcept {
    Step step;
    if (!s.has_position || map == nullptr || self == 0 || late(s)) return step;
    if (!placed && arriving(s.client_time_ms) && correction_for(s.position) == nullptr) return step;
    step.taken = true;
    const Correction& newest = corrections[newest_correction];
    const Correction* explains = correction_for(s.position);
    // The first that he made after he had it for certain.
    const bool due = newest.told.delivered != 0 && newest.set_back == 0 && in_force(newest) &&
                     known_from(newest.told) < made_at(s.client_time_ms);
    if (due && explains == nullptr) {
        step.judged = step.ignores = true;
        step.seconds = to_seconds(now - time_of(newest.from));
        step.distance = (s.position - newest.position()).horizontal();
        step.allowed = walk_speed * step.seconds;
        return step;
    }
    if (!placed) return step;
    step.judged = true;
    step.back = s.client_time_ms < client_time_ms;
    const uint32_t time_ms = believed(s.client_time_ms);
    const uint32_t passed_ms = time_ms > position_time_ms ? time_ms - position_time_ms : 0;
    step.seconds = passed_ms / 1e3;
    step.distance = (s.position - position).horizontal();
    const Nanos made = made_at(time_ms);
    step.allowed = way_max(made - in_nanos(passed_ms), made);
    if (step.distance <= step.allowed || explains == nullptr) return step;
    // Only a step that legs do not explain asks for the server's word.
    const double plain = step.allowed * tolerance + quantised * std::max(s.step, 1.0);
    if (step.distance > plain) {
        step.corrected = const_cast<Player*>(this)->usable_for(s.position) != nullptr;
    } else {
        const Place put = explains->position();
        step.perhaps_corrected = (s.position - put).horizontal() < (position - put).horizontal();
    }
    return step;
}

uint32_t Player::believed(uint32_t time_ms) const noexcept {
    const uint32_t may_be = client_now_ms();
    return may_be > UINT32_MAX - ahead_max_ms ? time_ms : std::min(time_ms, may_be + ahead_max_ms);
}

void Player::on(const Synced& s) noexcept {
    if (!in_world || late(s)) return;
    const Step to = step(s);
    const uint32_t time_ms = believed(s.client_time_ms);
    // What the line was once it need not be now: a fiftieth of the time is forgotten.
    if (to.taken && placed && clock_known) clock_zero += (now - position_at) / 50;
    hear_clock(s.client_time_ms);
    synced = true;
    client_time_ms = std::min(time_ms, client_now_ms());
    const auto number = static_cast<uint32_t>(s.sequence);
    if (s.sequence != 0 &&
        (sync_sequence == 0 || static_cast<int32_t>(number - sync_sequence) > 0)) {
        sync_sequence = number;
    }
    if (!to.taken) return;
    if (to.corrected || !placed) {
        if (Correction* set_back = usable_for(s.position)) ++set_back->set_back;
    }
    placed = true;
    position = s.position;
    position_at = now;
    position_time_ms = time_ms;
}

}  // namespace portcullis::shadowland
