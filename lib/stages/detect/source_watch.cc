#include "stages/detect/source_watch.h"

#include <algorithm>

#include "stages/detect/detect.h"
#include "stages/pending_action.h"

namespace portcullis::stages {

namespace {

using protocol::LoginStage;
using protocol::Protocol;
using protocol::SourceOverrun;

/// What a PROXY header begins with (its specification, 2.1 and 2.2).
constexpr std::string_view proxy_v1 = "PROXY ";
constexpr std::string_view proxy_v2 = {"\r\n\r\n\0\r\nQUIT\n", 12};

bool begins_as_a_proxy_does(Bytes payload) noexcept {
    const std::string_view text = as_text(payload);
    return text.starts_with(proxy_v1) || text.starts_with(proxy_v2);
}

}  // namespace

SourceWatch::SourceWatch(WorkerContext& context, Detect& detect)
    : context_(context),
      detect_(detect),
      namer_(context.secret),
      rates_{SourceRates(context.config.limits.sources), SourceRates(context.config.limits.sources),
             SourceRates(context.config.limits.sources), SourceRates(context.config.limits.sources),
             SourceRates(context.config.limits.sources)},
      offenders_(std::make_unique<Offender[]>(offenders_max)),
      findings_(context.worker) {}

bool SourceWatch::counts(uint8_t service, const IpAddress& on_wire) const noexcept {
    const policy::RuleSet::Service& at = context_.rules->service(service);
    if (at.protocol != Protocol::minecraft) return false;
    return !at.in_front.expected() || !at.in_front.is_proxy(on_wire);
}

SourceWatch::Source SourceWatch::source_of(Flow& flow, uint8_t packet, Nanos now,
                                           const verdicts::PlayerIdentity* told) const noexcept {
    Source source{&flow, flow.client(), flow.server(), flow.service, packet, now, {}};
    const policy::InFront& front = context_.rules->service(flow.service).in_front;
    if (counts(flow.service, source.client.address)) {
        source.origin = source.client.address;
    } else if (told != nullptr && front.forwarding() == config::Forwarding::none) {
        // Else it is the game proxy's own address that a balancer's header names.
        return forwarded(source, told->address);
    }
    return source;
}

SourceWatch::Source SourceWatch::forwarded(Source source, const IpAddress& told) const noexcept {
    const policy::RuleSet::Service& at = context_.rules->service(source.service);
    if (at.protocol == Protocol::minecraft && !at.in_front.is_named(told)) source.origin = told;
    return source;
}

const policy::SourceLimits& SourceWatch::limits(uint8_t service) const noexcept {
    return context_.rules->policy_of(service).source_limits();
}

// ---- SYNs: what a flood of them costs ----

SourceNames SourceWatch::fetch_syn(const IpAddress& source, uint8_t service) const noexcept {
    const SourceNames names = namer_(source, service);
    for (unsigned width = 0; width < names.count; ++width) {
        rates_[static_cast<size_t>(Act::syn)].fetch(names.of[width]);
    }
    return names;
}

bool SourceWatch::syn(const Packet& packet, uint8_t service, const SourceNames& names) noexcept {
    constexpr auto act = static_cast<size_t>(Act::syn);
    const policy::SourceLimits& most = limits(service);
    if (!most.counted[act]) return false;
    bool refused = false;
    for (unsigned width = 0; width < names.count; ++width) {
        const SourceLimit& limit = most.of[act][width];
        const uint64_t held = rates_[act].charge(names.of[width], packet.time, limit);
        if (!limit.exceeded_by(held)) continue;
        const Source source{nullptr,
                            packet.source,
                            packet.destination,
                            service,
                            PendingAction::no_packet,
                            packet.time,
                            packet.source.address};
        const SourceOverrun overrun{Act::syn, limit.count(held), limit.count(limit.room_us),
                                    source_bits(names.is_v4, width), names.is_v4};
        refused |= refuses(source, {names.of[width], width, names.is_v4}, overrun);
    }
    return refused;
}

/// One SYN too many.  Found out seldom, refused each time.
bool SourceWatch::refuses(const Source& source, const Prefix& prefix,
                          const SourceOverrun& overrun) noexcept {
    Offender& who = offender(prefix.name, source.now);
    if (source.now < who.next_syn_finding) return who.syns_refused;
    who.next_syn_finding = source.now + syn_finding_interval;
    who.syns_refused = accuse(overrun, source, prefix) >= policy::Action::drop;
    return who.syns_refused;
}

// ---- Connections ----

void SourceWatch::count(Act act, const Source& source) noexcept {
    const auto index = static_cast<size_t>(act);
    const policy::SourceLimits& most = limits(source.service);
    if (source.origin == IpAddress{} || !most.counted[index]) return;
    const SourceNames names = namer_(source.origin, source.service);
    for (unsigned width = 0; width < names.count; ++width) {
        const SourceLimit& limit = most.of[index][width];
        const uint64_t held = rates_[index].charge(names.of[width], source.now, limit);
        if (!limit.exceeded_by(held)) continue;
        const SourceOverrun overrun{act, limit.count(held), limit.count(limit.room_us),
                                    source_bits(names.is_v4, width), names.is_v4};
        (void)accuse(overrun, source, {names.of[width], width, names.is_v4});
    }
}

void SourceWatch::handshake(const protocol::Handshake& event, const Source& source) noexcept {
    accuse(event, source);
}

void SourceWatch::garbage(Bytes payload, const Source& source) noexcept {
    // A proxy of which its service was not told: a slip of the operator's, not an attack.
    const policy::InFront& front = context_.rules->service(source.service).in_front;
    if (!front.proxy_protocol() && begins_as_a_proxy_does(payload)) return;
    count(Act::garbage, source);
}

void SourceWatch::look_at(Flow& flow, Nanos now) noexcept {
    if (flow.let_in || !flow.is_tcp() || flow.state != FlowState::inspected) return;
    if (context_.game == nullptr || flow.kick_waiting) return;
    const LoginStage stage = context_.game->login_stage(flow);
    if (stage == LoginStage::past) {
        flow.let_in = true;
        return;
    }
    const auto& settings = std::get<checks::FloodSlow::Settings>(
        context_.rules->policy_of(flow.service).minecraft().of);
    const protocol::StillThere still{stage, to_seconds(flow.age(now))};
    if (still.seconds <= settings.most(stage)) return;
    const verdicts::PlayerIdentity* const told = context_.game->told_of(flow);
    accuse(still, source_of(flow, PendingAction::no_packet, now, told));
}

/// What one connection did, whoever else comes from there.
template <class Event>
void SourceWatch::accuse(const Event& event, const Source& source) noexcept {
    const bool known = source.origin != IpAddress{};
    const SourceNames names = namer_(known ? source.origin : source.client.address, source.service);
    (void)accuse(event, source, {names.of[0], 0, names.is_v4});
}

/// What the policy makes of an event.  The gravest that is carried out; `log` if nothing.
template <class Event>
policy::Action SourceWatch::accuse(const Event& event, const Source& source,
                                   const Prefix& prefix) noexcept {
    checks_.deliver(event, nobody_, context_.rules->policy_of(source.service).minecraft(),
                    findings_);
    if (findings_.empty()) return policy::Action::log;
    // A wider prefix holds others too: what is over its limit ends, nobody stays out for
    // it.  And to keep a proxy out would keep everybody out.
    const bool known = source.origin != IpAddress{};
    const bool may_block = prefix.width == 0 && known;
    Offender& who = offender(prefix.name, source.now);
    const bool told = source.origin != source.client.address;
    who.account.identity.address = told ? source.origin : IpAddress{};
    return detect_.weigh({.flow = source.flow,
                          .service = source.service,
                          .client = source.client,
                          .server = source.server,
                          .account = who.account,
                          .packet = source.packet,
                          .time = source.now,
                          .source_bits = source_bits(prefix.is_v4, prefix.width),
                          .most = may_block ? policy::Action::block : policy::Action::kick},
                         findings_);
}

// ---- Accounts ----

SourceWatch::Offender& SourceWatch::offender(uint64_t name, Nanos now) noexcept {
    constexpr size_t sets = offenders_max / ways;
    Offender* const set = &offenders_[(name >> 40) % sets * ways];
    Offender* oldest = set;
    for (size_t i = 0; i < ways; ++i) {
        if (set[i].name == name) {
            set[i].heard = now;
            return set[i];
        }
        if (set[i].heard < oldest->heard) oldest = &set[i];
    }
    *oldest = Offender{};
    oldest->name = name;
    oldest->heard = now;
    return *oldest;
}

void SourceWatch::keep_house(Nanos now) noexcept {
    for (SourceRates& rates : rates_) rates.keep_house(now);
}

}  // namespace portcullis::stages
