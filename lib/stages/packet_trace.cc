#include "stages/packet_trace.h"

#include <algorithm>

#include "flow/flow.h"
#include "protocol/minecraft/describe.h"
#include "stages/bounded_json.h"
#include "stages/counters.h"

namespace portcullis::stages {

using verdicts::Order;

void PacketTrace::obey(const Order& order, Nanos now) noexcept {
    if (order.kind != Order::Kind::trace || order.player.empty()) return;
    const Nanos until = now + order.lasts;
    const auto at = std::span(followed_).first(followed_size_);
    const auto known = std::ranges::find_if(at, [&](const Followed& one) {
        return policy::same_player(one.player.view(), order.player.view());
    });
    if (known != at.end()) {
        known->until = until;
    } else if (followed_size_ < followed_max) {
        followed_[followed_size_++] = {order.player, until};
    } else {
        *std::ranges::min_element(at, {}, &Followed::until) = {order.player, until};
    }
}

void PacketTrace::refill(Nanos now) noexcept {
    const double rate = wishes_->per_second();
    tokens_ = std::min(rate, tokens_ + to_seconds(std::max(Nanos{}, now - now_)) * rate);
    now_ = now;
    for (size_t i = 0; i < followed_size_;) {
        if (followed_[i].until > now) {
            ++i;
        } else {
            followed_[i] = followed_[--followed_size_];
        }
    }
}

bool PacketTrace::follow(std::string_view player) noexcept {
    const auto by_order = std::span(followed_).first(followed_size_);
    whole_ = wishes_->follows(player) || std::ranges::any_of(by_order, [&](const Followed& one) {
                 return policy::same_player(one.player.view(), player);
             });
    return whole_ || wishes_->of_everybody();
}

bool PacketTrace::take_token() noexcept {
    if (tokens_ < 1) {
        lost_.add();
        return false;
    }
    tokens_ -= 1;
    return true;
}

void PacketTrace::tell(const Flow& flow, protocol::Direction direction, std::string_view state,
                       std::string_view name, Nanos now) noexcept {
    record_.time = now;
    record_.client = flow.client();
    record_.server = flow.server();
    record_.direction = direction;
    record_.state.assign(state);
    record_.name.assign(name);
    record_.has_fields = record_.cut = false;
    record_.fields_size = 0;
}

void PacketTrace::send() noexcept {
    if (!out_.push(record_)) lost_.add();
}

void PacketTrace::on_packet(const Flow& flow, const minecraft::Frame& frame, Nanos now) noexcept {
    if ((!whole_ && !wishes_->wants(frame.packet)) || !take_token()) return;
    tell(flow, frame.direction, name_in(minecraft::state_names, frame.state), frame.name(), now);
    BoundedJson fields(record_.fields);
    record_.has_fields = describe(frame, fields);
    record_.fields_size = static_cast<uint16_t>(fields.finish());
    record_.cut = fields.cut();
    send();
}

void PacketTrace::on_message(const Flow& flow, const ToldMessage& message, Nanos now) noexcept {
    if ((!whole_ && !wishes_->wants(message.name())) || !take_token()) return;
    tell(flow, message.direction(), message.state(), message.name(), now);
    BoundedJson fields(record_.fields);
    message.describe(fields);
    record_.has_fields = true;
    record_.fields_size = static_cast<uint16_t>(fields.finish());
    record_.cut = fields.cut();
    send();
}

}  // namespace portcullis::stages
