#include "stages/track/track.h"

#include <algorithm>
#include <bit>

#include "packet/headers.h"
#include "stages/detect/detect.h"

namespace portcullis::stages {
namespace {

namespace tcp = stream::tcp;
using protocol::Direction;
using verdicts::EndReason;

/// What the first packet that we see of a Flow tells about it.
void fill(Flow& flow, FlowLinks& links, const Packet& packet, uint8_t service, bool to_server,
          bool source_is_low) noexcept {
    const Direction direction = to_server ? Direction::to_server : Direction::to_client;
    flow.service = service;
    flow.wire = packet.wire;
    flow.client_is_low = to_server == source_is_low;
    flow.client_outside = to_server == (packet.side == Side::outside);
    flow.link_known_server = !to_server;
    flow.link_known_client = to_server;
    flow.last_seen = packet.time;
    flow.moment_ms = Flow::in_ms(packet.time);
    links.to[size_t(direction)] = link_header(packet);
    links.to[size_t(protocol::opposite(direction))] = links.to[size_t(direction)].reversed();
    links.began_s = static_cast<uint32_t>(to_seconds(packet.time));
}

/// Only a SYN that opens; a SYN/ACK answers one.
bool opens(const Packet& packet) noexcept {
    return (packet.tcp_flags & (tcp::syn | tcp::ack)) == tcp::syn;
}

}  // namespace

void Track::process(Burst& burst) noexcept {
    burst_ = &burst;
    context_.strangers.clear();
    size_t size = 0;
    uint64_t not_service = 0;
    const std::span<Packet> packets = burst.all();
    for (size_t i = 0; i < packets.size(); ++i) {
        Packet& packet = packets[i];
        if (!packet.alive() || packet.way == Way::pass) continue;
        if (concerns_a_service(packet) && !put_together(packet)) continue;
        std::optional<Claim> mine = claim(packet);
        if (!mine && packet.source_routed && goes_on_to_a_service(packet)) {
            context_.refuse(packet, DropReason::bad_header);
            continue;
        }
        if (!mine) {
            not_service += packet.alive() ? 1 : 0;
            packet.way = Way::pass;
            continue;
        }
        if (!sound(packet)) continue;
        mine->packet = static_cast<uint8_t>(i);
        mine->source_is_low = FlowKey::in_order(packet.source, packet.destination);
        const FlowKey key = FlowKey::of(packet.source, packet.destination, packet.ip_protocol);
        claims_[size] = *mine;
        keys_[size] = {key, context_.hash(key)};
        if (packet.is_tcp() && packet.has(tcp::syn)) {
            if (packet.tcp.options.multipath && mine->to_server) keep_to_one_way(packet);
            context_.half_open.fetch(keys_[size].hash);
            const bool asks = mine->to_server && opens(packet) && context_.detect != nullptr;
            if (asks && context_.detect->sources().counts(mine->service, packet.source.address)) {
                claims_[size].counted = true;
                sources_[size] =
                    context_.detect->sources().fetch_syn(packet.source.address, mine->service);
            }
        }
        ++size;
    }
    if (not_service > 0) context_.notice(Notice::not_service, not_service);

    context_.flows.find({keys_.data(), size}, {found_.data(), size});
    table_changed_ = false;
    opened_ = 0;
    for (size_t i = 0; i < size; ++i) {
        // A Flow that an earlier packet of this burst made or ended.
        if (table_changed_) found_[i] = context_.flows.find(keys_[i]);
        settle(packets[claims_[i].packet], claims_[i], keys_[i], found_[i]);
    }
    tell_of_opened();
}

/// Only now: what a later packet of the burst ended has no Flow any more.
void Track::tell_of_opened() noexcept {
    if (context_.detect == nullptr) return;
    for (; opened_ != 0; opened_ &= opened_ - 1) {
        const auto index = static_cast<uint8_t>(std::countr_zero(opened_));
        const Packet& packet = (*burst_)[index];
        if (packet.flow == nullptr || !packet.alive()) continue;
        SourceWatch& sources = context_.detect->sources();
        sources.count(protocol::SourceAct::connection,
                      sources.source_of(*packet.flow, index, packet.time, nullptr));
    }
}

/// Whose the packet is by its addresses; nothing if no Service is concerned.
std::optional<Track::Claim> Track::claim(Packet& packet) noexcept {
    if (!packet.has_ports) {
        refuse_fault(packet);
        return std::nullopt;
    }
    Claim claim;
    int service = context_.rules->service_at(packet.destination, packet.ip_protocol);
    if (service < 0) {
        claim.to_server = false;
        service = context_.rules->service_at(packet.source, packet.ip_protocol);
    }
    if (service < 0) return std::nullopt;
    claim.service = static_cast<uint8_t>(service);
    return claim;
}

/// Whether it is a fragment that may be a part of what a Service will read.  Only
/// the first tells the ports; addresses and protocol tell who might be meant.
bool Track::concerns_a_service(const Packet& packet) const noexcept {
    if (!packet.fragment || packet.fault != DropReason::none) return false;
    const bool transport = packet.is_tcp() || packet.is_udp() || packet.ip_version == 6;
    const policy::RuleSet& rules = *context_.rules;
    return transport &&
           (rules.serves(packet.destination.address) || rules.serves(packet.source.address));
}

/// True when the packet now is a whole datagram.
bool Track::put_together(Packet& packet) noexcept {
    context_.notice(Notice::ip_fragment);
    const bool foreign = packet.has_ports &&
                         context_.rules->service_at(packet.destination, packet.ip_protocol) < 0 &&
                         context_.rules->service_at(packet.source, packet.ip_protocol) < 0;
    const bool verifies = context_.config.checksums == config::Checksums::verify;
    if (verifies && !checksums_hold(packet)) {
        // No host takes it, so what it says of the datagram counts for nothing.
        packet.way = Way::pass;
        if (!foreign) context_.refuse(packet, DropReason::bad_checksum);
        return false;
    }
    const Fragments::Fate fate = context_.fragments.take(packet, foreign);
    // What is a fragment still its receiver puts together once more, and we do not.
    const bool nested = fate == Fragments::Fate::whole && packet.fragment;
    if (fate == Fragments::Fate::whole && !nested) return true;
    packet.way = Way::pass;
    const bool closed = context_.config.on_failure.fragments == config::OnFailure::closed;
    const bool refused = nested || fate == Fragments::Fate::contradicts ||
                         (fate == Fragments::Fate::no_room && closed);
    if (refused) context_.refuse(packet, DropReason::fragment);
    return false;
}

/// A packet whose ports nobody can read might be for a Service.  If it is broken
/// too, it is no loss to a server that has one.
void Track::refuse_fault(Packet& packet) noexcept {
    if (packet.fragment) context_.notice(Notice::ip_fragment);
    if (packet.fault == DropReason::none || packet.ip_version == 0) return;
    if (context_.rules->serves(packet.destination.address)) context_.refuse(packet, packet.fault);
}

/// What is sent by way of others says nothing of ports until it arrives, and nobody honest
/// sends it: a router that obeys would bring it to a server unread (RFC 7126 4.3, RFC 5095).
bool Track::goes_on_to_a_service(const Packet& packet) const noexcept {
    std::array<IpAddress, 128> route;
    const auto named = std::span(route).first(read_route(packet, route));
    return std::ranges::any_of(named,
                               [this](const IpAddress& a) { return context_.rules->serves(a); });
}

/// Whether the server would take it.  What it would not must not be decoded.
bool Track::sound(Packet& packet) noexcept {
    DropReason fault = packet.fault;
    const bool verifies = context_.config.checksums == config::Checksums::verify;
    if (fault == DropReason::none && verifies && !checksums_hold(packet)) {
        fault = DropReason::bad_checksum;
    }
    if (fault == DropReason::none) return true;
    context_.refuse(packet, fault);
    return false;
}

/// What several connections bring of one stream, and in which order, nobody here could put
/// together.  Both sides speak plain TCP when a SYN does not ask (RFC 8684 3.7).
void Track::keep_to_one_way(Packet& packet) noexcept {
    context_.notice(Notice::multipath);
    if (!context_.enforcing()) return;
    if (packet.put_together) {
        packet.refuse(DropReason::fragment);
    } else {
        clear_option(packet, stream::multipath_option);
    }
}

/// Whether another Worker may have its connection, so that to pass it as nobody's would show
/// a server what nobody has read: fragments and extension headers hide ports from who spreads
/// packets over Workers.  No host opens a connection so.
bool Track::astray(const Packet& packet) const noexcept {
    if (context_.config.workers < 2) return false;
    if (packet.put_together) {
        return context_.config.on_failure.fragments == config::OnFailure::closed;
    }
    return context_.spread_by_nic && packet.ip_version == 6 && packet.ip_options;
}

/// A proxy that is named as such never is: everybody behind it would be.
bool Track::shut_out(const Packet& packet, const Claim& claim) const noexcept {
    return context_.blocked.blocks(packet.source.address, packet.time) &&
           !context_.rules->service(claim.service).in_front.is_named(packet.source.address);
}

/// Where it came in, if that tells something.
SideSet Track::side_of(const Packet& packet) const noexcept {
    return context_.sides_tell ? SideSet(packet.side) : SideSet{};
}

/// Whether somebody else speaks in a server's name: what comes in on its client's side does not
/// come from it.  `clients`: the sides of the one it is for; none: not known.
bool Track::in_servers_name(const Packet& packet, const Claim& claim,
                            SideSet clients) const noexcept {
    return context_.sides_tell && !packet.to_server() &&
           sides_.leads_nowhere(claim.service, packet.wire, opposite(packet.side), clients);
}

/// A packet of a Flow, on the other side than its direction's.  True when it has been dealt with.
bool Track::crosses_over(Packet& packet, const Claim& claim, Flow& flow) noexcept {
    // A client's nobody on the client's side can bring there: the wire lies twice on its way, or
    // one of them has moved.
    if (packet.to_server()) flow.client_both_sides = true;
    if (flow.client_both_sides || flow.state == FlowState::bypass) return false;
    if (!in_servers_name(packet, claim, SideSet(flow.client_side()))) return false;
    refuse_wrong_side(packet);
    return true;
}

/// Also when it goes on, since we only observe, it changes nothing here.
void Track::refuse_wrong_side(Packet& packet) noexcept {
    context_.notice(Notice::wrong_side);
    context_.refuse(packet, DropReason::wrong_side);
}

void Track::settle(Packet& packet, const Claim& claim, const HashedKey& key, Flow* flow) noexcept {
    if (flow != nullptr && over(*flow, packet.time)) {
        // The sweep has not come by yet; what the packet meets must not hang on that.
        forget(*flow, packet.time);
        flow = nullptr;
    }
    if (flow != nullptr) {
        settle_known(packet, claim, key, *flow);
        return;
    }
    packet.direction = claim.to_server ? Direction::to_server : Direction::to_client;
    if (claim.to_server && shut_out(packet, claim)) {
        context_.refuse(packet, DropReason::blocked);
        return;
    }
    if (astray(packet)) {
        context_.notice(Notice::astray);
        packet.way = Way::pass;
        const auto reason = packet.put_together ? DropReason::fragment : DropReason::midstream;
        if (claim.to_server) context_.refuse(packet, reason);
        return;
    }
    settle_new(packet, claim, key);
}

void Track::settle_known(Packet& packet, const Claim& claim, const HashedKey& key,
                         Flow& flow) noexcept {
    const bool to_server = claim.source_is_low == flow.client_is_low;
    packet.direction = to_server ? Direction::to_server : Direction::to_client;
    if (to_server && shut_out(packet, claim)) {
        context_.refuse(packet, DropReason::blocked);
        return;
    }
    if (context_.sides_tell && packet.side == flow.way_out(packet.direction) &&
        crosses_over(packet, claim, flow)) {
        return;
    }
    if (packet.is_tcp() && (packet.has(tcp::syn) || flow.reopening) &&
        handshake_again(packet, claim, key, flow)) {
        return;
    }
    packet.flow = &flow;
    flow.last_seen = packet.time;
    if (!to_server && !flow.link_known_server) {
        flow.link_known_server = true;
        context_.flows.links(flow).to[size_t(Direction::to_client)] = link_header(packet);
    } else if (to_server && !flow.link_known_client) {
        flow.link_known_client = true;
        context_.flows.links(flow).to[size_t(Direction::to_server)] = link_header(packet);
    }
    if (flow.state == FlowState::dead) {
        context_.refuse(packet, DropReason::flow_dead);
    } else if (flow.state == FlowState::bypass) {
        packet.way = Way::pass;
    } else if (flow.kick_waiting && to_server && packet.payload_size > 0) {
        // What he still sends is not inspected any more; acknowledgements must
        // pass, or the message that his kick waits for would not end.
        context_.refuse(packet, DropReason::verdict);
    }
}

/// A second connection on the ports of one we know.  The server decides which
/// of them is real, so nothing changes before its answer is acknowledged.
/// True when the packet has been dealt with.
bool Track::handshake_again(Packet& packet, const Claim& claim, const HashedKey& key,
                            Flow& flow) noexcept {
    const bool to_server = packet.direction == Direction::to_server;
    const bool living = flow.state != FlowState::dead && flow.state != FlowState::bypass;
    // The living connection's own SYN, or the answer to it, sent again: it begins nothing,
    // or the same numbers would be decoded twice.
    if (living && packet.has(tcp::syn) &&
        flow.connection.began_at(packet.direction, packet.tcp.seq)) {
        return false;
    }
    if (to_server && opens(packet)) {
        // Ports used again and data in the SYN at once: the next SYN has none.
        if (packet.payload_size > 0) context_.refuse(packet, DropReason::no_buffer);
        if (packet.payload_size > 0) return true;
        offer_of_client(packet, claim, key.hash);
        if (!packet.alive()) return true;
        flow.reopening = true;
        if (living) return false;  // The Connection wants to see it too.
        packet.way = Way::pass;
        return true;
    }
    if (!flow.reopening) return false;
    const SideSet clients = context_.half_open.client_sides(key.hash, packet.time);
    if (!to_server && packet.has(tcp::syn)) {
        if (in_servers_name(packet, claim, clients)) {
            refuse_wrong_side(packet);
            return true;
        }
        context_.half_open.server_offers(key.hash, packet.tcp, packet.has(tcp::ack), packet.time,
                                         side_of(packet));
        packet.way = Way::pass;
        return true;
    }
    if (!to_server || !packet.has(tcp::ack) || packet.has(tcp::rst)) return false;
    const auto agreed = context_.half_open.complete(key.hash, packet.tcp);
    if (!agreed) return false;
    forget(flow, packet.time);
    begin(packet, claim, key, *agreed, clients);
    return true;
}

void Track::settle_new(Packet& packet, const Claim& claim, const HashedKey& key) noexcept {
    sides_.hear(claim.service, packet.wire, packet.side, claim.to_server);
    if (packet.is_tcp()) {
        settle_new_tcp(packet, claim, key);
    } else {
        meet(packet, claim, key);
    }
}

/// In the name of a server, for a client that we know nothing of: it leads nowhere, and tells
/// nothing.
void Track::meet_nobody(Packet& packet) noexcept {
    packet.way = Way::pass;
    context_.fail(packet, Notice::wrong_side, context_.config.on_failure.midstream,
                  DropReason::wrong_side);
}

/// Nothing is remembered of a datagram before its protocol says that there is a session.
void Track::meet(Packet& packet, const Claim& claim, const HashedKey& key) noexcept {
    if (in_servers_name(packet, claim, SideSet{})) {
        meet_nobody(packet);
        return;
    }
    Strangers::Place& place = context_.strangers.add(key);
    fill(place.flow, place.links, packet, claim.service, claim.to_server, claim.source_is_low);
    packet.flow = &place.flow;
}

void Track::settle_new_tcp(Packet& packet, const Claim& claim, const HashedKey& key) noexcept {
    if (packet.has(tcp::rst)) {
        packet.way = Way::pass;  // Not believed: the handshake may go on in spite of it.
        return;
    }
    if (claim.to_server && opens(packet)) {
        packet.way = Way::pass;
        offer_of_client(packet, claim, key.hash);
        return;
    }
    const SideSet clients = context_.half_open.client_sides(key.hash, packet.time);
    if (in_servers_name(packet, claim, clients)) {
        if (clients.empty()) {
            meet_nobody(packet);
        } else {
            refuse_wrong_side(packet);
        }
        return;
    }
    if (!claim.to_server && packet.has(tcp::syn)) {
        answer_of_server(packet, claim, key, clients);
        return;
    }
    const auto agreed = claim.to_server
                            ? context_.half_open.complete(key.hash, packet.tcp)
                            : context_.half_open.complete_by_server(key.hash, packet.tcp);
    if (agreed) {
        begin(packet, claim, key, *agreed, clients);
    } else if (claim.to_server && packet.payload_size > 0 &&
               context_.half_open.answered(key.hash)) {
        // It acknowledges no answer that we remember.  If the server remembers another, it
        // would read what nobody inspects.
        context_.refuse(packet, DropReason::out_of_window);
    } else if (!claim.to_server && context_.half_open.contains(key.hash, packet.time)) {
        // Of no connection that is being opened, so its client will not take it.
        // The handshake goes on; to call it midstream would leave it uninspected.
        packet.way = Way::pass;
    } else {
        judge_midstream(packet, claim, key);
    }
}

void Track::begin(Packet& packet, const Claim& claim, const HashedKey& key,
                  const stream::Handshake& agreed, SideSet clients) noexcept {
    if (!packet.has(tcp::syn)) context_.fast_open.give_up(key.hash);
    if (Flow* flow = make_flow(packet, claim, key)) {
        flow->connection = stream::Connection::from_handshake(agreed);
        flow->client_both_sides = clients.both();
        opened_ |= uint64_t{1} << claim.packet;
    }
}

/// A server that acknowledges a SYN's data has believed the client's cookie, and
/// answers at once (RFC 7413 4.2): there will be no handshake to wait for.
void Track::answer_of_server(Packet& packet, const Claim& claim, const HashedKey& key,
                             SideSet clients) noexcept {
    const bool has_ack = packet.has(tcp::ack);
    TcpFields answer = packet.tcp;
    const auto taken = has_ack ? context_.fast_open.taken(key.hash, answer.ack, packet.time)
                               : std::optional<FastOpen::Taken>{};
    if (taken) answer.ack = taken->isn + 1;
    context_.half_open.server_offers(key.hash, answer, has_ack, packet.time, side_of(packet));
    if (!taken) {
        packet.way = Way::pass;
        return;
    }
    answer.seq = answer.seq + 1;
    if (const auto agreed = context_.half_open.complete_by_server(key.hash, answer)) {
        begin(packet, claim, key, *agreed, clients);
        if (packet.flow != nullptr) packet.flow->early_data = true;
    }
}

/// A SYN costs a half-open entry, never more.
void Track::offer_of_client(Packet& packet, const Claim& claim, uint64_t hash) noexcept {
    if (claim.counted) {
        const auto index = static_cast<size_t>(&claim - claims_.data());
        if (context_.detect->sources().syn(packet, claim.service, sources_[index])) {
            context_.refuse(packet, DropReason::rate_limit);
            return;
        }
    }
    // What a SYN/ACK says that it took could be of either.
    if (packet.payload_size > 0 &&
        context_.half_open.offers_other(hash, packet.tcp.seq, packet.time)) {
        context_.refuse(packet, DropReason::no_buffer);
        return;
    }
    const DropReason reason =
        context_.fast_open.offer(hash, packet.tcp.seq, packet.payload(), packet.time);
    if (reason != DropReason::none) {
        context_.refuse(packet, reason);
        return;
    }
    if (context_.half_open.client_offers(hash, packet.tcp, packet.time, side_of(packet))) {
        context_.notice(Notice::half_open_evicted);
    }
}

/// Its handshake is not known.  A client's word alone makes no Flow, or a flood
/// of lone ACKs could fill the table; the server's answer does.
void Track::judge_midstream(Packet& packet, const Claim& claim, const HashedKey& key) noexcept {
    if (context_.config.on_failure.midstream == config::OnFailure::closed) {
        context_.refuse(packet, DropReason::midstream);
        return;
    }
    if (!claim.to_server) {
        if (Flow* flow = make_flow(packet, claim, key)) {
            flow->state = FlowState::bypass;
            context_.notice(Notice::midstream_flow);
        }
    }
    packet.way = Way::pass;
}

Flow* Track::make_flow(Packet& packet, const Claim& claim, const HashedKey& key) noexcept {
    Flow* flow = context_.flows.insert(key);
    if (flow == nullptr) {
        packet.way = Way::pass;
        context_.fail(packet, Notice::flow_table_full, context_.config.on_failure.flow_table,
                      DropReason::flow_table_full);
        return nullptr;
    }
    table_changed_ = true;
    context_.counters.flows_made.add();
    const Direction direction = claim.to_server ? Direction::to_server : Direction::to_client;
    fill(*flow, context_.flows.links(*flow), packet, claim.service, claim.to_server,
         claim.source_is_low);
    context_.counters.service[claim.service].flows.add();
    packet.direction = direction;
    packet.flow = flow;
    return flow;
}

bool Track::over(const Flow& flow, Nanos now) const noexcept {
    const Nanos age = now - flow.last_seen;
    if (age <= closed_linger) return false;
    if (flow.state == FlowState::dead) return age > dead_linger;
    if (flow.is_tcp() && flow.connection.closed()) return true;
    if (flow.is_tcp() && flow.connection.over()) return age > reset_linger;
    if (flow.said_goodbye) return age > reset_linger;
    return age > std::chrono::seconds(context_.config.limits.idle_timeout_s);
}

void Track::forget(Flow& flow, Nanos now) noexcept {
    // Packets of the old connection earlier in this very burst lose it, and nobody reads
    // them any more: so they do not go on.
    for (Packet& packet : burst_->all()) {
        if (packet.flow != &flow) continue;
        packet.flow = nullptr;
        context_.refuse(packet, DropReason::flow_dead);
    }
    EndReason reason = EndReason::idle;
    if (flow.is_tcp() && flow.connection.over()) {
        reason = flow.connection.closed() ? EndReason::fin : EndReason::reset;
    }
    context_.forget(flow, reason, now);
    table_changed_ = true;
}

void Track::keep_house(Burst& burst) noexcept {
    burst_ = &burst;
    const uint32_t places = context_.flows.capacity() / sweep_calls + 1;
    context_.flows.sweep(places, [&](Flow& flow) {
        if (over(flow, burst.now)) {
            forget(flow, burst.now);
        } else if (context_.detect != nullptr) {
            context_.detect->sources().look_at(flow, burst.now);
        }
    });
    context_.half_open.keep_house(burst.now);
    context_.blocked.keep_house(burst.now);
    context_.counters.flows.set(context_.flows.size());
    context_.counters.half_open.set(context_.half_open.size());
    context_.counters.stream_bytes.set(context_.streams.bytes_used());
}

void Track::obey(const verdicts::Order& order, Burst& burst) noexcept {
    if (order.kind == verdicts::Order::Kind::block) {
        context_.blocked.block(order.prefix, burst.now + order.lasts);
    } else if (order.kind == verdicts::Order::Kind::unblock) {
        context_.blocked.unblock(order.prefix);
    }
}

}  // namespace portcullis::stages
