#include "metrics/wire_metrics.h"

#include <array>
#include <atomic>
#include <limits>

#include "pipeline/wire_totals.h"

namespace portcullis::metrics {

namespace {

using stages::Counters;

constexpr size_t sides = pipeline::WireShare::sides;
constexpr size_t reasons = pipeline::WireShare::reasons;

static_assert(config::wires_max == stages::wires_max);
static_assert(config::services_max == stages::services_max);

double number(uint64_t count) { return static_cast<double>(count); }

void add_wire(const pipeline::WireSide& wire_side, size_t index, std::string_view wire,
              Exposition& out) {
    const std::vector<pipeline::WireShare> shares = pipeline::read_shares(wire_side, index);
    for (size_t w = 0; w < shares.size(); ++w) {
        const std::string worker = std::to_string(w);
        for (size_t s = 0; s < sides; ++s) {
            const std::string_view port = side_names[s];
            const pipeline::WireShare::PerSide& side = shares[w].side[s];
            out.add(Metric::received_packets, {wire, port, worker}, number(side.rx_packets));
            out.add(Metric::received_bytes, {wire, port, worker}, number(side.rx_bytes));
            out.add(Metric::transmitted_packets, {wire, port, worker}, number(side.tx_packets));
            out.add(Metric::transmitted_bytes, {wire, port, worker}, number(side.tx_bytes));
        }
        for (size_t r = 1; r < reasons; ++r) {
            out.add(Metric::dropped_packets, {wire, worker, drop_reason_names[r]},
                    number(shares[w].drops[r]));
        }
        out.add(Metric::injected_packets, {wire, worker}, number(shares[w].injected));
    }
    const pipeline::WireTotals sum = pipeline::total(shares);
    out.add(Metric::in_flight_packets, {wire}, static_cast<double>(sum.in_flight()));
    out.add(Metric::queued_packets, {wire}, number(sum.queued));
}

void add_ports(const pipeline::WireSide& wire_side, Exposition& out) {
    for (const pipeline::PortStatus& port : wire_side.ports()) {
        const std::string_view side = name_in(side_names, port.side);
        out.add(Metric::port_up, {port.wire, side}, port.up ? 1 : 0);
        out.add(Metric::port_present, {port.wire, side}, port.present ? 1 : 0);
        out.add(Metric::port_reopened, {port.wire, side}, number(port.reopened));
        out.add(Metric::port_held, {port.wire, side}, port.held ? 1 : 0);
        out.add(Metric::port_held_times, {port.wire, side}, number(port.held_times));
        out.add(Metric::port_hold_failures, {port.wire, side}, number(port.hold_failures));
        out.add(Metric::port_missed_packets, {port.wire, side}, number(port.rx_missed));
        out.add(Metric::port_receive_errors, {port.wire, side}, number(port.rx_errors));
        out.add(Metric::port_no_buffer, {port.wire, side}, number(port.rx_no_mbuf));
        out.add(Metric::port_transmit_errors, {port.wire, side}, number(port.tx_errors));
    }
}

/// The sum over all Workers of the Count that `pick` finds in each one's Counters.
template <class Pick>
double summed(const pipeline::WireSide& wire_side, Pick pick) {
    uint64_t sum = 0;
    for (uint16_t w = 0; w < wire_side.workers(); ++w) sum += pick(wire_side.counters(w)).get();
    return number(sum);
}

/// One series a value of an enum, from an array in a service's counts.
template <class Array, class Names>
void add_each(const pipeline::WireSide& wire_side, Metric metric, size_t service,
              std::string_view name, Array stages::ShadowlandCounts::* array, const Names& names,
              Exposition& out) {
    for (size_t i = 0; i < names.size(); ++i) {
        out.add(metric, {name, names[i]},
                summed(wire_side, [&](const Counters& c) -> const stages::Count& {
                    return (c.shadowland[service].*array)[i];
                }));
    }
}

void add_shadowland(const pipeline::WireSide& wire_side, size_t service, std::string_view name,
                    Exposition& out) {
    using Counts = stages::ShadowlandCounts;
    using Pick = stages::Count Counts::*;
    const auto one = [&](Pick pick) {
        return summed(wire_side, [&](const Counters& c) -> const stages::Count& {
            return c.shadowland[service].*pick;
        });
    };
    out.add(Metric::shadowland_sessions, {name}, one(&Counts::sessions_begun));
    out.add(Metric::shadowland_epochs, {name}, one(&Counts::epochs));
    out.add(Metric::shadowland_round_trips, {name}, one(&Counts::round_trips));
    out.add(Metric::shadowland_round_trip_seconds, {name}, one(&Counts::round_trip_us) / 1e6);
    for (size_t d = 0; d < protocol::direction_names.size(); ++d) {
        for (size_t f = 0; f < shadowland::datagram_fate_names.size(); ++f) {
            out.add(Metric::shadowland_datagrams,
                    {name, protocol::direction_names[d], shadowland::datagram_fate_names[f]},
                    summed(wire_side, [&](const Counters& c) -> const stages::Count& {
                        return c.shadowland[service].datagrams[d][f];
                    }));
        }
    }
    add_each(wire_side, Metric::shadowland_connects, service, name, &Counts::connects,
             shadowland::connect_fate_names, out);
    add_each(wire_side, Metric::shadowland_updates, service, name, &Counts::paces,
             shadowland::sync_pace_names, out);
    constexpr std::pair<Metric, stages::ShadowlandCounts::Each<shadowland::MessageKind> Counts::*>
        by_message[] = {
            {Metric::shadowland_messages, &Counts::messages},
            {Metric::shadowland_message_bytes, &Counts::bytes},
            {Metric::shadowland_saved_bytes, &Counts::saved_bytes},
            {Metric::shadowland_wasted_bytes, &Counts::wasted_bytes},
        };
    for (const auto& [metric, array] : by_message) {
        add_each(wire_side, metric, service, name, array, shadowland::message_kind_names, out);
    }
}

void add_services(const pipeline::WireSide& wire_side, const CounterNames& names, Exposition& out) {
    using Member = stages::Count Counters::PerService::*;
    constexpr std::pair<Metric, Member> members[] = {
        {Metric::service_flows, &Counters::PerService::flows},
        {Metric::service_players, &Counters::PerService::players},
        {Metric::logins, &Counters::PerService::logins},
        {Metric::game_packets, &Counters::PerService::game_packets},
        {Metric::verdicts, &Counters::PerService::verdicts},
    };
    for (size_t s = 0; s < names.services.size() && s < stages::services_max; ++s) {
        const config::Service& service = names.services[s];
        const std::string_view protocol = name_in(protocol::protocol_names, service.protocol);
        for (const auto& [metric, member] : members) {
            out.add(metric, {service.name, protocol},
                    summed(wire_side, [s, m = member](const Counters& c) -> const stages::Count& {
                        return c.service[s].*m;
                    }));
        }
        if (service.protocol == protocol::Protocol::shadowland) {
            add_shadowland(wire_side, s, service.name, out);
        }
    }
}

/// One series a name, from an array of Counts in the order of the names.
template <class Array, class Names>
void add_named(const pipeline::WireSide& wire_side, Metric metric, Array Counters::* array,
               const Names& names, Exposition& out) {
    for (size_t i = 0; i < names.size() && i < std::tuple_size_v<Array>; ++i) {
        out.add(metric, {names[i]},
                summed(wire_side, [array, i](const Counters& c) -> const stages::Count& {
                    return (c.*array)[i];
                }));
    }
}

/// The sum over all Workers of the Durations that `pick` finds in their Counters.
template <class Pick>
std::vector<Exposition::Place> places_of(const pipeline::WireSide& wire_side, uint16_t first,
                                         uint16_t end, Pick pick) {
    std::vector<Exposition::Place> places;
    for (size_t p = 0; p < stages::Durations::places; ++p) {
        const bool last = p + 1 == stages::Durations::places;
        const double bound = last ? std::numeric_limits<double>::infinity()
                                  : number(stages::Durations::bound_ns(p)) / 1e9;
        Exposition::Place& place = places.emplace_back(bound, 0);
        for (uint16_t w = first; w < end; ++w) {
            place.count += pick(wire_side.counters(w)).count(p);
        }
    }
    return places;
}

void add_rings(const pipeline::WireSide& wire_side, uint16_t worker, Exposition& out) {
    for (const pipeline::RingStatus& ring : wire_side.rings(worker)) {
        const std::string index = std::to_string(worker);
        out.add(Metric::ring_entries, {ring.name, index}, number(ring.used));
        out.add(Metric::ring_entries_max, {ring.name, index}, number(ring.capacity));
    }
}

void add_workers(const pipeline::WireSide& wire_side, Exposition& out) {
    using Member = stages::Count Counters::*;
    constexpr std::pair<Metric, Member> members[] = {
        {Metric::flows, &Counters::flows},
        {Metric::flows_made, &Counters::flows_made},
        {Metric::half_open_flows, &Counters::half_open},
        {Metric::players, &Counters::players},
        {Metric::sessions, &Counters::sessions},
        {Metric::stream_bytes, &Counters::stream_bytes},
        {Metric::bursts, &Counters::bursts},
        {Metric::idle_polls, &Counters::idle_polls},
        {Metric::turns, &Counters::progress},
    };
    const double hz = wire_side.tsc_hz();
    for (uint16_t w = 0; w < wire_side.workers(); ++w) {
        const Counters& counters = wire_side.counters(w);
        const std::string worker = std::to_string(w);
        for (const auto& [metric, member] : members) {
            out.add(metric, {worker}, number((counters.*member).get()));
        }
        const double busy = number(counters.busy_cycles.get());
        out.add(Metric::busy_seconds, {worker}, hz > 0 ? busy / hz : 0);
        out.add(Metric::latency_seconds, {worker},
                places_of(wire_side, w, static_cast<uint16_t>(w + 1),
                          [](const Counters& c) -> const auto& { return c.latencies; }),
                number(counters.latency_ns.get()) / 1e9);
        add_rings(wire_side, w, out);
    }
    const pipeline::BufferStatus buffers = wire_side.buffers();
    out.add(Metric::packet_buffers_used, number(buffers.used));
    out.add(Metric::packet_buffers, number(buffers.total));
}

void add_stages(const pipeline::WireSide& wire_side, Exposition& out) {
    const std::vector<std::string>& names = wire_side.stages();
    const double hz = wire_side.tsc_hz();
    for (size_t s = 0; s < names.size() && s < stages::stages_max; ++s) {
        const double cycles = summed(wire_side, [s](const Counters& c) -> const stages::Count& {
            return c.stage_cycles[s];
        });
        out.add(Metric::stage_seconds, {names[s]}, hz > 0 ? cycles / hz : 0);
        out.add(Metric::stage_packets, {names[s]},
                summed(wire_side, [s](const Counters& c) -> const stages::Count& {
                    return c.stage_packets[s];
                }));
        out.add(Metric::stage_burst_seconds, {names[s]},
                places_of(wire_side, 0, wire_side.workers(),
                          [s](const Counters& c) -> const auto& { return c.stage_times[s]; }),
                hz > 0 ? cycles / hz : 0);
    }
}

}  // namespace

void add_wire_side(const pipeline::WireSide& wire_side, const CounterNames& names,
                   Exposition& out) {
    for (size_t w = 0; w < names.wires.size() && w < stages::wires_max; ++w) {
        add_wire(wire_side, w, names.wires[w].name, out);
    }
    add_ports(wire_side, out);
    add_services(wire_side, names, out);
    add_named(wire_side, Metric::findings, &Counters::findings, names.checks, out);
    add_named(wire_side, Metric::actions, &Counters::actions, policy::action_names, out);
    add_named(wire_side, Metric::notices, &Counters::notices, stages::notice_names, out);
    add_named(wire_side, Metric::malformed_packets, &Counters::faults, protocol::fault_names, out);
    add_workers(wire_side, out);
    add_stages(wire_side, out);
}

}  // namespace portcullis::metrics
