#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/names.h"

/// Every metric that the appliance exposes: one row a metric.  What is exposed
/// refers to a row, and docs/METRICS.md is made of the rows, so neither can name
/// what the other does not have.
namespace portcullis::metrics {

enum class Metric : uint8_t {
    received_packets,
    received_bytes,
    transmitted_packets,
    transmitted_bytes,
    dropped_packets,
    injected_packets,
    in_flight_packets,
    queued_packets,
    port_up,
    port_present,
    port_reopened,
    port_held,
    port_held_times,
    port_hold_failures,
    port_missed_packets,
    port_receive_errors,
    port_no_buffer,
    port_transmit_errors,
    service_flows,
    service_players,
    logins,
    game_packets,
    verdicts,
    findings,
    actions,
    notices,
    malformed_packets,
    flows,
    flows_made,
    half_open_flows,
    players,
    sessions,
    stream_bytes,
    shadowland_sessions,
    shadowland_datagrams,
    shadowland_connects,
    shadowland_epochs,
    shadowland_round_trips,
    shadowland_round_trip_seconds,
    shadowland_updates,
    shadowland_messages,
    shadowland_message_bytes,
    shadowland_saved_bytes,
    shadowland_wasted_bytes,
    bursts,
    idle_polls,
    busy_seconds,
    turns,
    stage_seconds,
    stage_packets,
    stage_burst_seconds,
    latency_seconds,
    ring_entries,
    ring_entries_max,
    packet_buffers_used,
    packet_buffers,
    worker_alive,
    records,
    record_waiting,
    record_lag_seconds,
    outcomes,
    part_well,
    orders,
    orders_waiting,
    keys,
    reloads,
    watchdog_feeds,
    build_info,
    start_time_seconds,
    count
};

enum class Kind : uint8_t { counter, gauge, histogram, count };
inline constexpr NameTable<Kind> kind_names = {"counter", "gauge", "histogram"};
static_assert(complete(kind_names));

struct MetricRow {
    Metric metric;
    std::string_view name;  ///< With prefix, unit and, for counters, `_total`.
    Kind kind;
    std::string_view labels;  ///< Comma-separated, in the order in which they are exposed.
    std::string_view help;
};

const MetricRow& row_of(Metric metric) noexcept;
/// One by one.
std::vector<std::string_view> labels_of(const MetricRow& row);

/// docs/METRICS.md, made from the rows.
std::string documentation();

}  // namespace portcullis::metrics
