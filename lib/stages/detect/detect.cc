#include "stages/detect/detect.h"

#include <algorithm>

#include "base/memory.h"
#include "packet/headers.h"
#include "protocol/minecraft/disconnect.h"
#include "protocol/minecraft/write_move.h"
#include "stages/detect/context_of.h"

namespace portcullis::stages {

namespace {

static_assert(checks::check_names.size() <= checks_max, "Counters has a place for each");

/// These end the connection, so later ones for the same player change nothing.
bool ends_connection(policy::Action action) noexcept { return action >= policy::Action::sever; }

}  // namespace

Detect::Detect(WorkerContext& context)
    : context_(context),
      players_(as_asked_by("limits.players", context.config.limits.players,
                           [&context] {
                               return decltype(players_)(
                                   context.share_of(context.config.limits.players));
                           })),
      ids_(context.worker, context.run),
      findings_(context.worker),
      shadowland_(as_asked_by("limits.players", context.config.limits.players,
                              [&] { return ShadowlandWatch(context, *this); })),
      sources_(as_asked_by("limits.sources", context.config.limits.sources,
                           [&] { return SourceWatch(context, *this); })) {
    context.detect = this;
}

void Detect::hear(const Hearing& hearing) noexcept {
    hearing_ = hearing;
    spoken_ = hearing.version != 0;
    policy_ = &context_.rules->policy_of(hearing.flow->service);
    watched_ = hearing.flow->player == Flow::none ? nullptr : &players_[hearing.flow->player];
    if (watched_ == nullptr) return;
    watched_->player.now = hearing.time;
    watched_->player.line.acked_bytes = hearing.acked_bytes;
    watched_->identity.version = watched_->player.version = hearing.version;
    if (watched_->blocks_seen != context_.blocked.blocks_made()) {
        keep_out_blocked(watched_->identity.address);
    }
}

void Detect::fetch_for(const Flow& flow, bool to_server) const noexcept {
    if (flow.player == Flow::none) return;
    const Watched& watched = players_[flow.player];
    __builtin_prefetch(&watched);
    watched.player.fetch_for(to_server);
    watched.checks.fetch_for<protocol::PacketSeen>();
    if (to_server) watched.checks.fetch_for<protocol::Move>();
}

void Detect::frame(const minecraft::Frame& frame) noexcept {
    service_counters().game_packets.add();
    frame_ = &frame;
    if (watched_ != nullptr && hearing_.direction == protocol::Direction::to_server) {
        watched_->checks.keep_fronts(policy_->at_once(context_.evidence.from()), fronts_);
    }
    if (watched_ != nullptr && hearing_.direction == protocol::Direction::to_client) {
        watched_->player.line.sent_bytes = hearing_.offset + frame.offset + frame.wire_size;
    }
    on(protocol::PacketSeen{frame.name(), frame.wire_size,
                            hearing_.direction == protocol::Direction::to_client});
}

Watched* Detect::watch() noexcept {
    if (watched_ != nullptr) return watched_;
    const Pool<Watched>::Handle handle = players_.make();
    if (handle == Pool<Watched>::none) {
        context_.notice(Notice::player_pool_full);
        return nullptr;
    }
    hearing_.flow->player = handle;
    Watched& watched = players_[handle];
    watched.identity = *hearing_.told;
    watched.blocks_seen = context_.blocked.blocks_made();
    const policy::InFront& front = in_front(*hearing_.flow);
    const bool from_proxy = front.is_proxy(hearing_.flow->client().address);
    watched.player.line.to_proxy = front.expected() && from_proxy;
    watched.player.line.believes_vivecraft = front.vivecraft();
    watched.player.line.translated = front.translates() && from_proxy;
    if (watched.identity.floodgate && front.floodgate()) {
        watched.player.is_bedrock();
    }
    hear(hearing_);
    return watched_;
}

void Detect::notice(const protocol::StatusRequested&) noexcept {
    sources_.count(protocol::SourceAct::status, source());
}

void Detect::notice(const protocol::LegacyPing&) noexcept {
    spoken_ = true;
    sources_.count(protocol::SourceAct::status, source());
}

void Detect::notice(const protocol::LoginStart& event) noexcept {
    sources_.count(protocol::SourceAct::login, source());
    if (Watched* watched = watch()) watched->identity.name.assign(event.name);
}

void Detect::notice(const protocol::LoggedIn& event) noexcept {
    Watched* watched = watch();
    if (watched == nullptr) return;
    watched->identity.name.assign(event.name);
    watched->identity.uuid = event.uuid;
    joined(*hearing_.flow, *watched, hearing_.time);
}

void Detect::joined(Flow& flow, Account& account, Nanos now) noexcept {
    if (account.logged_in) return;
    account.logged_in = true;
    flow.let_in = true;
    context_.counters.service[flow.service].logins.add();
    plays(flow, account, now);
}

void Detect::plays(const Flow& flow, const Account& account, Nanos now) noexcept {
    context_.counters.service[flow.service].players.add();
    verdicts::VerdictRecord record = record_of(flow, &account, now);
    record.kind = verdicts::VerdictRecord::Kind::login;
    context_.report(record);
}

/// Broken packets before any login are judged too: there the attacks come.
void Detect::notice(const protocol::Malformed& event) noexcept {
    context_.counters.faults[static_cast<size_t>(event.fault)].add();
    // Behind a header that is missing may stand a game all the same.
    const bool begins = event.fault != protocol::Fault::no_proxy_header;
    if (!spoken_ && !event.from_server && begins) {
        spoken_ = true;  // A connection is garbage once.
        sources_.garbage(hearing_.carrier->payload(), source());
    }
    if (event.fault == protocol::Fault::unknown_version) {
        context_.notice(Notice::unknown_version);
    }
    watch();
}

void Detect::notice(const protocol::BecameOpaque&) noexcept {
    context_.notice(Notice::opaque_flow);
    hearing_.flow->let_in = true;
    verdicts::VerdictRecord record = record_of(*hearing_.flow, watched_, hearing_.time);
    record.kind = verdicts::VerdictRecord::Kind::opaque;
    context_.report(record);
}

void Detect::notice(const protocol::Disconnected&) noexcept {
    if (watched_ != nullptr) watched_->server_ended = true;
}

/// His packets are recorded from here on.  A finding that is the first one may be
/// acted on at once, so everything is taken as it was before this frame: what checks
/// hear of it comes before the Player does, and what they have changed is put back.
void Detect::suspect() noexcept {
    EvidenceRecorder& evidence = context_.evidence;
    Flow& flow = *hearing_.flow;
    if (!evidence.on()) return;
    if (flow.suspect) return evidence.found(flow, hearing_.time);
    const verdicts::PlayerIdentity& identity = watched_->identity;
    const IpAddress address = identity.address_or(flow.client().address);
    if (policy_->exempts({identity.name.view(), identity.uuid, address, identity.version})) return;
    const bool from_client = hearing_.direction == protocol::Direction::to_server;
    if (!from_client || hearing_.session == nullptr) return evidence.suspect(flow, hearing_.time);

    Watched before = *watched_;
    // Of what is no frame at all nobody has heard before.
    if (hearing_.front->wire_size > 0) {
        before.checks.put_back(policy_->at_once(evidence.from()), fronts_);
    }
    minecraft::Session session = *hearing_.session;
    session.half(hearing_.direction).state = hearing_.front->state;
    session.lies_measured = hearing_.lies_measured;
    evidence.suspect({{flow, *hearing_.session, before, *policy_, hearing_.time},
                      *hearing_.carrier,
                      hearing_.fed,
                      *hearing_.front,
                      session});
}

/// Verdicts that do enough are stored with the packets that they came from.
void Detect::prove(const Decision& decision) noexcept {
    EvidenceRecorder& evidence = context_.evidence;
    const bool wanted = decision.weighed.record && decision.weighed.acts &&
                        decision.weighed.action >= evidence.from();
    if (!wanted || !evidence.on() || decision.flow == nullptr) return;
    const Flow& flow = *decision.flow;
    // Of a datagram that is nobody's there is nothing to prove it by.
    const bool nobodys = !flow.is_tcp() && flow.player == Flow::none;
    if (!nobodys) evidence.owe(flow, decision.record);
}

bool Detect::resume(Flow& flow, const Watched& watched) noexcept {
    const Pool<Watched>::Handle handle = players_.make();
    if (handle == Pool<Watched>::none) return false;
    players_[handle] = watched;
    flow.player = handle;
    if (watched.logged_in && !watched.left) {
        context_.counters.service[flow.service].players.add();
    }
    return true;
}

void Detect::weigh(const Culprit& culprit, checks::Findings& findings) noexcept {
    (void)weigh({.flow = &culprit.flow,
                 .service = culprit.flow.service,
                 .client = culprit.flow.client(),
                 .server = culprit.flow.server(),
                 .account = culprit.account,
                 .packet = culprit.packet,
                 .time = culprit.time,
                 .must_arrive = culprit.must_arrive,
                 .most = culprit.anybody ? policy::Action::drop : policy::Action::block,
                 .provable = culprit.provable},
                findings);
}

policy::Action Detect::weigh(const Accused& accused, checks::Findings& findings) noexcept {
    Account& account = accused.account;
    const policy::Policy& policy = context_.rules->policy_of(accused.service);
    const IpAddress address = account.identity.address_or(accused.client.address);
    const policy::Subject subject{account.identity.name.view(), account.identity.uuid, address,
                                  account.identity.version};
    policy::Action gravest = policy::Action::log;
    if (findings.lost() > 0) context_.notice(Notice::findings_lost, findings.lost());
    for (const checks::Finding& finding : findings) {
        context_.counters.findings[finding.check].add();
        policy::Weighed weighed = account.tally.weigh(finding, policy, subject, accused.time);
        weighed.action = std::min(weighed.action, accused.most);
        const bool carried_out = weighed.acts && weighed.action > policy::Action::alert;
        if (carried_out) gravest = std::max(gravest, weighed.action);
        if (!weighed.record && !carried_out) continue;
        if (decisions_size_ == verdicts_max) {
            context_.notice(Notice::findings_lost);
            context_.pending.miss(accused.packet);
            continue;
        }
        verdicts::VerdictRecord record =
            record_of(accused.service, accused.client, accused.server, &account, accused.time);
        record.kind = verdicts::VerdictRecord::Kind::verdict;
        record.source_bits = accused.source_bits;
        record.action = weighed.action;
        record.check = finding.check;
        record.acts = weighed.acts;
        record.confidence = finding.confidence;
        record.level = weighed.level;
        record.repeats = weighed.repeats;
        record.observed = finding.evidence.observed;
        record.limit = finding.evidence.limit;
        record.unit.assign(finding.evidence.unit);
        record.note.assign(finding.evidence.note);
        const bool ends = ends_connection(weighed.action);
        decisions_[decisions_size_++] = {.flow = accused.flow,
                                         .packet = accused.packet,
                                         .weighed = weighed,
                                         .left_alone = accused.must_arrive && !ends,
                                         .record = record};
        if (accused.provable) prove(decisions_[decisions_size_ - 1]);
        if (carried_out && ends && context_.enforcing()) {
            account.ending = true;
            break;
        }
    }
    findings.clear();
    return gravest;
}

/// Rewrites a move that goes by to where the server believes the player is.
bool Detect::set_back(const protocol::Move& claimed) noexcept {
    const Player& player = watched_->player;
    const Packet& culprit = *hearing_.carrier;
    if (!player.placed() || frame_->body_offset == 0) return false;
    if (!culprit.to_server() || culprit.put_together) return false;
    protocol::Move harmless = claimed;
    harmless.position = player.position();
    harmless.rotation = player.rotation();
    std::array<std::byte, minecraft::move_fields_size_max> fields;
    const size_t size = minecraft::write_move(*frame_, claimed, harmless, fields);
    if (size == 0) return false;

    const protocol::Direction to_server = protocol::Direction::to_server;
    stream::Connection& connection = hearing_.flow->connection;
    const Seq at = connection.offered_seq(to_server) + static_cast<uint32_t>(frame_->body_offset);
    const Bytes bytes = Bytes(fields).first(size);
    if (!connection.rewrite(to_server, at, bytes, context_.streams)) return false;
    Packet& carrier = *hearing_.carrier;
    rewrite_payload(carrier, static_cast<uint32_t>(at - carrier.tcp.seq), bytes);
    set_back_ = harmless;
    return true;
}

void Detect::process(Burst&) noexcept {
    for (size_t i = 0; i < decisions_size_; ++i) decide(decisions_[i]);
    decisions_size_ = 0;
}

void Detect::decide(const Decision& decision) noexcept {
    const policy::Action action = decision.record.action;
    context_.counters.service[decision.record.service].verdicts.add();
    if (decision.weighed.record) context_.report(decision.record);
    if (!decision.weighed.acts) return;
    context_.counters.actions[static_cast<size_t>(action)].add();
    if (action <= policy::Action::alert || !context_.enforcing()) return;
    verdicts::VerdictId id;
    if (decision.weighed.record) id = {decision.record.id_high, decision.record.id_low};
    if (decision.left_alone) {
        return context_.report_end(id, verdicts::Result::failed,
                                   "the packet has to arrive: nothing was done",
                                   decision.record.time);
    }
    if (decision.done) {
        return context_.report_end(id, verdicts::Result::done, "made harmless",
                                   decision.record.time);
    }
    if (decision.flow == nullptr) {  // A SYN's source: they are dropped where they come in.
        return context_.report_end(id, verdicts::Result::done, "SYNs over the rate are dropped",
                                   decision.record.time);
    }

    const bool otherwise = decision.instead != policy::Action::log;
    PendingAction pending{
        decision.flow, otherwise ? decision.instead : action, decision.packet, {}, id};
    std::array<std::byte, minecraft::disconnect_size_max> message;
    if (action == policy::Action::kick && context_.game != nullptr) {
        const policy::Policy& policy = context_.rules->policy_of(decision.flow->service);
        const auto reason = policy.reason(checks::check_names[decision.record.check],
                                          decision.record.player.name.view());
        const size_t size = context_.game->write_disconnect(*decision.flow, reason.view(), message);
        pending.message = Bytes(message).first(size);
    }
    if (context_.act(pending)) return;
    context_.report_end(id, verdicts::Result::failed, "too much to do at once",
                        decision.record.time);
}

void Detect::left(Flow& flow, Account& account, verdicts::EndReason reason, Nanos now) noexcept {
    if (!account.logged_in || account.left) return;
    account.left = true;
    verdicts::VerdictRecord record = record_of(flow, &account, now);
    record.kind = verdicts::VerdictRecord::Kind::disconnect;
    const bool server_did = account.server_ended && reason == verdicts::EndReason::fin;
    record.end = server_did ? verdicts::EndReason::server_disconnect : reason;
    context_.report(record);
    Count& playing = context_.counters.service[flow.service].players;
    playing.set(playing.get() - 1);
}

/// A reset that its receiver did not take.  Once is enough: the next is told when the
/// Flow is forgotten, or whoever sends them at will could fill the log.
void Detect::came_back(Flow& flow, Nanos now) noexcept {
    Watched& watched = players_[flow.player];
    if (watched.came_back) return;
    watched.left = false;
    watched.came_back = true;
    plays(flow, watched, now);
}

void Detect::connection_over(Flow& flow, verdicts::EndReason reason, Nanos now) noexcept {
    if (!flow.is_tcp()) return shadowland_.session_over(flow, reason, now);
    if (flow.player == Flow::none) return;
    Watched& watched = players_[flow.player];
    if (reason == verdicts::EndReason::reset && watched.came_back) return;
    left(flow, watched, reason, now);
}

void Detect::flow_ended(Flow& flow, verdicts::EndReason reason, Nanos now) noexcept {
    if (!flow.is_tcp()) return shadowland_.flow_ended(flow, reason, now);
    if (flow.player == Flow::none) return;
    left(flow, players_[flow.player], reason, now);
    players_.unmake(flow.player);
    flow.player = Flow::none;
    if (hearing_.flow == &flow) watched_ = nullptr;
}

bool Detect::describe(const Flow& flow, PlayerReport& out) const noexcept {
    if (!flow.is_tcp()) return shadowland_.describe(flow, out);
    if (flow.player == Flow::none) return false;
    const Watched& watched = players_[flow.player];
    const Player& player = watched.player;
    out.identity = watched.identity;
    out.logged_in = watched.logged_in && !watched.left;
    out.measured = player.trips().measured();
    if (out.measured) out.latency = player.latency_min();
    return true;
}

std::string_view Detect::player_of(const Flow& flow) const noexcept {
    if (flow.player == Flow::none) return {};
    return flow.is_tcp() ? players_[flow.player].identity.name.view()
                         : shadowland_.name_of(flow.player);
}

void Detect::keep_house(Burst& burst) noexcept {
    process(burst);  // What track's sweep has found.
    sources_.keep_house(burst.now);
    context_.counters.players.set(players_.used() + shadowland_.players());
}

void Detect::obey(const verdicts::Order& order, Burst&) noexcept {
    if (order.kind != verdicts::Order::Kind::describe) return;
    const FlowKey key = FlowKey::of(order.client, order.server, ip_protocol_tcp);
    const Flow* flow = context_.flows.find(HashedKey{key, context_.hash(key)});
    if (flow == nullptr || flow->player == Flow::none) return;
    verdicts::PlayerContext context = context_of(players_[flow->player].player);
    context.client = order.client;
    context.server = order.server;
    // A full ring is no loss: who asked gives up and may ask again.
    (void)context_.contexts.push(context);
}

verdicts::VerdictRecord Detect::record_of(const Flow& flow, const Account* account,
                                          Nanos time) noexcept {
    return record_of(flow.service, flow.client(), flow.server(), account, time);
}

verdicts::VerdictRecord Detect::record_of(uint8_t service, const Endpoint& client,
                                          const Endpoint& server, const Account* account,
                                          Nanos time) noexcept {
    verdicts::VerdictRecord record;
    record.protocol = context_.rules->service(service).protocol;
    record.mode = context_.rules->mode();
    record.service = service;
    record.worker = context_.worker;
    const verdicts::VerdictId id = ids_.next(time + context_.wall_step);
    record.id_high = id.high;
    record.id_low = id.low;
    record.time = time;
    const policy::InFront& front = context_.rules->service(service).in_front;
    record.through_proxy = front.expected() && front.is_proxy(client.address);
    record.client = client;
    record.server = server;
    if (account != nullptr) {
        record.player = account->identity;
        record.in_game = account->logged_in;
    }
    return record;
}

Counters::PerService& Detect::service_counters() noexcept {
    return context_.counters.service[hearing_.flow->service];
}

}  // namespace portcullis::stages
