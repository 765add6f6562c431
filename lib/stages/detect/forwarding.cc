// Who the player is, where a proxy in front says so: whom to believe, and whom to keep
// out for it.

#include "protocol/minecraft/host_field.h"
#include "stages/detect/detect.h"

namespace portcullis::stages {

namespace {

using protocol::ForwardingRefused;
using protocol::IdentityForwarded;
using Why = ForwardingRefused::Why;

bool is_way_of(config::Forwarding configured, IdentityForwarded::Way way) noexcept {
    return configured == (way == IdentityForwarded::Way::velocity ? config::Forwarding::velocity
                                                                  : config::Forwarding::bungeecord);
}

}  // namespace

void Detect::proxy_header(const proxy::Header& header) noexcept {
    context_.notice(Notice::proxy_header);
    if (!in_front(*hearing_.flow).is_proxy(hearing_.flow->client().address)) {
        refuse_forwarding(Why::stranger);
    } else if (header.has_addresses) {
        believe(header.source.address);
        sources_.count(protocol::SourceAct::connection, source());
    }
}

void Detect::notice(const protocol::Handshake& event) noexcept {
    spoken_ = true;
    sources_.handshake(event, source());
    hearing_.told->loader.assign(event.loader);
    hearing_.told->floodgate = event.floodgate;
    const bool expects = in_front(*hearing_.flow).forwarding() == config::Forwarding::bungeecord;
    const bool logs_in = event.next != protocol::Handshake::Next::status;
    if (expects && logs_in && !event.forwarded) refuse_forwarding(Why::missing);
}

void Detect::notice(const protocol::ForwardingDeclined&) noexcept {
    if (in_front(*hearing_.flow).forwarding() == config::Forwarding::velocity) {
        refuse_forwarding(Why::missing);
    }
}

void Detect::notice(const protocol::IdentityForwarded& event) noexcept {
    if (const auto why = doubt(event)) return refuse_forwarding(*why);
    for (verdicts::PlayerIdentity* identity : identities()) {
        if (identity == nullptr) continue;
        identity->uuid = event.uuid;
        if (!event.name.empty()) identity->name.assign(event.name);
    }
    believe(event.address);
    // Only now is it known whose connection it is, and who is forwarded logs in.
    const SourceWatch::Source whose = sources_.forwarded(source(), event.address);
    sources_.count(protocol::SourceAct::connection, whose);
    sources_.count(protocol::SourceAct::login, whose);
}

std::optional<Why> Detect::doubt(const IdentityForwarded& said) const noexcept {
    const policy::InFront& front = in_front(*hearing_.flow);
    if (!is_way_of(front.forwarding(), said.way)) return Why::unexpected;
    if (!front.is_proxy(hearing_.flow->client().address)) return Why::stranger;
    if (!said.readable) return Why::unreadable;
    if (!front.verifies()) return std::nullopt;
    const bool proved = said.way == IdentityForwarded::Way::velocity
                            ? front.signed_well(said.signature, said.signed_bytes)
                            : front.has_token(minecraft::bungeeguard_token(said.properties));
    return proved ? std::nullopt : std::optional(Why::forged);
}

/// Where what is told of him is kept: for the player to come, and with him who is there.
std::array<verdicts::PlayerIdentity*, 2> Detect::identities() noexcept {
    return {hearing_.told, watched_ == nullptr ? nullptr : &watched_->identity};
}

void Detect::refuse_forwarding(Why why) noexcept {
    if (watch() != nullptr) on(ForwardingRefused{why});
}

void Detect::believe(const IpAddress& address) noexcept {
    for (verdicts::PlayerIdentity* identity : identities()) {
        if (identity != nullptr) identity->address = address;
    }
    keep_out_blocked(address);
}

/// What the wire shows is the proxy, so there was nothing to refuse at the first packet.
void Detect::keep_out_blocked(const IpAddress& address) noexcept {
    if (watched_ != nullptr) watched_->blocks_seen = context_.blocked.blocks_made();
    if (address == IpAddress{} || !context_.blocked.blocks(address, hearing_.time)) return;
    if (watched_ != nullptr && watched_->ending) return;
    context_.notice(Notice::blocked_in_front);
    if (!context_.enforcing()) return;
    if (watched_ != nullptr) watched_->ending = true;
    if (hearing_.direction == protocol::Direction::to_server) {
        hearing_.carrier->refuse(DropReason::blocked);
    }
    context_.act({hearing_.flow, policy::Action::sever, hearing_.packet, {}, {}});
}

}  // namespace portcullis::stages
