#include "stages/decode/datagrams.h"

#include <algorithm>
#include <array>

#include <rte_mbuf.h>

#include "base/names.h"
#include "flow/flow.h"
#include "packet/headers.h"
#include "packet/packet_builder.h"
#include "protocol/shadowland/describe.h"
#include "stages/decode/bandwidth.h"
#include "stages/detect/detect.h"
#include "stages/packet_observer.h"

namespace portcullis::stages {

namespace {

using protocol::Direction;
using shadowland::Error;
using shadowland::Fault;
using shadowland::MessageKind;

shadowland::Decoder::Settings settings_for(const WorkerContext& context) {
    shadowland::Decoder::Settings settings;
    settings.sessions = context.shadowland_sessions();
    if (settings.sessions == 0) settings.fragments = {0, 0};
    // As many as some hundred sessions begin with in a second or two.
    constexpr uint32_t kept_max = 4'096;
    settings.kept_max = context.shadowland_keys.capacity() == 0 ? 0 : kept_max;
    settings.tell_all = context.observer != nullptr;
    settings.secret = context.secret;
    const config::Shadowland& limits = context.config.shadowland;
    // Each Worker takes its part of what all may; whom an address belongs to it can not know.
    settings.connects.per_s = std::max(1.0, double(limits.connects_per_s) / context.config.workers);
    settings.connects.source_per_s = limits.source_connects_per_s;
    settings.connects.source_packets_per_s = limits.source_packets_per_s;
    settings.session_packets_per_s = limits.session_packets_per_s;
    return settings;
}

/// The word for a packet that does not go on because of a Fault.
struct Dropped {
    Fault fault{};
    DropReason reason{};
};

// In the order of Fault.  What a receiver takes in spite of it has no word of its own.
constexpr std::array<Dropped, static_cast<size_t>(Fault::count)> drop_reasons = {{
    {Fault::header_invalid, DropReason::header_invalid},
    {Fault::crc_bad, DropReason::crc_bad},
    {Fault::cookie_forged, DropReason::cookie_forged},
    {Fault::cookie_expired, DropReason::cookie_expired},
    {Fault::session_hijack, DropReason::session_hijack},
    {Fault::crypto_downgrade, DropReason::crypto_downgrade},
    {Fault::crypto_forged, DropReason::crypto_forged},
    {Fault::replay_window, DropReason::replay_window},
    {Fault::message_malformed, DropReason::message_malformed},
    {Fault::message_direction, DropReason::message_direction},
    {Fault::rekey_invalid, DropReason::verdict},
    {Fault::reliable_abuse, DropReason::verdict},
    {Fault::fragments_invalid, DropReason::fragments_invalid},
    {Fault::fragments_overlap, DropReason::fragments_overlap},
    {Fault::fragments_flood, DropReason::fragments_flood},
    {Fault::fragments_timeout, DropReason::verdict},
    {Fault::compression_bomb, DropReason::compression_bomb},
    {Fault::compression_malformed, DropReason::compression_malformed},
    {Fault::heartbeat_missing, DropReason::verdict},
    {Fault::heartbeat_forged, DropReason::verdict},
    {Fault::integrity_failed, DropReason::verdict},
    {Fault::rate_flood, DropReason::rate_limit},
    {Fault::handshake_flood, DropReason::rate_limit},
}};
static_assert(in_order(drop_reasons, &Dropped::fault),
              "a Fault lacks its row, or has it elsewhere");

DropReason reason_of(const shadowland::Outcome& outcome) noexcept {
    if (!outcome.answer.empty()) return DropReason::answered;
    const bool unknown = outcome.error == Error::type && outcome.why == Fault::message_malformed;
    if (unknown) return DropReason::message_unknown;
    return drop_reasons[static_cast<size_t>(outcome.why)].reason;
}

/// What a message came in.
struct Around {
    shadowland::Form form = shadowland::Form::count;  ///< `count`: a control packet.
    size_t original_size = 0;                         ///< 0: it was not compressed.
    bool whole = false;                               ///< Put together of fragments.
    uint16_t fragment_id = 0;
};

/// One message as `inspect --packets` tells it: its own fields, then its packet's.
template <class Message>
class Told final : public ToldMessage {
public:
    Told(const Message* message, Direction direction, const shadowland::PacketSeen& seen,
         const Around& around, Error error) noexcept
        : message_(message), direction_(direction), seen_(seen), around_(around), error_(error) {}

    Direction direction() const noexcept override { return direction_; }
    std::string_view state() const noexcept override {
        return seen_.header.control() ? "control" : "game";
    }
    std::string_view name() const noexcept override {
        if constexpr (requires { Message::name; }) return Message::name;
        return error_ == Error::none ? "Sealed" : "Broken";
    }
    void describe(protocol::FieldVisitor& visitor) const override {
        if constexpr (requires { Message::name; }) {
            shadowland::describe(*message_, direction_, visitor);
        }
        if (error_ != Error::none) visitor.field("error", name_in(shadowland::error_names, error_));
        visitor.open("packet", false);
        if (seen_.error != Error::size) shadowland::describe(seen_.header, visitor);
        if (seen_.header.encrypted() && seen_.opened) {
            visitor.field("epoch", uint64_t{seen_.epoch});
        }
        visitor.field("size", uint64_t{seen_.size});
        visitor.field("fresh", seen_.fresh);
        if (around_.form != shadowland::Form::count) {
            visitor.field("form", name_in(shadowland::form_names, around_.form));
        }
        if (around_.original_size > 0) {
            visitor.field("original_size", uint64_t{around_.original_size});
        }
        if (around_.whole) visitor.field("fragment_id", uint64_t{around_.fragment_id});
        visitor.close();
    }

private:
    const Message* message_;
    Direction direction_;
    const shadowland::PacketSeen& seen_;
    const Around& around_;
    Error error_;
};
struct NoMessage {};

/// Hears what the decoder reads, counts it, and passes it on to who listens.
struct Listener {
    const Flow& flow;
    const Packet& packet_at_hand;
    Direction direction;  ///< The packet's, but for what waited for a key.
    const shadowland::Decoder& decoder;
    ShadowlandCounts& counts;
    ShadowlandWatch* watch;
    PacketObserver* observer;
    shadowland::PacketSeen seen{};
    Around around{};
    uint32_t messages = 0;         ///< Of the datagram.
    uint32_t set_size = 0;         ///< Of the fragments at hand, put together.
    size_t spared_by_packing = 0;  ///< Not yet counted for the message that it belongs to.

    void arrives(const shadowland::Header& header, bool accused) noexcept {
        if (watch != nullptr) watch->arrives(header, accused);
    }
    void packet(const shadowland::PacketSeen& s) noexcept {
        seen = s;
        around = {};
        messages = 0;
        if (watch != nullptr) watch->packet(s);
        if (!s.opened) count(MessageKind::sealed, s.size, 0, 0);
        if (s.error != Error::none || !s.opened) broken(s.error);
    }
    template <class Message>
    void on(const Message& message) noexcept {
        if constexpr (requires { Message::name; }) {
            if (seen.fresh) count(message);
            ++messages;
        }
        if (watch != nullptr) watch->on(message);
        if constexpr (requires { Message::name; }) show(&message, Error::none);
    }
    void on(const shadowland::RoundTrip& trip) noexcept {
        counts.round_trips.add();
        counts.round_trip_us.add(static_cast<uint64_t>(trip.ms * 1e3));
        if (watch != nullptr) watch->on(trip);
    }
    void turn(Direction to) noexcept {
        direction = to;
        if (watch != nullptr) watch->turn(to);
    }
    void on_form(shadowland::Form form) noexcept { around.form = form; }
    void on_inflated(size_t size) noexcept {
        around.original_size = size;
        spare(size, seen.size - shadowland::header_size - seen.header.trailer_size());
    }
    void on_whole(uint16_t id, size_t original) noexcept {
        around.whole = true;
        around.fragment_id = id;
        around.original_size = original;
        if (original > 0) spare(original, set_size);
        messages = 0;
    }
    void on_broken(Error error) noexcept { broken(error); }
    void on_error(Error error) noexcept { broken(error); }

private:
    void spare(size_t original, size_t compressed) noexcept {
        spared_by_packing = original > compressed ? original - compressed : 0;
    }
    template <class Message>
    void count(const Message& message) noexcept {
        const size_t size = decoder.message().size();
        size_t saved = bandwidth::saved_by(message, size) + spared_by_packing;
        spared_by_packing = 0;
        // In company it needs no header and no trailer of its own, but a length.
        if (messages > 0) {
            saved += bandwidth::ip_and_udp_size + shadowland::header_size +
                     seen.header.trailer_size() - 2;
        }
        if constexpr (std::is_same_v<Message, shadowland::Fragment>) set_size = message.total_size;
        count(shadowland::kind_of<Message>(), size, saved, bandwidth::wasted_by(message));
    }
    void count(MessageKind kind, size_t size, size_t saved, size_t wasted) noexcept {
        const auto i = static_cast<size_t>(kind);
        counts.messages[i].add();
        counts.bytes[i].add(size);
        if (saved > 0) counts.saved_bytes[i].add(saved);
        if (wasted > 0) counts.wasted_bytes[i].add(wasted);
    }
    void broken(Error error) noexcept { show(static_cast<const NoMessage*>(nullptr), error); }
    template <class Message>
    void show(const Message* message, Error error) noexcept {
        if (observer == nullptr) return;
        const Told<Message> told(message, direction, seen, around, error);
        observer->on_message(flow, told, packet_at_hand.time);
    }
};

}  // namespace

Datagrams::Datagrams(WorkerContext& context)
    : context_(context), decoder_(settings_for(context), context.shadowland_keys) {}

void Datagrams::receive(Packet& packet, uint8_t index, Burst& burst) noexcept {
    context_.reunite(packet);
    Flow& flow = *packet.flow;
    const policy::RuleSet::Service& service = context_.rules->service(flow.service);
    ShadowlandWatch* watch = context_.detect == nullptr ? nullptr : &context_.detect->shadowland();
    if (watch != nullptr) {
        watch->hear({.flow = &flow,
                     .direction = packet.direction,
                     .packet = index,
                     .time = packet.time,
                     .decoder = &decoder_,
                     .carrier = &packet});
    }
    PacketObserver* const observer = context_.observer_of(flow);
    Listener listener{.flow = flow,
                      .packet_at_hand = packet,
                      .direction = packet.direction,
                      .decoder = decoder_,
                      .counts = context_.counters.shadowland[flow.service],
                      .watch = watch,
                      .observer = observer};
    shadowland::Link link{.client = flow.client(),
                          .server = flow.server(),
                          .session = flow.session,
                          .service = flow.service,
                          .pass_unknown = service.unknown_types == config::UnknownTypes::pass,
                          .reseal = service.reseal};
    const shadowland::Outcome outcome =
        decoder_.receive(link, packet.direction, packet.payload(), packet.time, listener);
    flow.session = link.session;
    if (outcome.ended) flow.said_goodbye = true;
    if (outcome.begun) flow.said_goodbye = false;
    count(packet, outcome);
    if (outcome.begun) remember(packet);
    const config::Failures& choices = context_.config.on_failure;
    if (outcome.full) {
        context_.fail(packet, Notice::session_pool_full, choices.memory, DropReason::no_memory);
    }
    if (outcome.no_room) {
        context_.fail(packet, Notice::stream_memory_full, choices.memory, DropReason::no_buffer);
    }
    if (outcome.unknown) {
        context_.fail(packet, Notice::midstream_flow, choices.midstream, DropReason::midstream);
    }
    if (outcome.opaque) context_.notice(Notice::opaque_flow);
    if (!outcome.answer.empty() && context_.enforcing()) answer(packet, outcome.answer, burst);
    settle(packet, outcome, service, watch);
    if (watch != nullptr) watch->judged(packet, outcome.answered_right);
}

/// A session has begun: from here on its Flow is in the table.
void Datagrams::remember(Packet& packet) noexcept {
    Flow* flow = context_.adopt(*packet.flow);
    if (flow != nullptr) {
        packet.flow = flow;
        return;
    }
    context_.fail(packet, Notice::flow_table_full, context_.config.on_failure.flow_table,
                  DropReason::flow_table_full);
    if (context_.game != nullptr) {
        context_.game->flow_ended(*packet.flow, verdicts::EndReason::idle, packet.time);
    }
}

/// What becomes of the packet.
void Datagrams::settle(Packet& packet, const shadowland::Outcome& outcome,
                       const policy::RuleSet::Service& service, ShadowlandWatch* watch) noexcept {
    if (outcome.drop) {
        return context_.refuse(packet, reason_of(outcome));
    }
    const bool leaks = watch != nullptr && service.aoi == config::Aoi::enforced &&
                       packet.direction == Direction::to_client && watch->only_leaks();
    if (leaks) return context_.refuse(packet, DropReason::out_of_interest);
    if (!outcome.rewritten || !context_.enforcing()) return;
    std::array<std::byte, shadowland::datagram_size_max> changed;
    const size_t size = decoder_.rewrite(changed);
    if (size == 0 || packet.put_together) {
        context_.notice(Notice::not_neutralised);
        return context_.refuse(packet, DropReason::message_malformed);
    }
    rewrite_payload(packet, 0, Bytes(changed).first(size));
    context_.notice(Notice::neutralised);
}

/// Back to where it came from, as the server would have sent it.
void Datagrams::answer(const Packet& packet, Bytes answer, Burst& burst) noexcept {
    PacketBuilder frame;
    frame.link(link_header(packet).reversed())
        .from(packet.destination)
        .to(packet.source)
        .udp()
        .payload(answer);
    context_.inject(frame, packet.wire, packet.side, burst);
}

void Datagrams::count(const Packet& packet, const shadowland::Outcome& outcome) noexcept {
    using shadowland::ConnectFate, shadowland::DatagramFate;
    ShadowlandCounts& counts = context_.counters.shadowland[packet.flow->service];
    if (outcome.connect != ConnectFate::count) {
        counts.connects[static_cast<size_t>(outcome.connect)].add();
    }
    if (outcome.fate != DatagramFate::count) {
        auto& fates = counts.datagrams[shadowland::index_of(packet.direction)];
        fates[static_cast<size_t>(outcome.fate)].add();
        if (outcome.lost > 0) fates[static_cast<size_t>(DatagramFate::lost)].add(outcome.lost);
        if (outcome.fate != DatagramFate::arrived) {
            const auto kind = static_cast<size_t>(decoder_.kind());
            counts.wasted_bytes[kind].add(packet.payload_size);
        }
    }
    if (outcome.epoch_changed) counts.epochs.add();
    if (outcome.begun) counts.sessions_begun.add();
}

void Datagrams::fetch_for(const Flow& flow, Direction direction) const noexcept {
    decoder_.fetch(flow.session, direction);
    if (context_.detect != nullptr)
        context_.detect->shadowland().fetch_for(flow, direction == Direction::to_server);
}

void Datagrams::forget(Flow& flow) noexcept {
    shadowland::Link link{flow.client(), flow.server(), flow.session};
    decoder_.forget(link);
    flow.session = Flow::none;
}

bool Datagrams::resume(Flow& flow, const CapturePart& part) noexcept {
    const ShadowlandSnapshot& from = part.snapshot.shadowland;
    const Bytes kept = part.undecoded(Direction::to_server);
    const size_t entities = from.entities * sizeof(shadowland::Entity);
    if (context_.detect == nullptr || kept.size() < entities) return false;
    shadowland::Link link{
        .client = flow.client(), .server = flow.server(), .service = flow.service};
    if (!decoder_.resume(link, from.session, kept.subspan(entities))) return false;
    flow.session = link.session;
    return context_.detect->shadowland().resume(flow, from, kept.first(entities));
}

size_t Datagrams::write_disconnect(const Flow& flow, Direction to, std::string_view reason,
                                   MutableBytes out) noexcept {
    constexpr auto kicked = static_cast<uint8_t>(shadowland::DisconnectReason::kicked);
    const shadowland::Link link{flow.client(), flow.server(), flow.session};
    return decoder_.write_disconnect(link, to, kicked, reason, out);
}

}  // namespace portcullis::stages
