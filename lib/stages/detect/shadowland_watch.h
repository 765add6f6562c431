#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <type_traits>

#include "base/pool.h"
#include "flow/flow.h"
#include "player/shadowland/map.h"
#include "player/shadowland/player.h"
#include "policy/policy.h"
#include "protocol/shadowland/decoder.h"
#include "stages/detect/account.h"
#include "stages/detect/shadowland_before.h"
#include "stages/detect/watched.h"
#include "stages/worker_context.h"

namespace portcullis::stages {

class Detect;

/// Watches the players of Shadowland for Detect: makes Events of what the decoder
/// reads, lets Player and checks hear them, and hands over what they find.
///
/// What has no session yet (forged cookies, floods of Connects) is on a service's
/// own account: who sent it is anybody's guess, and a flood of sources must not
/// cost memory.
class ShadowlandWatch {
public:
    ShadowlandWatch(WorkerContext& context, Detect& detect);

    struct Hearing {
        Flow* flow = nullptr;
        protocol::Direction direction{};
        uint8_t packet = 0;  ///< Index in the Burst.
        Nanos time{};
        shadowland::Decoder* decoder = nullptr;  ///< Makes a message of the packet harmless.
        const Packet* carrier = nullptr;         ///< That packet.
    };
    void hear(const Hearing& hearing) noexcept;
    /// What comes next went in this direction.
    void turn(protocol::Direction direction) noexcept { hearing_.direction = direction; }
    /// Before the packet changes anything: it is recorded if its player is a suspect; if he may
    /// become one by it, how he stands is put aside.  `accused`: he does, by what time brings.
    void arrives(const shadowland::Header& header, bool accused) noexcept;
    /// When all is judged: `packet` is the one that was heard.
    void judged(const Packet& packet, bool answered_right) noexcept;
    /// Goes on with a player as another process watched him.  False: no room.
    bool resume(Flow& flow, const ShadowlandSnapshot& from, Bytes entities) noexcept;

    /// Asks for the memory of a flow's player before its packet's turn.
    void fetch_for(const Flow& flow, bool to_server) const noexcept;
    /// All messages of the packet at hand, an unreliable one, are about entities that the client
    /// must not see: nothing else is lost with it.
    bool only_leaks() const noexcept {
        const bool lone = seen_.fresh && !seen_.header.reliable() && !seen_.header.control();
        return lone && messages_ > 0 && leaks_ == messages_;
    }

    void packet(const shadowland::PacketSeen& seen) noexcept;
    void on(const shadowland::Violation& violation) noexcept;
    void on(const shadowland::RoundTrip& trip) noexcept;
    void on(const shadowland::Missed& missed) noexcept;
    template <class Message>
    void on(const Message& message) noexcept {
        if (!seen_.fresh || hearing_.decoder->refuses()) return;
        ++messages_;
        refused_ = false;
        if (before_.holds()) put_aside(message);
        notice(message);
        if (watched_ == nullptr || watched_->ending) return;
        if (hearing_.direction == protocol::Direction::to_server) {
            translate(message);
        } else {
            tell(message);
            ask(message);
            show(message);
        }
    }

    void session_over(Flow& flow, verdicts::EndReason reason, Nanos now) noexcept;
    void flow_ended(Flow& flow, verdicts::EndReason reason, Nanos now) noexcept;
    bool describe(const Flow& flow, PlayerReport& out) const noexcept;
    uint32_t players() const noexcept { return players_.used(); }
    std::string_view name_of(uint32_t player) const noexcept {
        return players_[player].identity.name.view();
    }

    static constexpr size_t player_bytes = sizeof(ShadowlandWatched);

private:
    using Watched = ShadowlandWatched;

    /// What a session takes from pools, but for the entities that it sees: as many as
    /// `shadowland.entities_per_session` on average.
    static constexpr size_t session_bytes_max = 2'048;
    static_assert(sizeof(shadowland::Session) + sizeof(Watched) <= session_bytes_max);

    template <class Event>
    void ask(const Event& event) noexcept {
        watched_->checks.deliver(event, watched_->player, policy_->shadowland(), findings_);
        if (!findings_.empty()) weigh_message();
    }
    template <class Event>
    void tell(const Event& event) noexcept {
        if constexpr (requires(shadowland::Player& player) { player.on(event); }) {
            watched_->player.on(event);
        }
    }
    /// A client's message as the Event it is: checks first, then the Player, unless the
    /// message was refused: he stays where the server believes him.
    template <class Event>
    void judge(const Event& event) noexcept {
        ask(event);
        if (!watched_->ending && !refused_) tell(event);
    }
    template <class Message>
    void translate(const Message& message) noexcept {
        judge(message);
    }
    void translate(const shadowland::SyncEntity& message) noexcept;
    void translate(const shadowland::SyncEntityQuantized& message) noexcept;
    void translate(const shadowland::ActionRequest& message) noexcept;

    /// Tells the checks where the client was shown something.
    template <class Message>
    void show(const Message&) noexcept {}
    void show(const shadowland::CreateEntity& message) noexcept;
    void show(const shadowland::UpdateEntity& message) noexcept;
    void show(const shadowland::UpdateEntityQuantized& message) noexcept;
    void show(uint32_t entity, const shadowland::Place& position, shadowland::MessageKind kind,
              bool update) noexcept;
    void count_pace(shadowland::Entity& entity) noexcept;

    template <class Message>
    void notice(const Message&) noexcept {}
    void notice(const shadowland::ConnectionAccepted& message) noexcept;
    void notice(const shadowland::CreateEntity& message) noexcept;
    void notice(const shadowland::Ack& message) noexcept;
    void notice(const shadowland::Disconnect& message) noexcept;

    /// Of the packet at hand, if it came on this channel; else 0.
    uint64_t sequence_on(shadowland::Channel channel) const noexcept {
        return seen_.header.channel == channel ? seen_.header.sequence : 0;
    }
    std::optional<EvidenceRecorder::State> state_of(Flow& flow) const noexcept;
    bool spared() const noexcept;
    bool may_accuse(const shadowland::Header& header,
                    const shadowland::Session& session) const noexcept;
    void suspect() noexcept;
    template <class Message>
    void put_aside(const Message&) noexcept {
        constexpr bool sync = std::is_same_v<Message, shadowland::SyncEntity> ||
                              std::is_same_v<Message, shadowland::SyncEntityQuantized>;
        if constexpr (std::is_same_v<Message, shadowland::Fragment>) {
            if (before_.hanging().empty()) before_.forget();
        } else if (control_alone()) {
            return;
        } else if (messages_ == 1 && sync) {
            before_.put_aside_for<shadowland::Synced>(*watched_);
        } else if (messages_ == 1 && std::is_same_v<Message, shadowland::ActionRequest>) {
            before_.put_aside_for<shadowland::Acted>(*watched_);
        } else {
            before_.put_aside_all(*watched_);
        }
    }
    /// A control packet says one thing, and what the Player learns by it decides nothing in
    /// the same packet; but for fragments, which may be the last of many game messages.
    bool control_alone() const noexcept {
        return seen_.header.control() && (seen_.header.flags & shadowland::flag::fragment) == 0;
    }
    void weigh(const shadowland::Violation& violation, Account& account) noexcept;
    void weigh_message() noexcept;
    ShadowlandCounts& counts() noexcept {
        return context_.counters.shadowland[hearing_.flow->service];
    }

    WorkerContext& context_;
    Detect& detect_;
    const shadowland::Maps maps_;
    shadowland::EntityPool entities_;
    Pool<Watched> players_;
    /// By service: for what no session did.
    std::unique_ptr<Account[]> strangers_;
    shadowland::Player nobody_;
    policy::ShadowlandSet strangers_checks_;

    ShadowlandBefore before_{Watched(entities_, maps_)};
    Hearing hearing_;
    shadowland::PacketSeen seen_;
    uint32_t messages_ = 0, leaks_ = 0;  ///< Of the packet at hand.
    bool refused_ = false;               ///< The message at hand does not reach the server.
    Watched* watched_ = nullptr;
    const policy::Policy* policy_ = nullptr;
    checks::Findings findings_;
};

}  // namespace portcullis::stages
