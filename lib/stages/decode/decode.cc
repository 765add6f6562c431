#include "stages/decode/decode.h"

#include <algorithm>
#include <utility>

#include "base/fetch.h"
#include "base/memory.h"
#include "packet/headers.h"
#include "protocol/minecraft/disconnect.h"
#include "stages/detect/detect.h"
#include "stages/packet_observer.h"

namespace portcullis::stages {

namespace {

using protocol::Direction;
using protocol::Progress;

/// How far ahead of the packet being read memory is asked for.
constexpr size_t packets_ahead = 3;

minecraft::Decoder::Settings decoder_settings(const WorkerContext& context) noexcept {
    minecraft::Decoder::Settings settings;
    settings.keys_come = context.keys.capacity() > 0;
    // Below the stream's own limit, so that both directions are given up together.
    settings.ciphertext_max =
        std::min(settings.ciphertext_max, context.config.limits.stream_bytes / 2);
    return settings;
}

/// Hears a game packet and passes it on to who listens.
struct Listener {
    const Packet& packet;
    Detect* detect;
    PacketObserver* observer;
    keys::Keyring& keys;
    bool& key_asked;

    void frame(const minecraft::Frame& frame) noexcept {
        if (detect != nullptr) detect->frame(frame);
        if (observer != nullptr) observer->on_packet(*packet.flow, frame, packet.time);
    }
    template <class Event>
    void on(const Event& event) noexcept {
        if (detect != nullptr) detect->on(event);
    }
    const minecraft::Cfb8::Secret* secret() noexcept {
        const Endpoint client = packet.flow->client(), server = packet.flow->server();
        // The server learns the secret from what just goes by here, and tells it after that:
        // what a feed has told before is of an earlier connection on these ports.
        if (!std::exchange(key_asked, true)) keys.forget_live(client, server);
        return keys.take(client, server, packet.time);
    }
};

}  // namespace

Decode::Decode(WorkerContext& context)
    : context_(context),
      decoder_(decoder_settings(context)),
      conversations_(as_asked_by(
          "limits.players", context.config.limits.players,
          [&context] { return Conversations(context.share_of(context.config.limits.players)); })),
      datagrams_(as_asked_by("limits.players", context.config.limits.players,
                             [&context] { return Datagrams(context); })) {
    context.game = this;
}

void Decode::process(Burst& burst) noexcept {
    context_.trace.begin(context_.rules->packet_wishes(), burst.now);
    for (size_t i = 0; i < std::min(packets_ahead, burst.size()); ++i) fetch_for(burst[i]);
    for (size_t i = 0; i < burst.size(); ++i) {
        if (i + packets_ahead < burst.size()) fetch_for(burst[i + packets_ahead]);
        Packet& packet = burst[i];
        if (!packet.inspected()) continue;
        if (packet.flow->is_tcp()) {
            segment(packet, static_cast<uint8_t>(i));
        } else {
            datagrams_.receive(packet, static_cast<uint8_t>(i), burst);
        }
    }
}

/// What is remembered of the packet's session shall have come by the packet's turn.
void Decode::fetch_for(const Packet& packet) const noexcept {
    if (!packet.inspected() || packet.payload_size == 0) return;
    const Flow& flow = *packet.flow;
    if (flow.session == Flow::none) return;
    if (!flow.is_tcp()) return datagrams_.fetch_for(flow, packet.direction);
    fetch(&conversations_[flow.session].session, minecraft::session_hot_bytes);
    if (context_.detect != nullptr) context_.detect->fetch_for(flow, packet.to_server());
}

void Decode::segment(Packet& packet, uint8_t index) noexcept {
    if (packet.flow->early_data) early_data(packet, index);
    if (packet.flow->suspect) [[unlikely]] {
        if (const auto suspect = suspect_of(packet)) context_.evidence.packet(*suspect, packet);
    }
    const stream::Outcome outcome = packet.flow->connection.accept(
        packet.direction, packet.segment(), context_.streams,
        [&](Direction direction, Bytes in) noexcept { return feed(packet, index, direction, in); });
    settle(packet, index, outcome);
    if (packet.flow->suspect) [[unlikely]] {
        if (const auto suspect = suspect_of(packet)) context_.evidence.judged(*suspect);
    }
}

/// How things stand for who is recorded.
std::optional<EvidenceRecorder::State> Decode::suspect_of(const Packet& packet) noexcept {
    Flow& flow = *packet.flow;
    if (flow.session == Flow::none || flow.player == Flow::none || context_.detect == nullptr) {
        return std::nullopt;
    }
    return EvidenceRecorder::State(flow, conversations_[flow.session].session,
                                   context_.detect->watched(flow),
                                   context_.rules->policy_of(flow.service), packet.time);
}

/// What the SYN carried, now that the server has taken it: a segment that went by
/// before its connection was there.
void Decode::early_data(Packet& packet, uint8_t index) noexcept {
    Flow& flow = *packet.flow;
    flow.early_data = false;
    const Seq first = flow.connection.next_seq(Direction::to_server);
    const auto taken_size = static_cast<uint16_t>(packet.tcp.ack - first);
    stream::Segment segment;
    segment.seq = first;
    segment.ack = flow.connection.next_seq(Direction::to_client);
    segment.flags = stream::tcp::ack;
    segment.payload = context_.fast_open.release(context_.hash(flow.key), {first - 1, taken_size});
    const stream::Outcome outcome = flow.connection.accept(
        Direction::to_server, segment, context_.streams,
        [&](Direction direction, Bytes in) noexcept { return feed(packet, index, direction, in); });
    settle(packet, index, outcome);
}

Progress Decode::feed(Packet& packet, uint8_t index, Direction direction, Bytes in) noexcept {
    Flow& flow = *packet.flow;
    if (context_.streams_to != nullptr) {
        const uint64_t offset = flow.connection.delivered_bytes(direction) - in.size();
        context_.streams_to->on_bytes(flow, direction, offset, in);
        return {.consumed = in.size()};
    }
    Conversation* conversation = conversation_of(flow, packet.time);
    if (conversation == nullptr) {
        unread(packet, index, context_.config.on_failure.memory, DropReason::no_memory);
        return {.finished = true};
    }
    hear(packet, index, direction, in, *conversation);
    Front::Taken front;
    if (direction == Direction::to_server && !conversation->front.passed()) {
        front = take_front(packet, index, in, *conversation);
        if (front.waits) return {};
        if (front.broken) return {.finished = true};
        if (front.size > in.size()) return {in.size(), front.size - in.size()};
        if (front.size == 0) hear(packet, index, direction, in, *conversation);
    }

    PacketObserver* const observer = context_.observer_of(flow);
    decoder_.give_all_bodies(observer != nullptr);
    Listener listener{packet, context_.detect, observer, context_.keys, conversation->key_asked};
    // Whatever is decoded right behind a header is no move yet, so that nobody asks at
    // which offset in the stream it lies.
    minecraft::Session& session = conversation->session;
    Progress progress = decoder_.feed(session, direction, in.subspan(front.size), listener);
    progress.consumed += front.size;
    if (conversation->row != Conversation::Row::staying) keep_in_row(flow, *conversation);
    if (progress.finished && session.half(direction).state == minecraft::State::broken) {
        context_.notice(Notice::decoder_error);
        unread(packet, index, context_.config.on_failure.decoder, DropReason::decoder_error);
    }
    return progress;
}

void Decode::hear(Packet& packet, uint8_t index, Direction direction, Bytes in,
                  Conversation& conversation) noexcept {
    if (context_.detect == nullptr) return;
    const stream::Connection& connection = packet.flow->connection;
    context_.detect->hear({.flow = packet.flow,
                           .direction = direction,
                           .packet = index,
                           .carrier = &packet,
                           .told = &conversation.front.told,
                           .time = packet.time,
                           .version = conversation.session.version,
                           .offset = connection.delivered_bytes(direction) - in.size(),
                           .acked_bytes = connection.acked_bytes(Direction::to_client),
                           .session = conversation.front.passed() ? &conversation.session : nullptr,
                           .front = &decoder_.front(),
                           .fed = in,
                           .lies_measured = conversation.session.lies_measured});
}

Front::Taken Decode::take_front(Packet& packet, uint8_t index, Bytes in,
                                Conversation& conversation) noexcept {
    const policy::InFront& in_front = context_.rules->service(packet.flow->service).in_front;
    const Front::Taken taken = conversation.front.take(in_front, in, context_.detect);
    if (taken.broken) {
        for (minecraft::Session::Half& half : conversation.session.halves) {
            half.state = minecraft::State::broken;
        }
        context_.notice(Notice::decoder_error);
        unread(packet, index, context_.config.on_failure.decoder, DropReason::decoder_error);
    }
    return taken;
}

/// From here on nobody reads this flow.  `open` lets it pass; `closed` ends it.
void Decode::unread(Packet& packet, uint8_t index, config::OnFailure choice,
                    DropReason reason) noexcept {
    if (choice == config::OnFailure::open || !context_.enforcing()) return;
    packet.refuse(reason);
    context_.act({packet.flow, policy::Action::sever, index, {}, {}});
}

/// What became of the segment, for the packet and for the flow.
void Decode::settle(Packet& packet, uint8_t index, const stream::Outcome& outcome) noexcept {
    // What was rewritten goes on rewritten each time it is sent.
    if (!outcome.patch.empty()) {
        rewrite_payload(packet, outcome.patch_offset, outcome.patch);
        if (packet.put_together) packet.refuse(DropReason::conflicting_overlap);
    }
    if (outcome.drop != DropReason::none) not_taken(packet, outcome);
    if (outcome.retransmission) context_.notice(Notice::retransmission);
    if (outcome.out_of_order) context_.notice(Notice::out_of_order);
    if (outcome.keepalive) context_.notice(Notice::keepalive_garbage);
    if (outcome.over_limit || outcome.gap) {
        context_.notice(outcome.gap ? Notice::stream_gap : Notice::stream_limit);
        unread(packet, index, context_.config.on_failure.memory, DropReason::no_buffer);
        login_unheard(*packet.flow);
    }
    if (outcome.urgent) {
        // Hosts disagree on which byte is urgent and whether the stream holds it
        // (RFC 6093), so no decoder can read what the server will.
        context_.notice(Notice::urgent);
        const bool strips = context_.config.urgent == config::Urgent::strip;
        if (strips && context_.enforcing() && !packet.put_together) {
            clear_urgent(packet);
        } else {
            context_.refuse(packet, DropReason::urgent);
        }
    }
    if ((outcome.reset || outcome.closed) && packet.flow->session != Flow::none) {
        conversations_.move(packet.flow->session, Conversation::Row::leaving);
    }
    if (context_.detect == nullptr) return;
    if (outcome.reset || outcome.closed) {
        const auto reason = outcome.reset ? verdicts::EndReason::reset : verdicts::EndReason::fin;
        context_.detect->connection_over(*packet.flow, reason, packet.time);
    } else if (outcome.new_bytes && !packet.flow->connection.over()) {
        context_.detect->connection_goes_on(*packet.flow, packet.time);
    }
}

/// Its bytes are not the stream's.  For want of memory: `open` lets them go on, and nobody reads
/// that direction from here on; `closed` lets them wait with their sender, as TCP does.  What
/// runs ahead waits in any case: what is missing before it comes again anyway.
void Decode::not_taken(Packet& packet, const stream::Outcome& outcome) noexcept {
    if (outcome.pool_full) {
        context_.notice(Notice::stream_memory_full);
        stream::Connection& connection = packet.flow->connection;
        const stream::Segment segment = packet.segment();
        const bool ahead = segment.begin() > connection.next_seq(packet.direction);
        const bool open = context_.config.on_failure.memory == config::OnFailure::open;
        if (open && !ahead && connection.give_up(packet.direction, segment, context_.streams)) {
            return login_unheard(*packet.flow);
        }
    }
    context_.refuse(packet, outcome.drop);
}

/// What the server asks for in a login that is not heard any more, nobody knows.
void Decode::login_unheard(const Flow& flow) noexcept {
    if (flow.session == Flow::none || flow.connection.inspected(Direction::to_client)) return;
    minecraft::Session::Half& half =
        conversations_[flow.session].session.half(Direction::to_client);
    if (half.state == minecraft::State::login) half.state = minecraft::State::broken;
}

Conversation* Decode::conversation_of(Flow& flow, Nanos now) noexcept {
    if (flow.session == Flow::none) {
        Conversations::Handle handle = conversations_.make(flow);
        if (handle == Conversations::none && make_room(now)) handle = conversations_.make(flow);
        if (handle == Conversations::none) {
            context_.notice(Notice::session_pool_full);
            return nullptr;
        }
        flow.session = handle;
    }
    return &conversations_[flow.session];
}

/// Whose place is taken is not read any more, so what he says does not go on.
bool Decode::make_room(Nanos now) noexcept {
    Flow* const flow = conversations_.gives_way(now);
    if (flow == nullptr) return false;
    context_.notice(Notice::session_gave_way);
    context_.retire(*flow, context_.enforcing() ? FlowState::dead : FlowState::bypass,
                    verdicts::EndReason::idle, now);
    return true;
}

/// Of who has said that he wants to play, or goes on after a reset.
void Decode::keep_in_row(const Flow& flow, Conversation& conversation) noexcept {
    const bool said_who =
        context_.detect != nullptr
            ? flow.player != Flow::none
            : conversation.session.half(Direction::to_server).state > minecraft::State::status;
    if (said_who || conversation.row == Conversation::Row::leaving) {
        conversations_.move(flow.session, Conversation::Row::staying);
    }
}

bool Decode::resume(Flow& flow, const CapturePart& part) noexcept {
    if (!flow.is_tcp()) return datagrams_.resume(flow, part);
    Conversation* conversation = conversation_of(flow, part.snapshot.time);
    if (conversation == nullptr || context_.detect == nullptr) return false;
    conversations_.move(flow.session, Conversation::Row::staying);
    conversation->session = part.snapshot.session;
    conversation->front.resume(part.snapshot.watched.identity);
    flow.connection = part.snapshot.connection;
    for (const Direction direction : {Direction::to_server, Direction::to_client}) {
        const Bytes undecoded = part.undecoded(direction);
        if (!flow.connection.resume(direction, undecoded, context_.streams)) return false;
    }
    return context_.detect->resume(flow, part.snapshot.watched);
}

void Decode::flow_ended(Flow& flow, verdicts::EndReason reason, Nanos now) noexcept {
    if (flow.suspect) context_.evidence.flow_ended(flow);
    if (context_.detect != nullptr) context_.detect->flow_ended(flow, reason, now);
    if (!flow.is_tcp()) return datagrams_.forget(flow);
    if (flow.session != Flow::none) conversations_.unmake(flow.session);
    flow.session = Flow::none;
}

size_t Decode::write_disconnect(const Flow& flow, std::string_view reason,
                                MutableBytes out) noexcept {
    if (!flow.is_tcp()) return datagrams_.write_disconnect(flow, Direction::to_client, reason, out);
    if (flow.session == Flow::none) return 0;
    return minecraft::write_disconnect(conversations_[flow.session].session, reason, out);
}

size_t Decode::write_server_disconnect(const Flow& flow, std::string_view reason,
                                       MutableBytes out) noexcept {
    if (flow.is_tcp()) return 0;
    return datagrams_.write_disconnect(flow, Direction::to_server, reason, out);
}

bool Decode::seal(const Flow& flow, MutableBytes message) noexcept {
    if (!flow.is_tcp() || flow.session == Flow::none) return true;
    return minecraft::seal(conversations_[flow.session].session, message);
}

const verdicts::PlayerIdentity* Decode::told_of(const Flow& flow) const noexcept {
    const bool known = flow.is_tcp() && flow.session != Flow::none;
    return known ? &conversations_[flow.session].front.told : nullptr;
}

bool Decode::opaque(const Flow& flow) const noexcept {
    if (flow.session == Flow::none) return false;
    if (!flow.is_tcp()) return datagrams_.opaque(flow);
    return conversations_[flow.session].session.awaits_key();
}

protocol::LoginStage Decode::login_stage(const Flow& flow) const noexcept {
    using protocol::LoginStage;
    const bool read = context_.streams_to == nullptr && flow.is_tcp() &&
                      flow.connection.inspected(Direction::to_server);
    if (!read) return LoginStage::past;
    if (flow.session == Flow::none) return LoginStage::handshake;
    const minecraft::Session& session = conversations_[flow.session].session;
    if (session.enciphered()) return LoginStage::past;
    switch (session.half(Direction::to_server).state) {
        case minecraft::State::handshake:
            return LoginStage::handshake;
        case minecraft::State::status:
            return LoginStage::status;
        case minecraft::State::login:
            return LoginStage::login;
        case minecraft::State::framed:
            return session.login_over ? LoginStage::past : LoginStage::login;
        default:
            return LoginStage::past;
    }
}

void Decode::obey(const verdicts::Order& order, Burst& burst) noexcept {
    context_.trace.obey(order, burst.now);
}

void Decode::keep_house(Burst& burst) noexcept {
    context_.evidence.keep_house(burst.now);
    context_.counters.sessions.set(conversations_.used() + datagrams_.sessions());
}

}  // namespace portcullis::stages
