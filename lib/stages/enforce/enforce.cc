#include "stages/enforce/enforce.h"

#include <bit>
#include <chrono>

#include <rte_mbuf.h>

#include "packet/packet_builder.h"
#include "packet/wire_order.h"

namespace portcullis::stages {
namespace {

namespace tcp = stream::tcp;
using protocol::Direction;
using verdicts::EndReason;

constexpr auto in_ms = Flow::in_ms;

bool before(uint32_t now_ms, uint32_t then_ms) noexcept {
    return static_cast<int32_t>(now_ms - then_ms) < 0;
}

/// The number after all that a segment takes.
Seq end_of(const Packet& packet) noexcept {
    return packet.segment().end() + (packet.has(tcp::fin) ? 1u : 0u);
}

/// Two NOPs and the timestamps, as RFC 7323 appendix A recommends.
std::array<std::byte, 12> timestamp_option(uint32_t value, uint32_t echo) noexcept {
    std::array<std::byte, 12> option = {std::byte{1}, std::byte{1}, std::byte{8}, std::byte{10}};
    store_be32(option.data() + 4, value);
    store_be32(option.data() + 8, echo);
    return option;
}

}  // namespace

Enforce::Enforce(WorkerContext& context) : context_(context) {}

void Enforce::process(Burst& burst) noexcept {
    for (const PendingAction& action : context_.pending.all()) act(action, burst);
    for (uint64_t missed = context_.pending.missed(); missed != 0; missed &= missed - 1) {
        fail(static_cast<size_t>(std::countr_zero(missed)), burst);
    }
    context_.pending.clear();
    see_kicks_through(burst);
    for (const Packet& packet : burst.all()) {
        if (packet.drop != DropReason::flow_dead || packet.flow == nullptr) continue;
        if (packet.is_tcp()) answer_dead(packet, burst);
    }
}

void Enforce::keep_house(Burst& burst) noexcept {
    for (const PendingAction& action : context_.pending.all()) act(action, burst);
    context_.pending.clear();
    see_kicks_through(burst);
}

void Enforce::obey(const verdicts::Order& order, Burst&) noexcept {
    using Kind = verdicts::Order::Kind;
    if (order.kind != Kind::sever && order.kind != Kind::kick) return;
    for (const uint8_t ip_protocol : {ip_protocol_tcp, ip_protocol_udp}) {
        const FlowKey key = FlowKey::of(order.client, order.server, ip_protocol);
        Flow* flow = context_.flows.find(HashedKey{key, context_.hash(key)});
        if (flow == nullptr) continue;
        PendingAction action;
        action.flow = flow;
        action.action = policy::Action::sever;
        std::array<std::byte, Kicks::message_size_max> message;
        if (order.kind == Kind::kick && context_.game != nullptr) {
            action.action = policy::Action::kick;
            const size_t size =
                context_.game->write_disconnect(*flow, order.reason.view(), message);
            action.message = Bytes(message).first(size);
        }
        context_.act(action);
    }
}

void Enforce::act(const PendingAction& action, Burst& burst) noexcept {
    Flow& flow = *action.flow;
    if (!context_.enforcing() || action.action <= policy::Action::alert) return;
    if (action.stale()) return gone_before(action.verdict, burst);
    if (flow.state == FlowState::dead || flow.kick_waiting) {
        return done(action.verdict, "the connection was being ended already", burst);
    }

    Packet* culprit = action.packet < burst.size() ? &burst[action.packet] : nullptr;
    if (culprit != nullptr && culprit->to_server()) culprit->refuse(DropReason::verdict);
    // There a message that could not be made harmless goes with its packet.
    if (!flow.is_tcp() && action.action <= policy::Action::neutralise) {
        return done(action.verdict, "dropped", burst);
    }
    refuse_rest(flow, size_t{action.packet} + 1, DropReason::verdict, burst);
    if (!flow.is_tcp()) {
        end_datagrams(action, burst);
        return;
    }
    // What the server has not got because it did not go on, it still expects.
    const Seq server_expects =
        culprit != nullptr && culprit->to_server()
            ? later(culprit->tcp.seq, flow.connection.acked(Direction::to_server))
            : flow.connection.next_seq(Direction::to_server);
    if (action.action == policy::Action::kick && !action.message.empty()) {
        begin_kick(action, server_expects, burst);
    } else {
        sever(flow, server_expects, EndReason::severed, burst);
        done(action.verdict, "severed", burst);
    }
}

void Enforce::done(const verdicts::VerdictId& verdict, std::string_view how,
                   const Burst& burst) noexcept {
    context_.report_end(verdict, verdicts::Result::done, how, burst.now);
}

/// Its action found no place.  `closed`: as if the severest had; without frames of our own,
/// for whatever the flow says next is answered with a reset.
void Enforce::fail(size_t culprit, Burst& burst) noexcept {
    context_.notice(Notice::stage_failed);
    const bool closed = context_.config.on_failure.stage == config::OnFailure::closed;
    if (!closed || !context_.enforcing()) return;
    Packet& packet = burst[culprit];
    packet.refuse(DropReason::stage_failed);
    if (packet.flow == nullptr || !packet.is_tcp()) return;
    refuse_rest(*packet.flow, culprit + 1, DropReason::stage_failed, burst);
    if (packet.flow->state == FlowState::dead) return;
    context_.retire(*packet.flow, FlowState::dead, EndReason::severed, burst.now);
}

/// What the client sent after the packet that did it does not go on either.
/// What the server sent does: its place in the client's stream is taken.
void Enforce::refuse_rest(const Flow& flow, size_t first, DropReason reason,
                          Burst& burst) noexcept {
    for (size_t i = first; i < burst.size(); ++i) {
        Packet& packet = burst[i];
        if (packet.flow == &flow && packet.to_server()) packet.refuse(reason);
    }
}

/// UDP has nothing to reset: the game's goodbye to both sides, where it can be
/// written, and silence.
void Enforce::end_datagrams(const PendingAction& action, Burst& burst) noexcept {
    Flow& flow = *action.flow;
    const bool kicked = action.action == policy::Action::kick && !action.message.empty();
    std::array<std::byte, Kicks::message_size_max> room;
    const auto say = [&](Direction to, Bytes goodbye) noexcept {
        if (goodbye.empty()) return;
        PacketBuilder frame;
        frame.udp().payload(goodbye);
        inject(flow, to, frame, burst);
    };
    if (kicked) say(Direction::to_client, action.message);
    if (context_.game != nullptr) {
        const auto written = [&](size_t size) noexcept { return Bytes(room).first(size); };
        if (!kicked) {
            say(Direction::to_client,
                written(context_.game->write_disconnect(flow, "severed", room)));
        }
        say(Direction::to_server,
            written(context_.game->write_server_disconnect(flow, "severed", room)));
    }
    context_.retire(flow, FlowState::dead, kicked ? EndReason::kicked : EndReason::severed,
                    burst.now);
    done(action.verdict, kicked ? "kicked" : "severed", burst);
}

void Enforce::sever(Flow& flow, Seq server_expects, EndReason reason, Burst& burst) noexcept {
    const Seq client_expects = flow.connection.next_seq(Direction::to_client);
    reset(flow, Direction::to_server, server_expects, client_expects, burst);
    reset(flow, Direction::to_client, client_expects, server_expects, burst);
    flow.kick_waiting = false;
    flow.moment_ms = in_ms(burst.now + answer_interval);
    context_.retire(flow, FlowState::dead, reason, burst.now);
}

void Enforce::begin_kick(const PendingAction& action, Seq server_expects, Burst& burst) noexcept {
    Kicks::Kick* kick = kicks_.add(*action.flow, action.message);
    if (kick == nullptr) {
        sever(*action.flow, server_expects, EndReason::severed, burst);
        done(action.verdict, "severed: too many are being kicked", burst);
        return;
    }
    kick->verdict = action.verdict;
    kick->server_expects = server_expects;
    kick->deadline = burst.now + kick_patience;
    action.flow->kick_waiting = true;  // Tried at the end of this very burst.
}

void Enforce::see_kicks_through(Burst& burst) noexcept {
    for (uint32_t i = 0; i < kicks_.size();) {
        Kicks::Kick& kick = kicks_[i];
        if (kick.stale() && !kick.sent) gone_before(kick.verdict, burst);
        const bool ended =
            kick.stale() || (kick.sent ? burst.now >= kick.deadline : !say_goodbye(kick, burst));
        if (ended) {
            kicks_.remove(kick);
        } else {
            ++i;
        }
    }
}

/// Sends the message if it would be read as one.  False: it will never be.
bool Enforce::say_goodbye(Kicks::Kick& kick, Burst& burst) noexcept {
    Flow& flow = *kick.flow;
    if (flow.state == FlowState::dead) {
        gone_before(kick.verdict, burst);
        return false;
    }
    const stream::Connection& connection = flow.connection;
    const Seq next = connection.next_seq(Direction::to_client);
    const bool ready = connection.inspected(Direction::to_client) &&
                       connection.at_message_boundary(Direction::to_client) &&
                       connection.highest_seq(Direction::to_client) == next &&
                       connection.window(Direction::to_client) > kick.message_size;
    if (!ready || connection.over() || !seal(kick)) {
        if (burst.now < kick.deadline && !connection.over()) return true;
        sever(flow, kick.server_expects, EndReason::severed, burst);
        done(kick.verdict, "severed: no moment came for a message", burst);
        return false;
    }
    kick.seq = next;
    kick.timestamps = connection.timestamps();
    kick.timestamp = connection.timestamp(Direction::to_client);
    kick.timestamp_echo = connection.timestamp(Direction::to_server);
    kick.sent = true;
    kick.deadline = burst.now + kick_remembered;
    send_goodbye(kick, burst);
    reset(flow, Direction::to_server, kick.server_expects, next, burst);
    flow.kick_waiting = false;
    flow.moment_ms = in_ms(burst.now + kick_linger);
    context_.retire(flow, FlowState::dead, EndReason::kicked, burst.now);
    done(kick.verdict, "kicked", burst);
    return true;
}

/// Who was to go left before it could be done.
void Enforce::gone_before(const verdicts::VerdictId& verdict, const Burst& burst) noexcept {
    context_.report_end(verdict, verdicts::Result::expired, "the connection ended first",
                        burst.now);
}

bool Enforce::seal(Kicks::Kick& kick) noexcept {
    const MutableBytes message = MutableBytes(kick.message).first(kick.message_size);
    return context_.game == nullptr || context_.game->seal(*kick.flow, message);
}

/// With a FIN rather than a RST behind it: many systems throw away what was
/// received but not read when a RST comes.
void Enforce::send_goodbye(Kicks::Kick& kick, Burst& burst) noexcept {
    const auto option = timestamp_option(kick.timestamp, kick.timestamp_echo);
    PacketBuilder frame;
    frame.tcp(kick.seq, kick.server_expects, tcp::psh | tcp::ack | tcp::fin).payload(kick.text());
    if (kick.timestamps) frame.options(option);
    kick.sent_at = burst.now;
    inject(*kick.flow, Direction::to_client, frame, burst);
}

void Enforce::answer_dead(const Packet& packet, Burst& burst) noexcept {
    if (packet.has(tcp::rst) || !packet.has(tcp::ack)) return;
    Flow& flow = *packet.flow;
    if (packet.to_server() && resend_goodbye(packet, burst)) return;
    const uint32_t now_ms = in_ms(packet.time);
    if (before(now_ms, flow.moment_ms)) return;
    flow.moment_ms = now_ms + in_ms(answer_interval);
    reset(flow, protocol::opposite(packet.direction), packet.tcp.ack, end_of(packet), burst);
}

/// True when the client is still being told why, so that no reset may hurry it.
bool Enforce::resend_goodbye(const Packet& packet, Burst& burst) noexcept {
    Kicks::Kick* kick = kicks_.size() == 0 ? nullptr : kicks_.find(*packet.flow);
    if (kick == nullptr || !kick->sent) return false;
    if (packet.tcp.ack >= kick->end()) {
        packet.flow->moment_ms = in_ms(packet.time + kick_linger);
        kicks_.remove(*kick);
        return true;
    }
    if (packet.time - kick->sent_at >= answer_interval) send_goodbye(*kick, burst);
    return true;
}

void Enforce::reset(const Flow& flow, Direction to, Seq seq, Seq ack, Burst& burst) noexcept {
    PacketBuilder frame;
    frame.tcp(seq, ack, tcp::rst | tcp::ack, 0);
    inject(flow, to, frame, burst);
}

void Enforce::inject(const Flow& flow, Direction to, PacketBuilder& frame, Burst& burst) noexcept {
    const bool to_server = to == Direction::to_server;
    frame.link(context_.links(flow).to[static_cast<size_t>(to)])
        .from(to_server ? flow.client() : flow.server())
        .to(to_server ? flow.server() : flow.client());
    context_.inject(frame, flow.wire, flow.way_out(to), burst);
}

}  // namespace portcullis::stages
