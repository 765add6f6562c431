#pragma once

#include <array>
#include <cstdint>

#include "base/time.h"
#include "player/shadowland/entities.h"
#include "player/shadowland/map.h"
#include "protocol/shadowland/events.h"
#include "protocol/shadowland/messages.h"

namespace portcullis::shadowland {

/// The client says where it is and how it is, by its own clock.
struct Synced {
    uint32_t client_time_ms = 0;
    uint64_t sequence = 0;  ///< Of its packet on channel 0; 0: it came on another.
    bool has_position = false;
    Place position;
    double step = 0;  ///< How coarse the position is; 0: as floats.
    bool has_state = false;
    uint8_t state = 0;
};
/// A quantised position that lies nowhere on the map.
struct OutOfWorld {
    uint16_t quadrant = 0;
};
/// The client wants to do something.
struct Acted {
    uint16_t request_id = 0;
    uint32_t client_time_ms = 0;
    uint64_t sequence = 0;  ///< Of its packet on channel 1; 0: it came on another.
    uint32_t action = 0;
    bool has_target = false, has_point = false;
    uint32_t target = 0;
    Place point;
};
/// The client is told where something is.
struct Shown {
    uint32_t entity = 0;
    uint8_t type = 0;
    Place position;
};

/// A moment in our time, in milliseconds; wraps after 49 days.
using Stamp = uint32_t;
constexpr Stamp stamp(Nanos t) noexcept {
    return static_cast<Stamp>(t / std::chrono::milliseconds(1));
}

/// How something that the server said reaches the client.
struct Told {
    static constexpr unsigned sequence_bits = 26;
    static constexpr unsigned said_max = 7;

    uint32_t sequence : sequence_bits = 0;  ///< Of what carried it, on its channel; wraps.
    uint32_t channel : 2 = 0;
    uint32_t delivered : 1 = 0;  ///< The client has acknowledged it and all before it.
    uint32_t said : 3 = 0;       ///< How often, seconds apart, on channel 0.
    Stamp at{};                  ///< When it was said; once `delivered`, when that was known.
};

/// What the server lets a client do, from when it said so on.
struct Freedom {
    static constexpr uint8_t full = 2;

    Told told;
    Stamp from{};
    uint8_t speed = full;  ///< In halves of the usual.
    bool acts = true;

    bool same(const Freedom& o) const noexcept { return speed == o.speed && acts == o.acts; }
};

/// Where the server puts the client, until the client has it for certain.
struct Correction {
    Triple to{};  ///< As on the wire.
    Told told;
    Stamp from{};  ///< When it was sent first.
    bool waiting = false;
    uint8_t copies = 0;    ///< How often it was sent: each may set the client back once.
    uint8_t set_back = 0;  ///< How often one has, as his syncs show.
    Place position() const noexcept { return place_of(to); }
};

/// One step from one sync with a position to the next, as all movement checks see it.
struct Step {
    bool taken = false;      ///< The sync counts: it says where the client is.
    bool judged = false;     ///< And there is something to judge it by.
    bool back = false;       ///< Its clock is before that of what counted.
    bool corrected = false;  ///< The server has put the client there.
    bool ignores = false;    ///< From where the server put the client, who knows of it.
    /// A correction on its way may have led there.
    bool perhaps_corrected = false;
    double seconds = 0;   ///< By the client's clock.
    double distance = 0;  ///< Horizontal.
    double allowed = 0;   ///< Walking, for this step alone.
};

/// Where a client is and by which clock, and what a message of its own may change of that.
struct Whereabouts {
    static constexpr size_t corrections_max = 4;

    bool placed = false;  ///< `position` is known.
    bool synced = false;
    bool clock_known = false;
    uint8_t newest_correction = 0;
    uint32_t client_time_ms = 0;    ///< Of the newest sync; never beyond what may be now.
    uint32_t position_time_ms = 0;  ///< Of the newest with a position.
    uint32_t sync_sequence = 0;     ///< The highest on channel 0; wraps.  0: none.
    Place position;                 ///< The newest that the client said.
    Nanos position_at{};
    /// When the client's clock was 0, had the line been as fast as it has been lately.
    Nanos clock_zero{};
    std::array<Correction, corrections_max> corrections;
};

/// What the server must believe about one client, from both directions.
class Player : public Whereabouts {
public:
    static constexpr double walk_speed = 600;  ///< Units a second.
    /// What a client put aside for company, it may send behind what it made later: the wire
    /// document gives it 50 ms.
    static constexpr uint32_t put_aside_max_ms = 100;

    Player(EntityPool& pool, const Maps& maps) noexcept : known(pool), maps_(&maps) {}

    // What the server says.
    void on(const CreateEntity& message) noexcept;
    void on(const UpdateEntity& message) noexcept;
    void on(const UpdateEntityQuantized& message) noexcept;
    void on(const RemoveEntity& message) noexcept;
    void on(const DeltaSync& message) noexcept;
    void on(const RoundTrip& trip) noexcept { rtt_ms = static_cast<float>(trip.ms); }
    /// What he was told since then, nobody knows: he may have been told anything.
    void on(const Missed& missed) noexcept;
    void on(const Delivered& delivered) noexcept;
    // What the client says.
    void on(const Synced& synced) noexcept;
    void on(const Acted& acted) noexcept { hear_clock(acted.client_time_ms); }

    /// Goes on with what another process knew: what that pointed to lies here now.  It knows
    /// no entity yet.
    void move_in(EntityPool& pool, const Maps& maps, const Map* there) noexcept {
        known = Known(pool);
        maps_ = &maps;
        map = there;
    }

    /// How a sync leads on from what was known before it.
    Step step(const Synced& synced) const noexcept;
    /// Whether the server would not take it: it has had a newer one.
    bool late(const Synced& synced) const noexcept;
    /// The server has put him on a map, and what he says may still be of where he was before.
    bool arriving(uint32_t time_ms) const noexcept;

    /// The correction that explains a client's appearing there; null: none.
    const Correction* correction_for(const Place& where) const noexcept;
    /// How far from there a client may be that was put there.
    double near_by(const Correction& correction) const noexcept;
    /// Whether the client may still appear there, or only just has.
    bool in_force(const Correction& correction) const noexcept;

    /// When a client's message passed us, had the line not held it back.
    Nanos made_at(uint32_t time_ms) const noexcept;
    /// What the client's clock can say by now.
    uint32_t client_now_ms() const noexcept;
    /// Whether the client may have thought then that it can act.
    bool may_act(Nanos made) const noexcept;

    Nanos now{};
    /// Of the server's packet at hand, and its channel.
    uint64_t sequence = 0;
    Channel channel = Channel::unreliable;
    const Map* map = nullptr;
    uint32_t self = 0;  ///< Own entity; 0: not known.
    /// The server has let him in, or may have, unread: before, it takes nothing of the game.
    bool in_world = false;
    float rtt_ms = 0;  ///< As the newest Pong has it, however late it was.
    /// The same, as far as it is believed: who answers late must not gain by it.
    double believed_rtt_ms() const noexcept;

    Flags flags{.state = state::alive, .buffs = 0, .hp = 255, .mana = 255};
    Known known;

private:
    static constexpr size_t freedoms_max = 4;

    void hear_clock(uint32_t time_ms) noexcept;
    /// A time of the client's as far as it is believed.
    uint32_t believed(uint32_t time_ms) const noexcept;
    void take_flags(const Flags& said) noexcept;
    void correct(const Triple& to) noexcept;
    void move(Entity& entity, const Place& to) noexcept;
    Told told_now() const noexcept;
    Nanos time_of(Stamp stamp) const noexcept;
    /// From when on the client surely has it; never: `Nanos::max()`.
    Nanos known_from(const Told& told) const noexcept;
    double way_max(Nanos from, Nanos to) const noexcept;
    Correction* usable_for(const Place& where) noexcept;
    Nanos slack() const noexcept;

    /// The newest last; of each but the last, the client may not know yet that it is over.
    std::array<Freedom, freedoms_max> freedoms_;
    uint8_t freedoms_size_ = 1;
    const Maps* maps_;
};

}  // namespace portcullis::shadowland
