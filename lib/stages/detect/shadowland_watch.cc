#include "stages/detect/shadowland_watch.h"

#include <algorithm>

#include "base/fetch.h"
#include "stages/detect/detect.h"

namespace portcullis::stages {

namespace {

/// What a session has of entities on average; who sees more lives on who sees less.
constexpr uint32_t entities_per_session = 64;

uint32_t sessions_of(const WorkerContext& context) {
    const auto speaks = [](const config::Service& service) {
        return service.protocol == protocol::Protocol::shadowland;
    };
    const bool any = std::ranges::any_of(context.config.services, speaks);
    return any ? context.share_of(context.config.limits.players) : 0;
}

}  // namespace

ShadowlandWatch::ShadowlandWatch(WorkerContext& context, Detect& detect)
    : context_(context),
      detect_(detect),
      entities_(sessions_of(context) * entities_per_session),
      players_(sessions_of(context)),
      strangers_(std::make_unique<Account[]>(services_max)),
      nobody_(entities_),
      findings_(context.worker) {}

void ShadowlandWatch::hear(const Hearing& hearing) noexcept {
    hearing_ = hearing;
    policy_ = &context_.rules->policy_of(hearing.flow->service);
    watched_ = hearing.flow->player == Flow::none ? nullptr : &players_[hearing.flow->player];
    if (watched_ != nullptr) watched_->player.now = hearing.time;
}

void ShadowlandWatch::fetch_for(const Flow& flow, bool to_server) const noexcept {
    if (flow.player == Flow::none) return;
    const Watched& watched = players_[flow.player];
    fetch(&watched.ending, sizeof watched.ending);
    fetch(&watched.player, sizeof watched.player);
    if (to_server) watched.checks.fetch_for<shadowland::Synced>();
    if (!to_server) watched.checks.fetch_for<shadowland::Shown>();
}

void ShadowlandWatch::packet(const shadowland::PacketSeen& seen) noexcept {
    seen_ = seen;
    context_.counters.service[hearing_.flow->service].game_packets.add();
}

void ShadowlandWatch::on(const shadowland::Violation& violation) noexcept {
    if (watched_ != nullptr) {
        if (!watched_->ending) ask(violation);
        return;
    }
    strangers_checks_.deliver(violation, nobody_, policy_->shadowland(), findings_);
    if (!findings_.empty()) {
        weigh(strangers_[hearing_.flow->service], violation.innocent);
    }
}

void ShadowlandWatch::on(const shadowland::RoundTrip& trip) noexcept {
    if (watched_ != nullptr) tell(trip);
}

void ShadowlandWatch::weigh(Account& account, bool innocent) noexcept {
    // A reliable packet that does not go on stops its channel for good.
    const bool must_arrive = innocent || (seen_.header.reliable() && seen_.fresh);
    detect_.weigh({*hearing_.flow, account, hearing_.packet, hearing_.time, must_arrive},
                  findings_);
}

void ShadowlandWatch::notice(const shadowland::ConnectionAccepted&) noexcept {
    const uint32_t id = seen_.header.connection_id;
    if (watched_ != nullptr && watched_->connection_id == id) return;
    flow_ended(*hearing_.flow, verdicts::EndReason::fin, hearing_.time);
    const Pool<Watched>::Handle handle = players_.make(entities_);
    if (handle == Pool<Watched>::none) {
        context_.notice(Notice::player_pool_full);
        return;
    }
    hearing_.flow->player = handle;
    hear(hearing_);
    watched_->connection_id = id;
    watched_->identity.version = 1;
}

void ShadowlandWatch::notice(const shadowland::EnterToWorld& message) noexcept {
    if (watched_ != nullptr) watched_->identity.name.assign(message.symbol.text);
}

/// The server has let him in.
void ShadowlandWatch::notice(const shadowland::CreateEntity& message) noexcept {
    if (watched_ == nullptr || !message.self()) return;
    if (!message.symbol.text.empty()) watched_->identity.name.assign(message.symbol.text);
    detect_.joined(*hearing_.flow, *watched_, hearing_.time);
}

void ShadowlandWatch::notice(const shadowland::Disconnect&) noexcept {
    if (watched_ == nullptr) return;
    watched_->server_ended = hearing_.direction == protocol::Direction::to_client;
    session_over(*hearing_.flow, verdicts::EndReason::fin, hearing_.time);
}

void ShadowlandWatch::translate(const shadowland::SyncEntity& message) noexcept {
    const shadowland::FullFields& fields = message.fields;
    shadowland::Synced synced;
    synced.client_time_ms = message.client_time_ms;
    synced.has_position = fields.has(shadowland::delta::position);
    synced.position = shadowland::place_of(fields.position);
    synced.has_state = fields.has(shadowland::delta::flags);
    synced.state = fields.flags.state;
    judge(synced);
}

void ShadowlandWatch::translate(const shadowland::SyncEntityQuantized& message) noexcept {
    const shadowland::QuantisedFields& fields = message.fields;
    shadowland::Synced synced;
    synced.client_time_ms = message.client_time_ms;
    synced.has_state = fields.has(shadowland::delta::flags);
    synced.state = fields.flags.state;
    const shadowland::Map* map = watched_->player.map;
    if (fields.has(shadowland::delta::position) && map != nullptr) {
        const auto place = map->place(fields.quadrant, fields.position);
        if (!place) return judge(shadowland::OutOfWorld{fields.quadrant});
        synced.has_position = true;
        synced.position = *place;
        synced.step = map->step;
    }
    judge(synced);
}

void ShadowlandWatch::translate(const shadowland::ActionRequest& message) noexcept {
    shadowland::Acted acted;
    acted.request_id = message.request_id;
    acted.client_time_ms = message.client_time_ms;
    acted.action = message.action;
    acted.has_target = (message.bits & shadowland::ActionRequest::has_target) != 0;
    acted.target = message.target;
    const shadowland::Map* map = watched_->player.map;
    if ((message.bits & shadowland::ActionRequest::has_point) != 0 && map != nullptr) {
        const auto place = map->place(message.quadrant, message.point);
        if (!place) return judge(shadowland::OutOfWorld{message.quadrant});
        acted.has_point = true;
        acted.point = *place;
    }
    judge(acted);
}

void ShadowlandWatch::show(const shadowland::CreateEntity& message) noexcept {
    if (!message.self()) show(message.entity, shadowland::place_of(message.position));
}
void ShadowlandWatch::show(const shadowland::UpdateEntity& message) noexcept {
    if (message.fields.has(shadowland::delta::position)) {
        show(message.entity, shadowland::place_of(message.fields.position));
    }
}
void ShadowlandWatch::show(const shadowland::UpdateEntityQuantized& message) noexcept {
    const shadowland::Map* map = watched_->player.map;
    if (map == nullptr || !message.fields.has(shadowland::delta::position)) return;
    const auto place = map->place(message.fields.quadrant, message.fields.position);
    if (place) show(message.entity, *place);
}
void ShadowlandWatch::show(uint32_t entity, const shadowland::Place& position) noexcept {
    const shadowland::Entity* known = watched_->player.known.find(entity);
    if (known != nullptr) ask(shadowland::Shown{entity, known->type, position});
}

void ShadowlandWatch::session_over(Flow& flow, verdicts::EndReason reason, Nanos now) noexcept {
    if (flow.player != Flow::none) detect_.left(flow, players_[flow.player], reason, now);
}

void ShadowlandWatch::flow_ended(Flow& flow, verdicts::EndReason reason, Nanos now) noexcept {
    if (flow.player == Flow::none) return;
    session_over(flow, reason, now);
    players_[flow.player].player.known.forget_all();
    players_.unmake(flow.player);
    flow.player = Flow::none;
    if (hearing_.flow == &flow) watched_ = nullptr;
}

bool ShadowlandWatch::describe(const Flow& flow, PlayerReport& out) const noexcept {
    if (flow.player == Flow::none) return false;
    const Watched& watched = players_[flow.player];
    const shadowland::Player& player = watched.player;
    out.identity = watched.identity;
    out.logged_in = watched.logged_in && !watched.left;
    out.measured = player.rtt_ms > 0;
    out.latency = Nanos(static_cast<int64_t>(player.rtt_ms * 1e6));
    return true;
}

}  // namespace portcullis::stages
