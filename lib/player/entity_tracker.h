#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>

#include "base/time.h"
#include "player/box.h"
#include "protocol/event.h"

namespace portcullis {

/// The other entities as one client was told of them: the nearest, players first.
///
/// A player aims at what his screen shows, and that is old: what was sent takes
/// its way to him, then the client eases it over three ticks, and his blow takes
/// its way back.  So each entity keeps where it was sent to over the last
/// seconds, and `hull` gives all places that the client may still have shown.
class EntityTracker {
public:
    static constexpr size_t entities_max = 20;
    static constexpr size_t spans_max = 5;

    struct Seen {
        Box feet;  ///< All places its feet may be shown at.
        bool is_player;
        bool rides;     ///< It is where its vehicle is, which is not told.
        Nanos known{};  ///< How far back that holds: what was before is not kept.
    };

    void spawned(const protocol::EntitySpawned& e, const protocol::Position& self,
                 Nanos now) noexcept;
    /// `window`: how far back a client on this line may be looking.
    void moved(const protocol::EntityMoved& e, Nanos window, Nanos now) noexcept;
    void placed(const protocol::EntityPlaced& e, Nanos window, Nanos now) noexcept;
    /// A vehicle that goes sets its riders down.
    void gone(protocol::EntityId id) noexcept;
    /// On a vehicle, or (-1) off it; then it still `rides` until it is placed.
    void seated(protocol::EntityId rider, protocol::EntityId vehicle) noexcept;
    /// All riders of a vehicle are off it, before the list of those who are not.
    void unseated(protocol::EntityId vehicle) noexcept;
    /// Any of them was made so much larger; for good, for which it is now is not kept.
    void scaled(double scale) noexcept {
        scale_max_ = std::max(scale_max_, static_cast<float>(scale));
    }
    double scale_max() const noexcept { return scale_max_; }
    void clear() noexcept;

    /// Where the client may have shown it at any time in [now - window, now].
    std::optional<Seen> seen(protocol::EntityId id, Nanos window, Nanos now) const noexcept;
    /// How many known entities may have touched `box` in that time.
    enum class Kind : uint8_t { all, mobs };  ///< Mobs: all but players.
    size_t touching(const Box& box, Nanos window, Nanos now, Kind kind = Kind::all) const noexcept;
    /// A player's body, of those that are known.
    bool is_player(protocol::EntityId id) const noexcept {
        const size_t at = find(id);
        return at < size_ && entities_[at].is_player;
    }
    size_t size() const noexcept { return size_; }
    /// It knows of all there are: none was left out for want of room.
    bool complete() const noexcept { return left_out_ == 0; }

private:
    /// Offsets from `origin`, in 1/32 block, rounded outward.
    using Offset = std::array<int16_t, 3>;
    struct Span {
        uint32_t from_ms;  ///< Ends where the next one starts.
        Offset min, max;
    };
    struct Entity {
        protocol::Position position{};    ///< As last sent.
        std::array<int32_t, 3> origin{};  ///< Whole blocks.
        uint32_t known_ms = 0;            ///< Spawned, or placed after a ride.
        protocol::EntityId vehicle = -1;
        std::array<Span, spans_max> spans{};  ///< Oldest first.
        uint8_t size = 0;
        bool is_player = false;
        bool rides = false;
    };

    size_t find(protocol::EntityId id) const noexcept;
    size_t room_for(const protocol::EntitySpawned& e, const protocol::Position& self) noexcept;
    static void start(Entity& entity, const protocol::Position& at, uint32_t ms) noexcept;
    static void move(Entity& entity, const protocol::Position& to, Nanos window,
                     Nanos now) noexcept;
    static Box hull(const Entity& entity, Nanos window, Nanos now) noexcept;

    std::array<protocol::EntityId, entities_max> ids_{};
    std::array<Entity, entities_max> entities_;
    uint32_t size_ = 0;
    uint32_t left_out_ = 0;
    float scale_max_ = 1;  ///< 1.20.5 on.
};

}  // namespace portcullis
