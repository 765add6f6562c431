#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <type_traits>

#include "base/pool.h"
#include "packet/burst.h"
#include "policy/policy.h"
#include "policy/tally.h"
#include "protocol/minecraft/frame.h"
#include "protocol/proxy/header.h"
#include "records/id.h"
#include "records/record.h"
#include "stages/detect/account.h"
#include "stages/detect/shadowland_watch.h"
#include "stages/detect/source_watch.h"
#include "stages/detect/watched.h"
#include "stages/stage.h"
#include "stages/worker_context.h"

namespace portcullis::stages {

/// Findings become Verdicts.
///
/// While decode reads a packet it tells Detect every Event at once: Checks and
/// Player hear it (the client's events: Checks first, the server's: Player
/// first), and what the policy makes of their Findings is put down.  When the
/// stage's own turn comes, once a Burst, it writes those Verdicts to Control and
/// hands the actions to enforce.  So Events need never be stored, and texts in
/// them never copied.
class Detect final : public Stage {
public:
    static constexpr size_t verdicts_max = 256;  ///< In one Burst.

    explicit Detect(WorkerContext& context);

    /// Whose events come next, and by which packet.
    struct Hearing {
        Flow* flow = nullptr;
        protocol::Direction direction{};
        uint8_t packet = 0;         ///< Index in the Burst.
        Packet* carrier = nullptr;  ///< That packet: its bytes may be made harmless.
        verdicts::PlayerIdentity* told =
            nullptr;  ///< Where to keep what is said of him before there is a player.
        Nanos time{};
        int32_t version = 0;       ///< The session's protocol number; 0 before its handshake.
        uint64_t offset = 0;       ///< In the stream of this direction, of the bytes decode feeds.
        uint64_t acked_bytes = 0;  ///< Of the stream to the client, by the client's TCP.
        // Only for a first finding:
        const minecraft::Session* session = nullptr;
        const minecraft::Frame* front = nullptr;  ///< Whose events are being told, or its fault.
        Bytes fed;                                ///< What the decoder reads now.
        uint8_t lies_measured = 0;                ///< As the session said before.
    };
    void hear(const Hearing& hearing) noexcept;
    /// Asks the memory for what hearing of this flow will need.
    void fetch_for(const Flow& flow, bool to_server) const noexcept;

    void frame(const minecraft::Frame& frame) noexcept;
    /// A balancer in front says who connected to it.
    void proxy_header(const proxy::Header& header) noexcept;

    template <class Event>
    void on(const Event& event) noexcept {
        notice(event);
        if (watched_ == nullptr || watched_->ending) return;
        if (hearing_.direction == protocol::Direction::to_server) {
            ask(event);
            tell_harmless(event);
        } else {
            tell(event);
            ask(event);
        }
    }

    /// What watches the players of Shadowland.
    ShadowlandWatch& shadowland() noexcept { return shadowland_; }
    /// What watches where connections come from.
    SourceWatch& sources() noexcept { return sources_; }
    /// The name given on this flow; empty: none yet.
    std::string_view player_of(const Flow& flow) const noexcept;

    // For whoever watches players: what is the same in all games.

    /// Who did what the findings say, and with which packet.
    struct Culprit {
        Flow& flow;
        Account& account;
        uint8_t packet = 0;
        Nanos time{};
        bool must_arrive = false;  ///< The packet can not be dropped without ending the session.
        bool anybody = false;      ///< Nothing says who sent it: no more than the packet suffers.
        bool provable = true;      ///< By what the flow's packets show.
    };
    /// Makes Decisions of the findings and clears them.
    void weigh(const Culprit& culprit, checks::Findings& findings) noexcept;

    /// The same of a source of connections, of which there need be none yet.
    struct Accused {
        Flow* flow;  ///< What ends for it; may be null.
        uint8_t service;
        Endpoint client, server;
        Account& account;
        uint8_t packet;
        Nanos time;
        bool must_arrive = false;
        uint8_t source_bits = 128;  ///< Of the client's address, that it is about.
        policy::Action most = policy::Action::block;  ///< What may be done at the most.
        bool provable = true;                         ///< By what the flow's packets show.
    };
    /// The gravest that is carried out; `log` if nothing is.
    policy::Action weigh(const Accused& accused, checks::Findings& findings) noexcept;
    /// The same for a message of a datagram: `make_harmless()` says whether it will go on as
    /// one that does nothing.  True: the message does not reach its receiver.
    template <class MakeHarmless>
    bool weigh_datagram(const Culprit& culprit, checks::Findings& findings, bool reliable,
                        MakeHarmless&& make_harmless) noexcept {
        const size_t first = decisions_size_;
        weigh(culprit, findings);
        if (!context_.enforcing() || culprit.must_arrive) return false;
        bool refused = false;
        for (size_t i = first; i < decisions_size_; ++i) {
            Decision& decision = decisions_[i];
            const policy::Action action = decision.record.action;
            if (!decision.weighed.acts || action < policy::Action::drop) continue;
            refused = true;
            if (action > policy::Action::neutralise) continue;
            // An unreliable packet is lost without harm, but so is what else is in it.
            if (action == policy::Action::drop && !reliable) continue;
            decision.done = make_harmless();
            if (decision.done) continue;
            context_.notice(Notice::not_neutralised);
            decision.instead = reliable ? policy::Action::sever : policy::Action::drop;
            culprit.account.ending |= reliable;
        }
        return refused;
    }
    /// He is in the game, and Control is told.
    void joined(Flow& flow, Account& account, Nanos now) noexcept;
    void left(Flow& flow, Account& account, verdicts::EndReason reason, Nanos now) noexcept;

    /// What is known of the player on this Flow, for who asks; false: there is none.
    bool describe(const Flow& flow, PlayerReport& out) const noexcept;
    /// Who plays on a Flow that has a player.
    const Watched& watched(const Flow& flow) const noexcept { return players_[flow.player]; }
    /// Goes on with one whom another process watched.  False: no room.
    bool resume(Flow& flow, const Watched& watched) noexcept;

    /// Something new came on this TCP Flow: who was told to have left by a reset has not.
    void connection_goes_on(Flow& flow, Nanos now) noexcept {
        if (flow.player != Flow::none && players_[flow.player].left) came_back(flow, now);
    }
    /// Nothing more comes on this Flow: a player on it has left.
    void connection_over(Flow& flow, verdicts::EndReason reason, Nanos now) noexcept;
    /// The Flow is forgotten.
    void flow_ended(Flow& flow, verdicts::EndReason reason, Nanos now) noexcept;

    void process(Burst& burst) noexcept override;
    void keep_house(Burst& burst) noexcept override;
    void obey(const verdicts::Order& order, Burst& burst) noexcept override;

private:
    struct Decision {
        Flow* flow;
        uint8_t packet;
        policy::Weighed weighed;
        bool done = false;        ///< The game packet was made harmless: nothing is left to do.
        bool left_alone = false;  ///< It goes on, for the session would not survive its loss.
        policy::Action instead = policy::Action::log;  ///< Of what can not be done; `log`: it can.
        verdicts::VerdictRecord record;
    };

    template <class Event>
    void ask(const Event& event) noexcept {
        watched_->checks.deliver(event, watched_->player, policy_->minecraft(), findings_);
        if (findings_.empty()) return;
        suspect();
        const size_t first = decisions_size_;
        weigh({*hearing_.flow, *watched_, hearing_.packet, hearing_.time}, findings_);
        disarm(first, event);
    }
    /// What is to be dropped from a TCP stream goes on harmless, or all ends: a
    /// segment that does not go on is only sent again.
    template <class Event>
    void disarm(size_t first, const Event& event) noexcept {
        if (!context_.enforcing() || !hearing_.flow->is_tcp()) return;
        for (size_t i = first; i < decisions_size_; ++i) {
            Decision& decision = decisions_[i];
            const policy::Action action = decision.record.action;
            const bool wanted =
                action == policy::Action::drop || action == policy::Action::neutralise;
            if (!wanted || !decision.weighed.acts) continue;
            decision.done = set_back_.has_value() || set_back(event);
            context_.notice(decision.done ? Notice::neutralised : Notice::not_neutralised);
            if (!decision.done) watched_->ending = true;
        }
    }
    template <class Event>
    bool set_back(const Event&) noexcept {
        return false;
    }
    bool set_back(const protocol::Move& claimed) noexcept;
    /// The Player is who the server believes him to be.
    template <class Event>
    void tell_harmless(const Event& event) noexcept {
        if constexpr (std::is_same_v<Event, protocol::Move>) {
            if (set_back_) {
                tell(*set_back_);
                set_back_.reset();
                return;
            }
        }
        tell(event);
    }
    template <class Event>
    void tell(const Event& event) noexcept {
        if constexpr (requires(Player& player) { player.on(event); }) watched_->player.on(event);
    }

    // What the stage itself must know of an event.
    template <class Event>
    void notice(const Event&) noexcept {}
    void notice(const protocol::Handshake& event) noexcept;
    void notice(const protocol::StatusRequested& event) noexcept;
    void notice(const protocol::LegacyPing& event) noexcept;
    void notice(const protocol::IdentityForwarded& event) noexcept;
    void notice(const protocol::ForwardingDeclined& event) noexcept;
    void notice(const protocol::LoginStart& event) noexcept;
    void notice(const protocol::LoggedIn& event) noexcept;
    void notice(const protocol::Malformed& event) noexcept;
    void notice(const protocol::BecameOpaque& event) noexcept;
    void notice(const protocol::Disconnected& event) noexcept;

    const policy::InFront& in_front(const Flow& flow) const noexcept {
        return context_.rules->service(flow.service).in_front;
    }
    /// Nothing: it is believed.
    std::optional<protocol::ForwardingRefused::Why> doubt(
        const protocol::IdentityForwarded& said) const noexcept;
    std::array<verdicts::PlayerIdentity*, 2> identities() noexcept;
    void refuse_forwarding(protocol::ForwardingRefused::Why why) noexcept;
    void believe(const IpAddress& address) noexcept;
    void keep_out_blocked(const IpAddress& address) noexcept;

    void plays(const Flow& flow, const Account& account, Nanos now) noexcept;
    void came_back(Flow& flow, Nanos now) noexcept;
    Watched* watch() noexcept;
    void suspect() noexcept;
    void prove(const Decision& decision) noexcept;
    void decide(const Decision& decision) noexcept;
    verdicts::VerdictRecord record_of(const Flow& flow, const Account* account,
                                      Nanos time) noexcept;
    verdicts::VerdictRecord record_of(uint8_t service, const Endpoint& client,
                                      const Endpoint& server, const Account* account,
                                      Nanos time) noexcept;
    SourceWatch::Source source() const noexcept {
        return sources_.source_of(*hearing_.flow, hearing_.packet, hearing_.time, hearing_.told);
    }
    Counters::PerService& service_counters() noexcept;

    WorkerContext& context_;
    Pool<Watched> players_;
    verdicts::IdSource ids_;

    Hearing hearing_;
    Watched* watched_ = nullptr;  ///< The player of `hearing_.flow`, once there is one.
    const policy::Policy* policy_ = nullptr;
    const minecraft::Frame* frame_ = nullptr;  ///< Whose events are being told.
    std::optional<protocol::Move> set_back_;   ///< What went on in place of the move being told.
    checks::Findings findings_;
    /// Of the checks that may act on a first finding, as they were before this frame.
    policy::MinecraftSet::Fronts fronts_;
    std::array<Decision, verdicts_max> decisions_;
    size_t decisions_size_ = 0;
    ShadowlandWatch shadowland_;
    SourceWatch sources_;
    bool spoken_ = false;  ///< What comes next is not a connection's first words.
};

}  // namespace portcullis::stages
