#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "flow/source_rates.h"
#include "player/player.h"
#include "policy/policy.h"
#include "protocol/source_events.h"
#include "stages/detect/account.h"
#include "stages/worker_context.h"

namespace portcullis::stages {

class Detect;

/// Watches for Detect where connections come from: how often a source opens them, what
/// they begin with, and which of them get nowhere.
///
/// A source is an IPv4 address or an IPv6 /64, toward one service, and beside it the
/// wider prefixes it lies in.  Counting costs one cache line each.  Only a source over a
/// limit gets an account, on which findings add up; the one quiet longest gives way.  Behind a
/// proxy a player's own address is counted from when the proxy has told it: with the PROXY header,
/// or with the forwarding where that is to come.  The proxy's never is.
class SourceWatch {
public:
    static constexpr size_t offenders_max = 256;
    /// Between two findings about SYNs of one source: enough to act within a fifth of a
    /// second, and next to nothing beside a flood.
    static constexpr Nanos syn_finding_interval = 10ms;

    SourceWatch(WorkerContext& context, Detect& detect);

    /// Whether this address is a source by itself: the service is counted, and it is no
    /// proxy of the service's.
    bool counts(uint8_t service, const IpAddress& on_wire) const noexcept;

    /// The names of a SYN's source, their memory asked for.
    SourceNames fetch_syn(const IpAddress& source, uint8_t service) const noexcept;
    /// A client's SYN.  True when it is not to go on.
    bool syn(const Packet& packet, uint8_t service, const SourceNames& names) noexcept;

    /// A connection that a packet in the burst belongs to.
    struct Source {
        Flow* flow = nullptr;  ///< Null before there is one.
        Endpoint client, server;
        uint8_t service = 0;
        uint8_t packet = 0;  ///< Index in the Burst.
        Nanos now{};
        IpAddress origin{};  ///< Who is counted; all zero: behind a proxy, nobody told yet.
    };
    /// `told`: what a proxy that is believed said of the player, if anything.
    Source source_of(Flow& flow, uint8_t packet, Nanos now,
                     const verdicts::PlayerIdentity* told) const noexcept;
    /// Of one whom a game proxy has forwarded.
    Source forwarded(Source source, const IpAddress& told) const noexcept;
    void count(protocol::SourceAct act, const Source& source) noexcept;
    /// Nobody is there yet whose checks could hear it.
    void handshake(const protocol::Handshake& event, const Source& source) noexcept;
    /// What stands in a handshake's place and is none.
    void garbage(Bytes payload, const Source& source) noexcept;
    /// The sweep comes by: is it still getting nowhere?
    void look_at(Flow& flow, Nanos now) noexcept;

    void keep_house(Nanos now) noexcept;

private:
    using Act = protocol::SourceAct;
    static constexpr size_t acts = policy::SourceLimits::acts;
    static constexpr size_t ways = 4;

    struct Offender {
        uint64_t name = 0;  ///< Of the prefix; 0: nobody's.
        Nanos heard{};
        Nanos next_syn_finding{};
        bool syns_refused = false;
        Account account;
    };
    /// One of a source's prefixes.
    struct Prefix {
        uint64_t name;
        unsigned width;
        bool is_v4;
    };

    template <class Event>
    void accuse(const Event& event, const Source& source) noexcept;
    template <class Event>
    policy::Action accuse(const Event& event, const Source& source, const Prefix& prefix) noexcept;
    bool refuses(const Source& source, const Prefix& prefix,
                 const protocol::SourceOverrun& overrun) noexcept;
    Offender& offender(uint64_t name, Nanos now) noexcept;
    const policy::SourceLimits& limits(uint8_t service) const noexcept;

    WorkerContext& context_;
    Detect& detect_;
    const SourceNamer namer_;
    std::array<SourceRates, acts> rates_;
    std::unique_ptr<Offender[]> offenders_;
    Player nobody_;  ///< What there is of a player before he logs in.
    policy::MinecraftSet checks_;
    checks::Findings findings_;
};

}  // namespace portcullis::stages
