#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "base/fetch.h"
#include "base/time.h"
#include "player/box.h"
#include "player/entity_tracker.h"
#include "player/line.h"
#include "player/look_back.h"
#include "player/possible.h"
#include "player/round_trips.h"
#include "player/silence.h"
#include "protocol/event.h"

namespace portcullis {

/// The Player: what the server must believe about one client, built from both
/// directions.
///
/// What the server sets holds in the client at some time between its sending and
/// a request sent later that came back.  Until then old and new are both
/// possible, so most questions here have a `_max` or `may_` in their name: the
/// answer is the one that favours the player.
///
/// `now`, `line` and `version` are set by whoever tells the events, before each.
class Player {
public:
    Player() noexcept;

    /// Asks the memory for what the next packet this way will need: to the client, its
    /// line and which entities there are; from it, all but the entities themselves.
    void fetch_for(bool from_client) const noexcept {
        const auto front = reinterpret_cast<const std::byte*>(&entities_) -
                           reinterpret_cast<const std::byte*>(this);
        constexpr size_t ids_bytes = EntityTracker::entities_max * sizeof(protocol::EntityId);
        fetch(this, from_client ? static_cast<size_t>(front) : line_bytes);
        fetch(&entities_, from_client ? 0 : ids_bytes);
    }

    Nanos now{};
    Line line;
    int32_t version = 0;  ///< Protocol number.

    // ---- what a movement packet is ------------------------------------------

    enum class MoveKind : uint8_t {
        tick,    ///< One tick of the client's game.
        answer,  ///< Says the place that the server put the player to.
        repeat,  ///< An extra one before an item is used (protocols 755 to 766, and all
                 ///< behind a translator); if no UseItem follows it directly, it was a tick.
        turn,    ///< Says where he looks since the server turned his head; no tick.
    };
    MoveKind kind_of(const protocol::Move& move) const noexcept;

    /// One tick of movement as sent: from the last place to this one.
    struct Step {
        float dx = 0, dy = 0, dz = 0;
        bool ground_before = false;  ///< The last claim before it,
        bool ground_after = false;   ///< and the claim with it.
        double sideways() const noexcept;
    };
    /// What `move`, not yet taken in, would be; without a position it stays put.
    Step step_of(const protocol::Move& move) const noexcept;
    /// The step `back` ticks ago; 0 is the last one taken in.
    static constexpr size_t steps_max = 8;
    const Step& step(size_t back) const noexcept;

    // ---- the player ---------------------------------------------------------

    bool joined() const noexcept { return joined_; }
    /// He plays the Bedrock edition behind Geyser, whose feet and hands are not those
    /// that are known here.
    bool bedrock() const noexcept { return bedrock_; }
    /// Somebody who knows said so, whatever his UUID looks like.
    void is_bedrock() noexcept { told_bedrock_ = bedrock_ = true; }
    /// Mods of his talk with the server, or with a plugin of it.
    bool server_has_mods() const noexcept { return server_has_mods_; }
    /// His hands move by themselves (Vivecraft): a blow takes no click, and no arm swings.
    bool may_be_vr() const noexcept { return said_vivecraft_ && line.believes_vivecraft; }
    protocol::EntityId self() const noexcept { return self_; }
    /// It is his own body's id, what had it in a world before is out of his sight, and so is
    /// he himself to another whose eyes he had.
    bool surely_self(protocol::EntityId id) const noexcept {
        return joined_ && id == self_ && trips_.reached() > eyes_said_;
    }
    bool alive() const noexcept { return alive_; }
    bool on_ground() const noexcept { return on_ground_; }
    bool placed() const noexcept { return placed_; }  ///< A position was said.
    const protocol::Position& position() const noexcept { return position_; }
    const protocol::Rotation& rotation() const noexcept { return rotation_; }
    const protocol::Rotation& previous_rotation() const noexcept { return previous_rotation_; }
    /// Ticks of movement the client told, and those since the server last put
    /// him somewhere or made him another (world, mode, vehicle, death).
    uint32_t ticks() const noexcept { return ticks_; }
    uint32_t ticks_undisturbed() const noexcept { return ticks_ - disturbed_at_; }
    float health() const noexcept { return health_; }
    int32_t food() const noexcept { return food_; }

    bool may_be(protocol::GameMode mode) const noexcept;
    bool surely(protocol::GameMode mode) const noexcept;
    bool may_fly() const noexcept;  ///< Creative or spectator flight.
    bool may_ride() const noexcept;
    bool may_glide() const noexcept;
    /// He said a moment ago that he spreads his wings, and glides until he
    /// reads that the server denies it.
    bool may_glide_unconfirmed() const noexcept;
    /// A riptide trident may throw him; each throw has a number of its own.  It takes
    /// the use of an item and ten ticks of holding it.
    bool may_spin() const noexcept;
    uint32_t spins() const noexcept { return spins_; }
    /// How often the server showed him thrown so.
    uint32_t spins_shown() const noexcept { return spins_shown_; }
    bool may_swim() const noexcept;    ///< Or crawl.
    bool may_crouch() const noexcept;  ///< The server said so; under low roofs it needs no key.
    bool watching_another() const noexcept { return camera_ != self_; }
    bool sneaking() const noexcept { return sneaking_; }
    bool sprinting() const noexcept { return sprinting_; }
    bool was_sneaking_within(uint32_t ticks) const noexcept;
    bool was_sprinting_within(uint32_t ticks) const noexcept;

    /// Level of an effect, 0 without it.
    int effect_max(protocol::Effect effect) const noexcept;
    int effect_min(protocol::Effect effect) const noexcept;
    double attribute_max(protocol::Attribute attribute) const noexcept;
    double attribute_min(protocol::Attribute attribute) const noexcept;
    /// Attribute of walking without the sprint's share; 0.1 is usual.
    double movement_speed_max() const noexcept;
    /// Blocks in the first tick of a jump; 0.42 is usual.
    double jump_strength_max() const noexcept;
    double gravity_min() const noexcept;  ///< 0.08 is usual; blocks a tick a tick.
    double step_height_max() const noexcept;
    double block_reach_max() const noexcept;
    double entity_reach_max() const noexcept;
    bool is_default_size() const noexcept;

    /// Pushes that the server gave and that may not have shown yet.
    struct Push {
        float x = 0, y = 0, z = 0;
        uint32_t serial = 0;   ///< From 1, in order.
        bool added = false;    ///< To what he had (explosion), not in its place.
        bool several = false;  ///< As large as several, which may show one after another.
        RequestCount said = 0;
    };
    /// Eight seconds of blows, two a second, while the line stands still.
    static constexpr size_t pushes_max = 16;
    /// Those that may take effect in the next tick.
    std::span<const Push> pushes() const noexcept { return {pushes_.data(), pushes_size_}; }
    uint32_t pushes_ever() const noexcept { return pushes_ever_; }

    // ---- the line -----------------------------------------------------------

    const RoundTrips& trips() const noexcept { return trips_; }
    /// There and back, permissive: the slowest of late, or what is missing.
    Nanos latency() const noexcept { return trips_.high(now); }
    Nanos latency_min() const noexcept { return trips_.low(); }
    /// The client says when its ticks end (protocol 768 on).
    bool tells_ticks() const noexcept { return tells_ticks_; }
    /// How much later than meant what he does may have arrived.  A check hears PacketSeen
    /// before he does: there it is the packet's before.
    Nanos held_back() const noexcept { return silence_.credit(); }
    /// Ticks a second the server last asked for.
    float tick_rate() const noexcept { return tick_rate_; }
    /// The server's game hangs, or the line keeps its word from us: that it did not confirm a
    /// thing says nothing.
    bool server_silent() const noexcept;

    // ---- the others ---------------------------------------------------------

    /// How far back what he sees may be: the line, three ticks of easing, and a
    /// slow frame.
    Nanos sight() const noexcept { return latency() + 3 * game_tick + 100ms; }
    /// So far back is what he may have seen when he did what is being told: his TCP may
    /// not have it yet, and what arrives after a silence may be older than it seems.
    Nanos look_back() const noexcept {
        return look_back_.window(line, sight(), now) + silence_.credit();
    }
    /// The same, whatever his own line has done behind a proxy since it was measured.
    Nanos look_back_behind_proxy() const noexcept {
        return look_back_.window_behind_proxy(line, sight(), now) + silence_.credit();
    }
    const EntityTracker& entities() const noexcept { return entities_; }
    /// All places his eyes may be at in the tick that this event comes from.
    Box eye_hull() const noexcept;

    // ---- what happens -------------------------------------------------------

    void on(const protocol::Move& e) noexcept;
    void on(const protocol::TickEnded& e) noexcept;
    void on(const protocol::PlayerInput& e) noexcept;
    void on(const protocol::TeleportConfirmed& e) noexcept;
    void on(const protocol::EntityAction& e) noexcept;
    void on(const protocol::FlyingClaimed& e) noexcept;
    void on(const protocol::UseItem&) noexcept { uses_item_ = true; }
    void on(const protocol::PluginMessage& e) noexcept {
        // Since 1.13, and before.  It says so at the join, also while VR is still off.
        if (e.channel == "vivecraft:data" || e.channel == "Vivecraft") said_vivecraft_ = true;
    }
    void on(const protocol::ServerHasMods&) noexcept { server_has_mods_ = true; }
    void on(const protocol::Dig& e) noexcept;
    void on(const protocol::Respawned& e) noexcept;
    void on(const protocol::KeepAliveSent& e) noexcept;
    void on(const protocol::KeepAliveAnswered& e) noexcept;
    void on(const protocol::PingSent& e) noexcept;
    void on(const protocol::PingAnswered& e) noexcept;
    void on(const protocol::PacketSeen& packet) noexcept {
        listed_as_rider_ = riders_listed_ = false;
        if (!packet.from_server) return silence_.heard(now);
        server_heard_at_ = now;
        look_back_.sent(line, now);
    }
    void on(const protocol::LoggedIn& e) noexcept;
    void on(const protocol::Joined& e) noexcept;
    void on(const protocol::WorldChanged& e) noexcept;
    void on(const protocol::GameModeChanged& e) noexcept;
    void on(const protocol::Teleported& e) noexcept;
    void on(const protocol::RotationSet& e) noexcept;
    void on(const protocol::Velocity& e) noexcept;
    void on(const protocol::Exploded& e) noexcept;
    void on(const protocol::Pulled& e) noexcept;
    void on(const protocol::EffectGiven& e) noexcept;
    void on(const protocol::EffectTaken& e) noexcept;
    void on(const protocol::AttributeSet& e) noexcept;
    void on(const protocol::AbilitiesSet& e) noexcept;
    void on(const protocol::HealthSet& e) noexcept;
    void on(const protocol::EntitySpawned& e) noexcept;
    void on(const protocol::EntityMoved& e) noexcept;
    void on(const protocol::EntityPlaced& e) noexcept;
    void on(const protocol::EntityGone& e) noexcept;
    void on(const protocol::Mounted& e) noexcept;
    void on(const protocol::TickRateSet& e) noexcept;
    void on(const protocol::WorldTime&) noexcept { world_time_at_ = now, tells_time_ = true; }
    void on(const protocol::CameraSet& e) noexcept;
    void on(const protocol::PoseSet& e) noexcept;
    /// Whatever else is told leaves him as he is.
    template <class Event>
    void on(const Event&) noexcept {}

private:
    /// Servers that freeze a player put him back each tick: as many as a line of a
    /// second holds.  Of older ones only the ids are kept.
    static constexpr size_t teleports_max = 20;
    /// Of what leads, all that a packet to the client needs, with the first of the marks.
    static constexpr size_t line_bytes = 128;
    static constexpr size_t effects_max = static_cast<size_t>(protocol::Effect::other);
    static constexpr size_t attributes_max = static_cast<size_t>(protocol::Attribute::other);

    struct Teleport {
        protocol::Position position;
        Nanos sent{};
        int32_t id = 0;
        bool has_id = false;
        bool relative_x = false, relative_y = false, relative_z = false;
        bool matches(const protocol::Move& move) const noexcept;
    };
    template <class T, class V>
    void set(Possible<T>& what, V value) noexcept {
        what.set(static_cast<T>(value), trips_.requests(), trips_.reached());
    }
    void answered(RoundTrips::Kind kind, int64_t id) noexcept;
    void reset_traits() noexcept;
    void reset_body(protocol::GameMode mode) noexcept;
    void disturb() noexcept { disturbed_at_ = ticks_; }
    void leave_bed() noexcept;
    void get_off() noexcept;
    void forget_teleports_until(size_t index) noexcept;
    void make_room_for_teleport() noexcept;
    bool was_forgotten(int32_t id) noexcept;
    bool may_repeat(const protocol::Move& move) const noexcept;
    bool leaps(const protocol::Move& move) const noexcept;
    void wait_for_server() noexcept;
    void push(double x, double y, double z, bool added) noexcept;
    void let_go_of_item() noexcept;
    void forget_pushes_felt(const Step& step) noexcept;

    Silence silence_;
    LookBack look_back_;
    protocol::Position position_, previous_position_;
    protocol::Rotation rotation_, previous_rotation_;
    std::array<Step, steps_max> steps_{};
    uint32_t ticks_ = 0;
    uint32_t disturbed_at_ = 0;
    uint32_t spins_ = 0;
    uint32_t let_go_at_ = 0;  ///< Tick and
    Nanos let_go_at_time_{};  ///< time at which an item was let go last.
    uint32_t charge_ = 20;    ///< Ticks of holding it that no throw has used.
    uint32_t sneaked_at_ = 0, sprinted_at_ = 0, glide_claimed_at_ = 0, spin_possible_at_ = 0;
    Nanos server_heard_at_{}, world_time_at_{};
    uint32_t left_bed_at_ = 0, spins_shown_ = 0;
    protocol::EntityId self_ = -1, camera_ = -1;
    protocol::EntityId vehicle_ = -1;  ///< The last one he was put on.
    float health_ = 20;
    int32_t food_ = 20;
    float tick_rate_ = 20;
    bool bedrock_ = false;
    bool told_bedrock_ = false;
    bool said_vivecraft_ = false;
    bool server_has_mods_ = false;
    bool listed_as_rider_ = false;  ///< By the packet that is being told,
    bool riders_listed_ = false;    ///< and that packet lists riders.
    bool joined_ = false, alive_ = true, on_ground_ = false, placed_ = false;
    RequestCount eyes_said_ = 0;  ///< When the server said which body is his, or whose eyes.
    bool sneaking_ = false, sprinting_ = false, tells_ticks_ = false, tells_time_ = false;
    RequestCount turned_said_ = 0;  ///< When the server last turned his head,
    uint8_t turns_unanswered_ = 0;  ///< and how often without an answer.
    uint8_t glides_denied_ = 0;     ///< Claims in a row that the server did not confirm.
    bool uses_item_ = false;        ///< Since he last let go of one.
    bool place_last_ = false;       ///< The last movement packet had a position.
    bool answer_next_ = false;      ///< A teleport was confirmed; its place comes next.
    bool ever_glided_ = false, ever_sneaked_ = false, ever_sprinted_ = false, ever_spun_ = false;
    bool ever_left_bed_ = false;

    RoundTrips trips_;
    std::array<Teleport, teleports_max> teleports_{};
    size_t teleports_size_ = 0;
    /// Teleports that there was no room for and that are still to be answered: how many, and
    /// from which id to which where they have any.
    uint32_t forgotten_ = 0;
    int32_t forgotten_first_ = 0, forgotten_last_ = 0;
    std::array<Push, pushes_max> pushes_{};
    size_t pushes_size_ = 0;
    uint32_t pushes_ever_ = 0;

    Possible<uint8_t> mode_low_high_;  ///< GameMode as a number.
    Possible<uint8_t> may_fly_, riding_, gliding_, spinning_, swimming_, crouching_;
    Possible<float> fly_speed_{0.05f}, walk_speed_{0.1f};
    std::array<Possible<uint16_t>, effects_max> effects_{};  ///< Levels, to 256.
    std::array<Possible<float>, attributes_max> attributes_{};

    EntityTracker entities_;
};

}  // namespace portcullis
