#include "player/player.h"

#include <algorithm>
#include <cmath>

namespace portcullis {
namespace {

using protocol::Attribute;
using protocol::Effect;
using protocol::GameMode;

/// A teleport's place comes back bit for bit; what the wire rounds is far below.
constexpr double same_place = 1e-3;
/// A client that moved less than this keeps it to itself; protocols before 758, and after.
constexpr double untold_blocks = 0.03;
constexpr double untold_blocks_since_1_18_2 = 2e-4;

constexpr int32_t version_1_9 = 107;
constexpr int32_t version_1_17 = 755;
constexpr int32_t version_1_18_2 = 758;
constexpr int32_t version_1_20_5 = 766;

/// What holds until the server says otherwise, in the order of Attribute.
constexpr std::array<float, static_cast<size_t>(Attribute::other)> attribute_defaults = {
    0.1f,   // movement_speed
    0.42f,  // jump_strength
    0.08f,  // gravity
    0.6f,   // step_height
    1.0f,   // scale
    3.0f,   // safe_fall_distance
    4.5f,   // block_interaction_range
    3.0f,   // entity_interaction_range
    1.0f,   // block_break_speed
    0.0f,   // mining_efficiency
    0.3f,   // sneaking_speed
    0.0f,   // movement_efficiency
    0.0f,   // water_movement_efficiency
    0.4f,   // flying_speed
};

bool finite(const protocol::Position& p) noexcept {
    return std::isfinite(p.x) && std::isfinite(p.y) && std::isfinite(p.z);
}

}  // namespace

Player::Player() noexcept {
    for (size_t i = 0; i < attributes_max; ++i) {
        attributes_[i] = Possible<float>(attribute_defaults[i]);
    }
}

// ---- what a movement packet is ----------------------------------------------

double Player::Step::sideways() const noexcept {
    const double x = dx, z = dz;
    return std::sqrt(x * x + z * z);
}

bool Player::Teleport::matches(const protocol::Move& move) const noexcept {
    if (!move.has_position) return false;
    const auto same = [](bool relative, double a, double b) {
        return relative || std::abs(a - b) <= same_place;
    };
    return same(relative_x, position.x, move.position.x) &&
           same(relative_y, position.y, move.position.y) &&
           same(relative_z, position.z, move.position.z);
}

/// Further than feet go in a tick.
bool Player::leaps(const protocol::Move& move) const noexcept {
    const double x = move.position.x - position_.x, y = move.position.y - position_.y,
                 z = move.position.z - position_.z;
    return x * x + y * y + z * z > 1;
}

Player::MoveKind Player::kind_of(const protocol::Move& move) const noexcept {
    if (move.has_position) {
        if (answer_next_ || !placed_) return MoveKind::answer;
        for (size_t i = 0; i < teleports_size_; ++i) {
            // Before 1.9 nothing but the coordinates tells; a client that is put
            // where he stands sends the same packet anyway.
            if (teleports_[i].matches(move) && move.has_rotation) return MoveKind::answer;
        }
        if (forgotten_ > 0 && version < version_1_9 && move.has_rotation && leaps(move)) {
            return MoveKind::answer;
        }
        if (may_repeat(move)) return MoveKind::repeat;
    } else if (turns_unanswered_ > 0 && trips_.reached() <= turned_said_ && move.has_rotation &&
               !move.on_ground) {
        // The answer is a look that claims the air, wherever he stands.
        return MoveKind::turn;
    }
    return MoveKind::tick;
}

bool Player::may_repeat(const protocol::Move& move) const noexcept {
    // A translator passes on what the client repeats, and repeats itself for a server
    // that asks it of one that does not.
    const bool repeats = line.translated || (version >= version_1_17 && version <= version_1_20_5);
    if (!repeats || !move.has_rotation) return false;
    // Who rides says no places in his ticks, so the last that was said may be far away.
    if (may_ride() && !place_last_) return true;
    const bool tells_more = version >= version_1_18_2 && !line.translated;
    const double untold = tells_more ? untold_blocks_since_1_18_2 : untold_blocks;
    return std::hypot(move.position.x - position_.x, move.position.y - position_.y,
                      move.position.z - position_.z) <= untold;
}

Player::Step Player::step_of(const protocol::Move& move) const noexcept {
    Step step;
    step.ground_before = on_ground_;
    step.ground_after = move.on_ground;
    if (move.has_position && placed_) {
        step.dx = static_cast<float>(move.position.x - position_.x);
        step.dy = static_cast<float>(move.position.y - position_.y);
        step.dz = static_cast<float>(move.position.z - position_.z);
    }
    return step;
}

const Player::Step& Player::step(size_t back) const noexcept {
    return steps_[(ticks_ - 1 - back) % steps_max];
}

void Player::on(const protocol::Move& e) noexcept {
    const MoveKind kind = kind_of(e);
    const Step step = step_of(e);
    if (kind == MoveKind::tick) {
        steps_[ticks_ % steps_max] = step;
        ++ticks_;
        trips_.ticked(ticks_);
        wait_for_server();
        forget_pushes_felt(step);
        if (sneaking_) sneaked_at_ = ticks_;
        if (sprinting_) sprinted_at_ = ticks_;
    } else if (kind == MoveKind::answer) {
        bool known = answer_next_;
        for (size_t i = 0; i < teleports_size_; ++i) {
            if (!teleports_[i].matches(e)) continue;
            if (!teleports_[i].has_id || line.translated) {
                answered(RoundTrips::Kind::teleport, teleports_[i].id);
                forget_teleports_until(i + 1);
                forgotten_ = 0;
            }
            known = true;
            break;
        }
        if (!known && forgotten_ > 0) --forgotten_;
        answer_next_ = false;
        disturb();
    } else if (kind == MoveKind::turn) {
        --turns_unanswered_;
        previous_rotation_ = rotation_;
        rotation_ = e.rotation;
        return;
    }
    if (e.has_position && finite(e.position)) {
        previous_position_ = placed_ && kind != MoveKind::answer ? position_ : e.position;
        position_ = e.position;
        placed_ = true;
    }
    previous_rotation_ = rotation_;
    if (e.has_rotation) rotation_ = e.rotation;
    on_ground_ = e.on_ground;
    place_last_ = e.has_position;
}

void Player::on(const protocol::TickEnded&) noexcept { tells_ticks_ = true; }

void Player::on(const protocol::PlayerInput& e) noexcept {
    sneaking_ = e.sneak;
    if (e.sneak) {
        ever_sneaked_ = true;
        sneaked_at_ = ticks_;
    }
}

void Player::forget_teleports_until(size_t index) noexcept {
    std::move(teleports_.begin() + static_cast<ptrdiff_t>(index),
              teleports_.begin() + static_cast<ptrdiff_t>(teleports_size_), teleports_.begin());
    teleports_size_ -= index;
}

void Player::make_room_for_teleport() noexcept {
    const int32_t id = teleports_[0].has_id ? teleports_[0].id : 0;
    // Servers count them up or call all the same; one that does neither begins a new row.
    const int64_t step = int64_t{id} - forgotten_last_;
    const bool goes_on = forgotten_ > 0 && (step == 0 || step == 1);
    if (!goes_on) {
        forgotten_ = 0;
        forgotten_first_ = id;
    }
    forgotten_last_ = id;
    ++forgotten_;
    forget_teleports_until(1);
}

bool Player::was_forgotten(int32_t id) noexcept {
    if (forgotten_ == 0 || id < forgotten_first_ || id > forgotten_last_) return false;
    // In order, and each but once: what came before it is lost or answered.
    const auto over = static_cast<uint32_t>(int64_t{id} - forgotten_first_ + 1);
    forgotten_ -= std::min(forgotten_, over);
    forgotten_first_ = id < forgotten_last_ ? id + 1 : id;
    return true;
}

void Player::on(const protocol::Teleported& e) noexcept {
    if (teleports_size_ == teleports_max) make_room_for_teleport();
    // Without an id of the server's the place in the queue stands for one.
    const int32_t id = e.has_id ? e.id : static_cast<int32_t>(trips_.requests());
    teleports_[teleports_size_++] = {e.position,   now,          id,          e.has_id,
                                     e.relative_x, e.relative_y, e.relative_z};
    trips_.sent(RoundTrips::Kind::teleport, id, now);
}

void Player::on(const protocol::RotationSet&) noexcept {
    // Whoever read a later request has answered all before.
    if (trips_.reached() > turned_said_) turns_unanswered_ = 0;
    turned_said_ = trips_.requests();
    if (turns_unanswered_ < UINT8_MAX) ++turns_unanswered_;
}

void Player::on(const protocol::TeleportConfirmed& e) noexcept {
    // A translator confirms for who can not; his own answer comes a round trip later.
    if (!line.translated) answered(RoundTrips::Kind::teleport, e.id);
    for (size_t i = 0; i < teleports_size_; ++i) {
        if (!teleports_[i].has_id || teleports_[i].id != e.id) continue;
        if (!line.translated) forget_teleports_until(i + 1);
        answer_next_ = true;
        return;
    }
    if (was_forgotten(e.id)) answer_next_ = true;
}

// ---- what the client claims -------------------------------------------------

void Player::on(const protocol::EntityAction& e) noexcept {
    using Kind = protocol::EntityAction::Kind;
    switch (e.kind) {
        case Kind::start_sneaking:
            sneaking_ = ever_sneaked_ = true;
            sneaked_at_ = ticks_;
            break;
        case Kind::stop_sneaking:
            sneaking_ = false;
            break;
        case Kind::start_sprinting:
            sprinting_ = ever_sprinted_ = true;
            sprinted_at_ = ticks_;
            break;
        case Kind::stop_sprinting:
            sprinting_ = false;
            break;
        case Kind::start_gliding:
            ever_glided_ = true;
            glide_claimed_at_ = ticks_;
            if (glides_denied_ < 255) ++glides_denied_;
            break;
        case Kind::leave_bed:
            leave_bed();
            break;
        default:
            break;
    }
}

void Player::leave_bed() noexcept {
    // Servers put who wakes beside his bed, so the claim need not be believed often.
    constexpr uint32_t shortest_sleep_ticks = 100;
    if (ever_left_bed_ && ticks_ - left_bed_at_ < shortest_sleep_ticks) return;
    ever_left_bed_ = true;
    left_bed_at_ = ticks_;
    disturb();
}

void Player::on(const protocol::FlyingClaimed& e) noexcept {
    if (may_fly() && !e.flying) disturb();
}

void Player::on(const protocol::Dig& e) noexcept {
    if (e.status == static_cast<uint8_t>(protocol::Dig::Status::release_item)) let_go_of_item();
}

void Player::let_go_of_item() noexcept {
    // Ticks that an unmoved client keeps to itself show on the clock, those that the line
    // brings all at once in their number; a throw may be saved up, for a line may do both.
    constexpr int64_t charge_ticks = 10;
    const int64_t passed =
        std::max((now - let_go_at_time_) / game_tick, static_cast<int64_t>(ticks_ - let_go_at_));
    const int64_t charge = std::min(charge_ + passed, 2 * charge_ticks);
    const bool throws = uses_item_ && charge >= charge_ticks;
    charge_ = static_cast<uint32_t>(throws ? charge - charge_ticks : charge);
    uses_item_ = false;
    let_go_at_ = ticks_;
    let_go_at_time_ = now;
    if (!throws) return;
    ever_spun_ = true;
    spin_possible_at_ = ticks_;
    ++spins_;
}

void Player::on(const protocol::Respawned&) noexcept {
    // Servers pay no heed to it from the living.
    if (!alive_) disturb();
}

// ---- round trips ------------------------------------------------------------

void Player::answered(RoundTrips::Kind kind, int64_t id) noexcept {
    look_back_.answered(trips_.answered(kind, id, now, ticks_), now);
}

void Player::on(const protocol::KeepAliveSent& e) noexcept {
    trips_.sent(RoundTrips::Kind::keep_alive, e.id, now);
}
void Player::on(const protocol::KeepAliveAnswered& e) noexcept {
    answered(RoundTrips::Kind::keep_alive, e.id);
}
void Player::on(const protocol::PingSent& e) noexcept {
    trips_.sent(RoundTrips::Kind::ping, e.id, now);
}
void Player::on(const protocol::PingAnswered& e) noexcept {
    answered(RoundTrips::Kind::ping, e.id);
}

// ---- what the server makes of him -------------------------------------------

void Player::on(const protocol::LoggedIn& e) noexcept {
    // Floodgate makes a Bedrock player's id of his account's number: eight bytes of
    // nothing lead it, which no version of a Java player's id allows.
    if (told_bedrock_) return;
    bedrock_ = std::all_of(e.uuid.begin(), e.uuid.begin() + 8, [](uint8_t b) { return b == 0; }) &&
               std::any_of(e.uuid.begin() + 8, e.uuid.end(), [](uint8_t b) { return b != 0; });
}

void Player::on(const protocol::Joined& e) noexcept {
    self_ = camera_ = e.self;
    eyes_said_ = trips_.requests();
    joined_ = true;
    reset_traits();
    reset_body(e.mode);
}

void Player::on(const protocol::WorldChanged& e) noexcept {
    camera_ = self_;
    reset_body(e.mode);
    // No effect outlives it in the client; a server that keeps them says them again.
    for (auto& effect : effects_) set(effect, 0);
    // Whether attributes do depends on version and cause, and after a death a server
    // that begins with the defaults says nothing of them.
    for (size_t i = 0; i < attributes_max; ++i) {
        attributes_[i].may_be(attribute_defaults[i], trips_.reached());
    }
}

void Player::reset_traits() noexcept {
    for (size_t i = 0; i < attributes_max; ++i) set(attributes_[i], attribute_defaults[i]);
    for (auto& effect : effects_) set(effect, 0);
    set(may_fly_, 0);
    set(fly_speed_, 0.05f);
    set(walk_speed_, 0.1f);
}

void Player::reset_body(GameMode mode) noexcept {
    set(mode_low_high_, mode);
    set(riding_, 0);
    vehicle_ = -1;
    set(gliding_, 0);
    set(spinning_, 0);
    set(swimming_, 0);
    set(crouching_, 0);
    entities_.clear();
    alive_ = true;
    pushes_size_ = 0;
    disturb();
}

void Player::on(const protocol::GameModeChanged& e) noexcept {
    set(mode_low_high_, e.mode);
    disturb();
}

void Player::on(const protocol::AbilitiesSet& e) noexcept {
    set(may_fly_, e.may_fly || e.flying ? 1 : 0);
    set(fly_speed_, e.fly_speed);
    set(walk_speed_, e.walk_speed);
}

void Player::on(const protocol::HealthSet& e) noexcept {
    if (alive_ != (e.health > 0)) disturb();
    health_ = e.health;
    food_ = e.food;
    alive_ = e.health > 0;
}

void Player::on(const protocol::EffectGiven& e) noexcept {
    if (e.entity != self_ || e.effect == Effect::other) return;
    set(effects_[static_cast<size_t>(e.effect)], e.amplifier + 1);
}

void Player::on(const protocol::EffectTaken& e) noexcept {
    if (e.entity != self_ || e.effect == Effect::other) return;
    set(effects_[static_cast<size_t>(e.effect)], 0);
}

void Player::on(const protocol::AttributeSet& e) noexcept {
    if (e.attribute == Attribute::other || !std::isfinite(e.value)) return;
    if (e.entity != self_) {
        if (e.attribute == Attribute::scale) entities_.scaled(e.value);
        return;
    }
    set(attributes_[static_cast<size_t>(e.attribute)], e.value);
}

void Player::on(const protocol::PoseSet& e) noexcept {
    if (e.entity != self_) return;
    if (e.gliding) glides_denied_ = 0;
    if (e.spin_attack && spinning_.latest() == 0 && !may_spin()) ++spins_;
    set(gliding_, e.gliding);
    set(spinning_, e.spin_attack);
    set(swimming_, e.swimming);
    set(crouching_, e.sneaking);
    if (e.spin_attack) ++spins_shown_;
}

void Player::on(const protocol::Mounted& e) noexcept {
    if (!riders_listed_ && e.vehicle >= 0) entities_.unseated(e.vehicle);
    riders_listed_ = true;
    entities_.seated(e.rider, e.vehicle);
    if (e.rider == self_) {
        set(riding_, e.vehicle >= 0);
        vehicle_ = e.vehicle;
        listed_as_rider_ = true;
        disturb();
    } else if (e.vehicle >= 0 && e.vehicle == vehicle_ && !listed_as_rider_) {
        // A list of riders without him: he got off.
        get_off();
    }
}

void Player::get_off() noexcept {
    set(riding_, 0);
    disturb();
}

void Player::on(const protocol::CameraSet& e) noexcept {
    camera_ = e.entity;
    eyes_said_ = trips_.requests();
    disturb();
}

void Player::on(const protocol::TickRateSet& e) noexcept { tick_rate_ = e.rate; }

// ---- pushes -----------------------------------------------------------------

void Player::push(double x, double y, double z, bool added) noexcept {
    if (!std::isfinite(x) || !std::isfinite(y) || !std::isfinite(z)) return;
    if (pushes_size_ == pushes_max) {
        // The two oldest become one that is no smaller than what they may add up to.
        const Push& first = pushes_[0];
        Push& second = pushes_[1];
        second.x = std::hypot(first.x, first.z) + std::hypot(second.x, second.z);
        second.z = 0;
        second.y = std::max({first.y, second.y, first.y + second.y});
        second.added = second.several = true;
        std::move(pushes_.begin() + 1, pushes_.end(), pushes_.begin());
        --pushes_size_;
    }
    pushes_[pushes_size_++] = {.x = static_cast<float>(x),
                               .y = static_cast<float>(y),
                               .z = static_cast<float>(z),
                               .serial = ++pushes_ever_,
                               .added = added,
                               .said = trips_.requests()};
}

void Player::on(const protocol::Velocity& e) noexcept {
    if (e.entity == self_) push(e.x, e.y, e.z, false);
}

void Player::on(const protocol::Exploded& e) noexcept {
    if (e.x != 0 || e.y != 0 || e.z != 0) push(e.x, e.y, e.z, true);
}

void Player::on(const protocol::Pulled&) noexcept {
    // A tenth of the way to the angler, whose line is 32 blocks long and some slack.
    constexpr double farthest = 3.5;
    push(farthest, farthest, 0, true);
}

void Player::forget_pushes_felt(const Step& step) noexcept {
    // A push is over once the game surely read it.
    size_t over = 0;
    while (over < pushes_size_ && trips_.reached() > pushes_[over].said) ++over;
    // Or seen: it sets the speed up and down to the bit, before gravity.  Then all before
    // it are over too.  Of equal ones it is the first; which of several, nobody can tell.
    for (size_t i = over; i < pushes_size_ && !pushes_[i].several; ++i) {
        const bool felt = !pushes_[i].added && std::abs(pushes_[i].y) > 0.1f &&
                          std::abs(step.dy - pushes_[i].y) < static_cast<float>(same_place);
        if (!felt) continue;
        over = i + 1;
        break;
    }
    if (over == 0) return;
    std::move(pushes_.begin() + static_cast<ptrdiff_t>(over),
              pushes_.begin() + static_cast<ptrdiff_t>(pushes_size_), pushes_.begin());
    pushes_size_ -= over;
}

// ---- the others -------------------------------------------------------------

void Player::on(const protocol::EntitySpawned& e) noexcept {
    if (e.entity != self_) entities_.spawned(e, position_, now);
}
void Player::on(const protocol::EntityMoved& e) noexcept { entities_.moved(e, sight(), now); }
void Player::on(const protocol::EntityPlaced& e) noexcept { entities_.placed(e, sight(), now); }
void Player::on(const protocol::EntityGone& e) noexcept {
    entities_.gone(e.entity);
    if (e.entity == vehicle_ && vehicle_ >= 0) get_off();
}

}  // namespace portcullis
