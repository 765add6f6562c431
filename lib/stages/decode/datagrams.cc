#include "stages/decode/datagrams.h"

#include <algorithm>

#include "flow/flow.h"
#include "protocol/shadowland/describe.h"
#include "stages/detect/detect.h"
#include "stages/packet_observer.h"

namespace portcullis::stages {

namespace {

using protocol::Direction;
using shadowland::Error;

shadowland::Decoder::Settings settings_for(const WorkerContext& context) {
    shadowland::Decoder::Settings settings;
    const auto speaks = [](const config::Service& service) {
        return service.protocol == protocol::Protocol::shadowland;
    };
    const bool any = std::ranges::any_of(context.config.services, speaks);
    settings.sessions = any ? context.share_of(context.config.limits.players) : 0;
    if (!any) settings.fragments = {0, 0};
    settings.tell_all = context.observer != nullptr;
    return settings;
}

/// One message as `inspect --packets` tells it: its own fields, then its packet's.
template <class Message>
class Told final : public ToldMessage {
public:
    Told(const Message* message, Direction direction, const shadowland::PacketSeen& seen,
         Error error) noexcept
        : message_(message), direction_(direction), seen_(seen), error_(error) {}

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
        visitor.close();
    }

private:
    const Message* message_;
    Direction direction_;
    const shadowland::PacketSeen& seen_;
    Error error_;
};
struct NoMessage {};

/// Hears what the decoder reads and passes it on to who listens.
struct Listener {
    const Flow& flow;
    const Packet& packet_at_hand;
    ShadowlandWatch* watch;
    PacketObserver* observer;
    shadowland::PacketSeen seen{};

    void packet(const shadowland::PacketSeen& s) noexcept {
        seen = s;
        if (watch != nullptr) watch->packet(s);
        if (s.error != Error::none || !s.opened) broken(s.error);
    }
    template <class Message>
    void on(const Message& message) noexcept {
        if (watch != nullptr) watch->on(message);
        if constexpr (requires { Message::name; }) show(&message, Error::none);
    }
    void on_form(shadowland::Form) noexcept {}
    void on_inflated(size_t) noexcept {}
    void on_whole(uint16_t, size_t) noexcept {}
    void on_broken(Error error) noexcept { broken(error); }
    void on_error(Error error) noexcept { broken(error); }

private:
    void broken(Error error) noexcept { show(static_cast<const NoMessage*>(nullptr), error); }
    template <class Message>
    void show(const Message* message, Error error) noexcept {
        if (observer == nullptr) return;
        const Told<Message> told(message, packet_at_hand.direction, seen, error);
        observer->on_message(flow, told, packet_at_hand.time);
    }
};

}  // namespace

Datagrams::Datagrams(WorkerContext& context)
    : context_(context), decoder_(settings_for(context), context.shadowland_keys) {}

void Datagrams::receive(Packet& packet, uint8_t index) noexcept {
    Flow& flow = *packet.flow;
    ShadowlandWatch* watch = context_.detect == nullptr ? nullptr : &context_.detect->shadowland();
    if (watch != nullptr) watch->hear({&flow, packet.direction, index, packet.time});
    PacketObserver* observer = context_.observer;
    if (observer == nullptr && context_.trace.on()) {
        const std::string_view name =
            context_.detect == nullptr ? std::string_view{} : context_.detect->player_of(flow);
        if (context_.trace.follow(name)) observer = &context_.trace;
    }
    Listener listener{flow, packet, watch, observer};
    shadowland::Link link{flow.client(), flow.server(), flow.session};
    const shadowland::Outcome outcome =
        decoder_.receive(link, packet.direction, packet.payload(), packet.time, listener);
    flow.session = link.session;
    if (outcome.full) context_.notice(Notice::session_pool_full);
    if (outcome.unknown) {
        context_.notice(Notice::midstream_flow);
        if (context_.config.on_failure.midstream == config::OnFailure::closed) {
            context_.refuse(packet, DropReason::midstream);
        }
    }
    if (outcome.drop) {
        context_.refuse(packet, outcome.flood ? DropReason::rate_limit : DropReason::not_believed);
    }
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

size_t Datagrams::write_disconnect(const Flow& flow, Direction to, std::string_view reason,
                                   MutableBytes out) noexcept {
    constexpr uint8_t kicked = 7;
    const shadowland::Link link{flow.client(), flow.server(), flow.session};
    return decoder_.write_disconnect(link, to, kicked, reason, out);
}

}  // namespace portcullis::stages
