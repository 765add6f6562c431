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

/// Where a client is, by its newest sync.
struct Whereabouts {
    bool placed = false;  ///< `position` is known.
    bool synced = false;
    uint32_t client_time_ms = 0;    ///< Of the newest sync,
    uint32_t position_time_ms = 0;  ///< and of the newest with a position.
    Place position;                 ///< The newest that the client said.
    Nanos position_at{};
};

/// What the server must believe about one client, from both directions.
class Player : public Whereabouts {
public:
    static constexpr size_t corrections_max = 4;
    static constexpr double walk_speed = 600;  ///< Units a second.

    Player(EntityPool& pool, const Maps& maps) noexcept : known(pool), maps_(&maps) {}

    // What the server says.
    void on(const CreateEntity& message) noexcept;
    void on(const UpdateEntity& message) noexcept;
    void on(const UpdateEntityQuantized& message) noexcept;
    void on(const RemoveEntity& message) noexcept;
    void on(const DeltaSync& message) noexcept;
    void on(const RoundTrip& trip) noexcept { rtt_ms = trip.ms; }
    /// What he was told since then, nobody knows: he may have been told anything.
    void on(const Missed& missed) noexcept;
    void on(const Delivered& delivered) noexcept;
    // What the client says.
    void on(const Synced& synced) noexcept;

    /// Goes on with what another process knew: what that pointed to lies here now.  It knows
    /// no entity yet.
    void move_in(EntityPool& pool, const Maps& maps, const Map* there) noexcept {
        known = Known(pool);
        maps_ = &maps;
        map = there;
    }

    /// Where the server puts the client, until the client has it for certain.
    struct Correction {
        static constexpr unsigned sequence_bits = 30;
        Triple to{};  ///< As on the wire.
        /// Of what carried it, on channel 1; wraps.  0: it came on another.
        uint32_t sequence : sequence_bits = 0;
        bool waiting : 1 = false;
        bool delivered : 1 = false;
        Nanos from{};  ///< When it was sent first,
        Nanos at{};    ///< and when last; once `delivered`, when that was known.
        Place position() const noexcept { return place_of(to); }
    };
    /// The correction that explains a client's appearing there; null: none.
    Correction* correction_for(const Place& where) noexcept;
    const Correction* correction_for(const Place& where) const noexcept {
        return const_cast<Player*>(this)->correction_for(where);
    }
    /// Whether the client may still appear there, or only just has.
    bool in_force(const Correction& correction) const noexcept;
    bool correction_waits() const noexcept;

    /// The fastest that the client may walk now, what it may not know yet included.
    double speed_max() const noexcept;
    bool may_act() const noexcept;
    /// What the line may hold back: half of it is on its way to the client.
    Nanos slack() const noexcept;

    Nanos now{};
    /// Of the server's packet at hand, on channel 1; 0: on another.
    uint64_t sequence = 0;
    const Map* map = nullptr;
    uint32_t self = 0;  ///< Own entity; 0: not in the world yet.
    double rtt_ms = 0;

    Flags flags{.state = state::alive, .buffs = 0, .hp = 255, .mana = 255};
    Flags flags_before = flags;
    Nanos flags_at{};  ///< When they changed.

    std::array<Correction, corrections_max> corrections;
    Known known;

private:
    void take_flags(const Flags& said) noexcept;
    void correct(const Triple& to) noexcept;
    void move(Entity& entity, const Place& to) noexcept;

    const Maps* maps_;
};

}  // namespace portcullis::shadowland
