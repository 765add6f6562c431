#include "stages/detect/shadowland_watch.h"

#include <algorithm>
#include <cstring>

#include "base/fetch.h"
#include "stages/detect/detect.h"

namespace portcullis::stages {

ShadowlandWatch::ShadowlandWatch(WorkerContext& context, Detect& detect)
    : context_(context),
      detect_(detect),
      maps_(context.config.shadowland),
      entities_(context.shadowland_sessions() * context.config.shadowland.entities_per_session),
      players_(context.shadowland_sessions()),
      strangers_(std::make_unique<Account[]>(services_max)),
      nobody_(entities_, maps_),
      findings_(context.worker) {}

void ShadowlandWatch::hear(const Hearing& hearing) noexcept {
    hearing_ = hearing;
    policy_ = &context_.rules->policy_of(hearing.flow->service);
    before_.forget();
    watched_ = hearing.flow->player == Flow::none ? nullptr : &players_[hearing.flow->player];
    if (watched_ != nullptr) watched_->player.now = hearing.time;
}

// ---- Evidence ----

/// Nothing: there is no session that he plays in.
std::optional<EvidenceRecorder::State> ShadowlandWatch::state_of(Flow& flow) const noexcept {
    if (flow.session == Flow::none || flow.player == Flow::none) return std::nullopt;
    const shadowland::Session& session = hearing_.decoder->session(flow.session);
    const Watched& watched = players_[flow.player];
    if (session.connection_id != watched.connection_id) return std::nullopt;
    return EvidenceRecorder::State(
        flow, {session, watched, *hearing_.decoder, context_.rules->service(flow.service)},
        context_.rules->policy_of(flow.service), hearing_.time);
}

bool ShadowlandWatch::spared() const noexcept {
    const verdicts::PlayerIdentity& identity = watched_->identity;
    return policy_->exempts(
        {identity.name.view(), identity.uuid, hearing_.flow->client().address, identity.version});
}

/// Whether something may be found by such a packet.  What servers say of the game accuses
/// nobody; that they say it again and again may.
bool ShadowlandWatch::may_accuse(const shadowland::Header& header,
                                 const shadowland::Session& session) const noexcept {
    using Place = shadowland::ReplayWindow::Place;
    if (hearing_.direction == protocol::Direction::to_server || header.control()) return true;
    if (!header.reliable()) return false;
    const shadowland::Half& half = session.halves[shadowland::index_of(hearing_.direction)];
    return half.window(header.channel).look(header.sequence, true) != Place::fresh;
}

void ShadowlandWatch::arrives(const shadowland::Header& header, bool accused) noexcept {
    EvidenceRecorder& evidence = context_.evidence;
    if (watched_ == nullptr || !evidence.on()) return;
    const shadowland::Session& session = *hearing_.decoder->session_at_hand();
    if (session.connection_id != watched_->connection_id) return;
    if (hearing_.flow->suspect)
        return evidence.packet(*state_of(*hearing_.flow), *hearing_.carrier);
    if (watched_->ending || policy_->shadowland_at_once(evidence.from()).none()) return;
    if (accused) {
        if (!spared()) evidence.suspect(*state_of(*hearing_.flow), *hearing_.carrier);
    } else if (may_accuse(header, session)) {
        before_.put_aside(session, header, hearing_.direction, *hearing_.decoder);
    }
}

void ShadowlandWatch::judged(const Packet& packet, bool answered_right) noexcept {
    Flow& flow = *packet.flow;
    if (!flow.suspect) return;
    if (answered_right) context_.evidence.answered_right(flow);
    if (const auto state = state_of(flow)) context_.evidence.judged(*state);
}

/// His packets are recorded from here on; from this one on if how he stood before it is known.
void ShadowlandWatch::suspect() noexcept {
    EvidenceRecorder& evidence = context_.evidence;
    Flow& flow = *hearing_.flow;
    if (!evidence.on() || watched_ == nullptr) return;
    if (flow.suspect) return evidence.found(flow, hearing_.time);
    if (spared()) return;
    if (!before_.holds()) return evidence.suspect(flow, hearing_.time);
    shadowland::Session session = *hearing_.decoder->session_at_hand();
    Watched watched = *watched_;
    before_.put_back(session, watched);
    evidence.suspect({flow,
                      {session, watched, *hearing_.decoder, context_.rules->service(flow.service),
                       before_.hanging()},
                      *policy_,
                      hearing_.time},
                     *hearing_.carrier);
    before_.forget();
}

bool ShadowlandWatch::resume(Flow& flow, const ShadowlandSnapshot& from, Bytes entities) noexcept {
    const Pool<Watched>::Handle handle = players_.make(entities_, maps_);
    if (handle == Pool<Watched>::none) return false;
    Watched& watched = players_[handle];
    watched = from.player();
    watched.player.move_in(entities_, maps_, from.has_map ? maps_.find(from.map) : nullptr);
    for (; entities.size() >= sizeof(shadowland::Entity);
         entities = entities.subspan(sizeof(shadowland::Entity))) {
        shadowland::Entity was;
        std::memcpy(&was, entities.data(), sizeof was);
        shadowland::Entity* entity = watched.player.known.make(was.id);
        if (entity == nullptr) return false;
        was.next = entity->next;
        *entity = was;
    }
    flow.player = handle;
    if (watched.logged_in && !watched.left) {
        context_.counters.service[flow.service].players.add();
    }
    return true;
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
    messages_ = leaks_ = 0;
    if (watched_ != nullptr && hearing_.direction == protocol::Direction::to_client) {
        watched_->player.sequence = seen.header.sequence;
        watched_->player.channel = seen.header.channel;
    }
    context_.counters.service[hearing_.flow->service].game_packets.add();
}

void ShadowlandWatch::on(const shadowland::Violation& violation) noexcept {
    // Or whoever knows an address puts findings on its player.
    if (watched_ == nullptr || !violation.proven) {
        strangers_checks_.deliver(violation, nobody_, policy_->shadowland(), findings_);
        return weigh(violation, strangers_[hearing_.flow->service]);
    }
    if (watched_->ending) return;
    watched_->checks.deliver(violation, watched_->player, policy_->shadowland(), findings_);
    weigh(violation, *watched_);
}

void ShadowlandWatch::on(const shadowland::RoundTrip& trip) noexcept {
    if (watched_ != nullptr) tell(trip);
}

/// From here on what he may do is not known, until the server says it again.
void ShadowlandWatch::on(const shadowland::Missed& missed) noexcept {
    if (watched_ == nullptr) return;
    ask(missed);
    tell(missed);
    if (missed.reliable) context_.notice(Notice::map_unknown);
}

/// What the packet itself broke: the decoder has dropped it, or made it harmless where its
/// receiver would choke on the gap, or knows that its receiver throws it away.
void ShadowlandWatch::weigh(const shadowland::Violation& violation, Account& account) noexcept {
    if (findings_.empty()) return;
    if (&account == watched_ && !violation.by_others) suspect();
    const bool must_arrive = violation.innocent || (seen_.header.reliable() && seen_.fresh);
    detect_.weigh({.flow = *hearing_.flow,
                   .account = account,
                   .packet = hearing_.packet,
                   .time = hearing_.time,
                   .must_arrive = must_arrive,
                   .anybody = &account != watched_,
                   .provable = &account == watched_ && !violation.by_others},
                  findings_);
}

/// What a message broke of the game's rules.  Dropped with its packet if nothing hangs on
/// that; else it alone goes on as a Nop; else the session ends.
void ShadowlandWatch::weigh_message() noexcept {
    const bool from_client = hearing_.direction == protocol::Direction::to_server;
    if (from_client) suspect();  // Nobody is one for what his server shows him.
    const bool reliable = seen_.header.reliable();
    const auto make_harmless = [&]() noexcept { return hearing_.decoder->make_harmless(); };
    refused_ |= detect_.weigh_datagram({.flow = *hearing_.flow,
                                        .account = *watched_,
                                        .packet = hearing_.packet,
                                        .time = hearing_.time,
                                        .must_arrive = !from_client},
                                       findings_, reliable, make_harmless);
}

void ShadowlandWatch::notice(const shadowland::ConnectionAccepted& message) noexcept {
    const uint32_t id = seen_.header.connection_id;
    const shadowland::Session* session = hearing_.decoder->session_at_hand();
    if (session == nullptr || session->connection_id != id) return;
    const bool same = watched_ != nullptr && watched_->connection_id == id;
    if (same && !hearing_.decoder->begins()) return;
    flow_ended(*hearing_.flow, verdicts::EndReason::fin, hearing_.time);
    const Pool<Watched>::Handle handle = players_.make(entities_, maps_);
    if (handle == Pool<Watched>::none) {
        context_.notice(Notice::player_pool_full);
        return;
    }
    hearing_.flow->player = handle;
    hear(hearing_);
    watched_->connection_id = id;
    watched_->tick_rate = message.tick_rate;
    watched_->identity.version = 1;
}

/// The server has let him in, and says who he is: what he says himself may be anybody's name.
void ShadowlandWatch::notice(const shadowland::CreateEntity& message) noexcept {
    if (watched_ == nullptr || !message.self()) return;
    if (!message.symbol.text.empty()) watched_->identity.name.assign(message.symbol.text);
    detect_.joined(*hearing_.flow, *watched_, hearing_.time);
    if (maps_.find(message.map) == nullptr) context_.notice(Notice::map_unknown);
}

void ShadowlandWatch::notice(const shadowland::Ack& message) noexcept {
    const bool of_client = hearing_.direction == protocol::Direction::to_server;
    const shadowland::Session* session = hearing_.decoder->session_at_hand();
    if (watched_ == nullptr || session == nullptr || !of_client) return;
    const auto channel = static_cast<shadowland::Channel>(message.channel);
    tell(shadowland::Delivered{channel, session->delivered(channel)});
}

void ShadowlandWatch::notice(const shadowland::Disconnect&) noexcept {
    if (watched_ == nullptr) return;
    watched_->server_ended = hearing_.direction == protocol::Direction::to_client;
    session_over(*hearing_.flow, verdicts::EndReason::fin, hearing_.time);
}

void ShadowlandWatch::translate(const shadowland::SyncEntity& message) noexcept {
    if (!watched_->player.in_world) return;
    const shadowland::FullFields& fields = message.fields;
    shadowland::Synced synced;
    synced.client_time_ms = message.client_time_ms;
    synced.sequence = sequence_on(shadowland::Channel::unreliable);
    synced.has_position = fields.has(shadowland::delta::position);
    synced.position = shadowland::place_of(fields.position);
    const shadowland::Map* map = watched_->player.map;
    if (synced.has_position && map != nullptr && !map->holds(synced.position)) {
        if (!watched_->player.arriving(message.client_time_ms)) {
            return judge(shadowland::OutOfWorld{});
        }
        synced.has_position = false;
    }
    synced.has_state = fields.has(shadowland::delta::flags);
    synced.state = fields.flags.state;
    judge(synced);
}

void ShadowlandWatch::translate(const shadowland::SyncEntityQuantized& message) noexcept {
    if (!watched_->player.in_world) return;
    const shadowland::QuantisedFields& fields = message.fields;
    shadowland::Synced synced;
    synced.client_time_ms = message.client_time_ms;
    synced.sequence = sequence_on(shadowland::Channel::unreliable);
    synced.has_state = fields.has(shadowland::delta::flags);
    synced.state = fields.flags.state;
    const shadowland::Map* map = watched_->player.map;
    if (fields.has(shadowland::delta::position) && map != nullptr) {
        const auto place = map->place(fields.quadrant, fields.position);
        if (!place && !watched_->player.arriving(message.client_time_ms)) {
            return judge(shadowland::OutOfWorld{fields.quadrant});
        }
        synced.has_position = place.has_value();
        if (place) synced.position = *place;
        synced.step = map->step;
    }
    judge(synced);
}

void ShadowlandWatch::translate(const shadowland::ActionRequest& message) noexcept {
    if (!watched_->player.in_world) return;
    shadowland::Acted acted;
    acted.request_id = message.request_id;
    acted.client_time_ms = message.client_time_ms;
    acted.sequence = sequence_on(shadowland::Channel::reliable_ordered);
    acted.action = message.action;
    acted.has_target = (message.bits & shadowland::ActionRequest::has_target) != 0;
    acted.target = message.target;
    const shadowland::Map* map = watched_->player.map;
    if ((message.bits & shadowland::ActionRequest::has_point) != 0 && map != nullptr) {
        const auto place = map->place(message.quadrant, message.point);
        if (!place && !watched_->player.arriving(message.client_time_ms)) {
            return judge(shadowland::OutOfWorld{message.quadrant});
        }
        acted.has_point = place.has_value();
        if (place) acted.point = *place;
    }
    judge(acted);
}

void ShadowlandWatch::show(const shadowland::CreateEntity& message) noexcept {
    if (message.self()) return;
    show(message.entity, shadowland::place_of(message.position),
         shadowland::MessageKind::create_entity, false);
}
void ShadowlandWatch::show(const shadowland::UpdateEntity& message) noexcept {
    if (message.fields.has(shadowland::delta::position)) {
        show(message.entity, shadowland::place_of(message.fields.position),
             shadowland::MessageKind::update_entity, true);
    }
}
void ShadowlandWatch::show(const shadowland::UpdateEntityQuantized& message) noexcept {
    const shadowland::Map* map = watched_->player.map;
    if (map == nullptr || !message.fields.has(shadowland::delta::position)) return;
    const auto place = map->place(message.fields.quadrant, message.fields.position);
    if (!place) return;
    show(message.entity, *place, shadowland::MessageKind::update_entity_quantized, true);
}
void ShadowlandWatch::show(uint32_t entity, const shadowland::Place& position,
                           shadowland::MessageKind kind, bool update) noexcept {
    shadowland::Entity* known = watched_->player.known.find(entity);
    if (known == nullptr) return;
    if (update) count_pace(*known);
    const shadowland::Shown shown{entity, known->type, position};
    watched_->checks.deliver(shown, watched_->player, policy_->shadowland(), findings_);
    if (findings_.empty()) return;
    ++leaks_;
    counts().wasted_bytes[static_cast<size_t>(kind)].add(hearing_.decoder->message().size());
    weigh_message();
}

/// How often the server tells of it: its rates adapt to how it moves and how far away it is.
void ShadowlandWatch::count_pace(shadowland::Entity& entity) noexcept {
    using shadowland::SyncPace;
    const shadowland::Player& player = watched_->player;
    const auto second = static_cast<uint16_t>(
        std::chrono::duration_cast<std::chrono::seconds>(hearing_.time).count());
    if (second != entity.second) entity.updates = 0;
    entity.second = second;
    if (entity.updates < UINT8_MAX) ++entity.updates;
    const uint32_t usual = watched_->tick_rate;
    SyncPace pace = SyncPace::stationary;
    if (entity.moved) {
        const bool far = player.placed && entity.type < shadowland::interest_distance.size() &&
                         (entity.place() - player.position).length() >
                             shadowland::interest_distance[entity.type] / 2;
        pace = far ? SyncPace::distant : SyncPace::moving;
    }
    if (entity.updates > usual + (usual + 9) / 10) pace = SyncPace::excess;
    counts().paces[static_cast<size_t>(pace)].add();
}

void ShadowlandWatch::session_over(Flow& flow, verdicts::EndReason reason, Nanos now) noexcept {
    if (flow.player != Flow::none) detect_.left(flow, players_[flow.player], reason, now);
}

void ShadowlandWatch::flow_ended(Flow& flow, verdicts::EndReason reason, Nanos now) noexcept {
    if (flow.player == Flow::none) return;
    if (flow.suspect) context_.evidence.flow_ended(flow);
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
    out.latency = Nanos(static_cast<int64_t>(double(player.rtt_ms) * 1e6));
    return true;
}

}  // namespace portcullis::stages
