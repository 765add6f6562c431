#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>

#include "base/drop_reason.h"
#include "base/names.h"
#include "base/side.h"
#include "protocol/event.h"
#include "records/action.h"
#include "stages/count.h"
#include "stages/shadowland_counts.h"

namespace portcullis::stages {

/// How long things took, in places that double: one shift and one add to count,
/// and the same bounds on every machine, so that figures of several add up.
class Durations {
public:
    static constexpr size_t places = 20;
    /// What place `n` counts is shorter than this; the last place has no bound.
    static constexpr uint64_t bound_ns(size_t place) noexcept {
        return uint64_t{1} << (shortest_bits + place);
    }

    void add(uint64_t nanos, uint64_t times = 1) noexcept {
        const auto place = static_cast<size_t>(std::bit_width(nanos >> shortest_bits));
        counts_[std::min(place, places - 1)].add(times);
    }
    uint64_t count(size_t place) const noexcept { return counts_[place].get(); }

private:
    static constexpr unsigned shortest_bits = 7;  ///< 128 ns.

    std::array<Count, places> counts_;
};

/// What a stage met that is not a drop.
enum class Notice : uint8_t {
    not_ip,
    not_service,
    midstream_flow,
    half_open_evicted,
    flow_table_full,
    stream_memory_full,
    session_pool_full,
    session_gave_way,
    player_pool_full,
    stream_limit,
    decoder_error,
    opaque_flow,
    unknown_version,
    ip_fragment,
    ip_options,
    urgent,
    retransmission,
    out_of_order,
    keepalive_garbage,
    stream_gap,
    neutralised,
    not_neutralised,
    record_lost,
    verdict_lost,
    findings_lost,
    action_lost,
    stage_failed,
    trace_lost,
    proxy_header,
    blocked_in_front,
    injected,
    not_injected,
    suspect_not_recorded,
    evidence_lost,
    astray,
    map_unknown,
    multipath,
    wrong_side,
    bad_checksum,
    count
};

inline constexpr MeaningTable<Notice> notice_meanings = {{
    {Notice::not_ip, "not_ip", "Passed uninspected: no IP, or a link layer that is not opened."},
    {Notice::not_service, "not_service", "Passed uninspected: IP, but for no service."},
    {Notice::midstream_flow, "midstream_flow", "Of a connection older than the appliance."},
    {Notice::half_open_evicted, "half_open_evicted",
     "The oldest handshake gave way to a newer one: `limits.half_open`."},
    {Notice::flow_table_full, "flow_table_full", "No room for a new connection: `limits.flows`."},
    {Notice::stream_memory_full, "stream_memory_full",
     "No room to keep bytes: `limits.stream_bytes_total`."},
    {Notice::session_pool_full, "session_pool_full",
     "No room for a new session: `limits.players`."},
    {Notice::session_gave_way, "session_gave_way",
     "A connection that was over, or only looked in, made room for a newcomer."},
    {Notice::player_pool_full, "player_pool_full",
     "No room for a new player, who is not watched: `limits.players`."},
    {Notice::stream_limit, "stream_limit",
     "A stream above `limits.stream_bytes`, uninspected from there."},
    {Notice::decoder_error, "decoder_error", "A decoder lost the frames of a connection."},
    {Notice::opaque_flow, "opaque_flow", "Encrypted, and no key is known."},
    {Notice::unknown_version, "unknown_version", "A client of a protocol version without a table."},
    {Notice::ip_fragment, "ip_fragment", "An IP fragment for a service, or that may be for one."},
    {Notice::ip_options, "ip_options", "A packet with IP options or extension headers."},
    {Notice::urgent, "urgent", "A segment with urgent data."},
    {Notice::retransmission, "retransmission", "Bytes that were sent before."},
    {Notice::out_of_order, "out_of_order", "A segment before which one is missing."},
    {Notice::keepalive_garbage, "keepalive_garbage",
     "The byte below the acknowledged ones that keepalives bring."},
    {Notice::stream_gap, "stream_gap",
     "The receiver has bytes that did not come this way; uninspected from there."},
    {Notice::neutralised, "neutralised", "A game packet that went on harmless."},
    {Notice::not_neutralised, "not_neutralised",
     "A game packet that could not be rewritten: its connection was severed."},
    {Notice::record_lost, "record_lost",
     "A login or the like, when the ring to Control was nearly full."},
    {Notice::verdict_lost, "verdict_lost", "A verdict, when the ring to Control was full."},
    {Notice::findings_lost, "findings_lost",
     "Findings of one event or one burst, above what is kept."},
    {Notice::action_lost, "action_lost",
     "An action or an order that found no room in a burst, and was not carried out."},
    {Notice::stage_failed, "stage_failed", "A packet whose action found no room in its burst."},
    {Notice::trace_lost, "trace_lost", "A packet that was to be reported and could not be."},
    {Notice::proxy_header, "proxy_header", "A PROXY header that was read and believed."},
    {Notice::blocked_in_front, "blocked_in_front",
     "Who connected to the proxy is blocked: the connection was severed."},
    {Notice::injected, "injected", "A packet of our own (kick, reset)."},
    {Notice::not_injected, "not_injected", "No buffer or no room for one."},
    {Notice::suspect_not_recorded, "suspect_not_recorded",
     "No place for his packets, so he goes without evidence: `verdict_log.evidence.players`."},
    {Notice::evidence_lost, "evidence_lost", "A verdict that acts without packets that prove it."},
    {Notice::astray, "astray",
     "Its connection may be another Worker's: it does not go on to a server."},
    {Notice::map_unknown, "map_unknown",
     "A Shadowland player whose moves nobody judges, for want of a map."},
    {Notice::multipath, "multipath",
     "A SYN that asked for several ways in one: it went on without asking."},
    {Notice::wrong_side, "wrong_side",
     "In a server's name, from the side of its clients: believed by nobody."},
    {Notice::bad_checksum, "bad_checksum",
     "Observing: for a service, with a sum that no server believes; unread."},
}};
static_assert(complete(notice_meanings));
inline constexpr NameTable<Notice> notice_names = names_of(notice_meanings);

inline constexpr size_t checks_max = 128;
inline constexpr size_t services_max = 64;
inline constexpr size_t wires_max = 8;
inline constexpr size_t stages_max = 8;

/// Everything one Worker counts.  Per wire: received = transmitted + the sum of
/// drops + in_flight - injected, at any moment a reader looks between bursts.
struct alignas(64) Counters {
    struct PerSide {
        Count rx_packets, rx_bytes, tx_packets, tx_bytes;
    };
    struct PerWire {
        std::array<PerSide, static_cast<size_t>(Side::count)> side;  ///< tx: sent out of this side.
        std::array<Count, static_cast<size_t>(DropReason::count)> drops;
        Count injected;   ///< Packets that we made and sent.
        Count in_flight;  ///< Gauge: in rings or queues of ours.
    };
    struct PerService {
        Count flows, players;  ///< Gauges.
        Count logins, game_packets, verdicts;
    };
    std::array<PerWire, wires_max> wire;
    std::array<PerService, services_max> service;
    std::array<ShadowlandCounts, services_max> shadowland;  ///< By service.
    std::array<Count, static_cast<size_t>(Notice::count)> notices;
    std::array<Count, static_cast<size_t>(protocol::Fault::count)> faults;
    std::array<Count, checks_max> findings;  ///< By CheckId.
    std::array<Count, static_cast<size_t>(policy::Action::count)> actions;
    std::array<Count, stages_max> stage_cycles, stage_packets;
    std::array<Durations, stages_max> stage_times;  ///< A burst each.
    /// What a packet waited here, from the turn that received it to the end of the one
    /// that sent it; `latency_ns` is their sum.
    Durations latencies;
    Count latency_ns;
    Count flows, half_open, players, sessions, stream_bytes;  ///< Gauges.
    Count flows_made;                                         ///< Since the start.
    Count bursts, idle_polls, busy_cycles;
    Count progress;  ///< One a turn of the loop: the watchdog sees a stuck Worker by it.
};

}  // namespace portcullis::stages
