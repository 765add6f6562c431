#pragma once

#include <cstdint>
#include <memory>
#include <type_traits>

#include "base/pool.h"
#include "flow/flow.h"
#include "player/shadowland/player.h"
#include "policy/policy.h"
#include "stages/detect/account.h"
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
    };
    void hear(const Hearing& hearing) noexcept;
    /// Asks for the memory of a flow's player before its packet's turn.
    void fetch_for(const Flow& flow, bool to_server) const noexcept;

    void packet(const shadowland::PacketSeen& seen) noexcept;
    void on(const shadowland::Violation& violation) noexcept;
    void on(const shadowland::RoundTrip& trip) noexcept;
    template <class Message>
    void on(const Message& message) noexcept {
        if (!seen_.fresh) return;
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

private:
    struct Watched : Account {
        explicit Watched(shadowland::EntityPool& pool) noexcept : player(pool) {}
        shadowland::Player player;
        policy::ShadowlandSet checks;
        uint32_t connection_id = 0;
    };

public:
    static constexpr size_t player_bytes = sizeof(Watched);

private:
    template <class Event>
    void ask(const Event& event) noexcept {
        watched_->checks.deliver(event, watched_->player, policy_->shadowland(), findings_);
        if (!findings_.empty()) weigh(*watched_);
    }
    template <class Event>
    void tell(const Event& event) noexcept {
        if constexpr (requires(shadowland::Player& player) { player.on(event); }) {
            watched_->player.on(event);
        }
    }
    /// A client's message as the Event it is: checks first, then the Player.
    template <class Event>
    void judge(const Event& event) noexcept {
        ask(event);
        if (!watched_->ending) tell(event);
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
    void show(uint32_t entity, const shadowland::Place& position) noexcept;

    template <class Message>
    void notice(const Message&) noexcept {}
    void notice(const shadowland::ConnectionAccepted& message) noexcept;
    void notice(const shadowland::EnterToWorld& message) noexcept;
    void notice(const shadowland::CreateEntity& message) noexcept;
    void notice(const shadowland::Disconnect& message) noexcept;

    void weigh(Account& account, bool innocent = false) noexcept;

    WorkerContext& context_;
    Detect& detect_;
    shadowland::EntityPool entities_;
    Pool<Watched> players_;
    /// By service: for what no session did.
    std::unique_ptr<Account[]> strangers_;
    shadowland::Player nobody_;
    policy::ShadowlandSet strangers_checks_;

    Hearing hearing_;
    shadowland::PacketSeen seen_;
    Watched* watched_ = nullptr;
    const policy::Policy* policy_ = nullptr;
    checks::Findings findings_;
};

}  // namespace portcullis::stages
