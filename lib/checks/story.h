#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "checks/check.h"
#include "player/player.h"

/// For tests: tells events to one check and a Player as the stages do, at times
/// the story names.
namespace portcullis::checks {

template <class C>
class Story {
public:
    explicit Story(int32_t version, const typename C::Settings& settings = {})
        : settings_(settings) {
        player.version = version;
        player.now = 1000s;
    }

    Story& wait(Nanos span) {
        player.now += span;
        return *this;
    }
    /// A client's event: the check hears it before the Player takes it in.  The
    /// packet it came in is told first.
    template <class Event>
    Story& client(const Event& event) {
        const protocol::PacketSeen seen{.name = "", .wire_bytes = 16};
        tell(seen);
        player.on(seen);
        tell(event);
        player.on(event);
        return *this;
    }
    /// A server's events, of one packet: the Player first.
    template <class... Event>
    Story& server(const Event&... events) {
        const protocol::PacketSeen seen{.name = "", .wire_bytes = 16, .from_server = true};
        player.on(seen);
        tell(seen);
        ((player.on(events), tell(events)), ...);
        return *this;
    }

    size_t findings() const { return said.size(); }
    /// The gravest thing said so far.
    float confidence() const {
        float most = 0;
        for (const Finding& finding : said) most = std::max(most, finding.confidence);
        return most;
    }

    Player player;
    std::vector<Finding> said;

private:
    template <class Event>
    void tell(const Event& event) {
        if constexpr (Hears<C, Event>) {
            Findings findings;
            check_.on(event, player, settings_, findings);
            said.insert(said.end(), findings.begin(), findings.end());
        }
    }

    C check_;
    typename C::Settings settings_;
};

inline protocol::Move stand() { return {}; }
inline protocol::Move look(float yaw, float pitch) {
    protocol::Move move;
    move.has_rotation = true;
    move.rotation = {yaw, pitch};
    return move;
}
inline protocol::Move walk(double x, double y, double z) {
    protocol::Move move;
    move.has_position = true;
    move.on_ground = true;
    move.position = {x, y, z};
    return move;
}

/// Below it nothing is done about a finding; the default act_at_confidence.
inline constexpr float acts_at = 0.95f;

}  // namespace portcullis::checks
