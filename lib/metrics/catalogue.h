#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

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
    port_missed_packets,
    port_receive_errors,
    port_no_buffer,
    port_transmit_errors,
    service_flows,
    service_players,
    logins,
    game_packets,
    events,
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
    bursts,
    idle_polls,
    busy_seconds,
    turns,
    stage_seconds,
    stage_packets,
    worker_alive,
    records,
    record_waiting,
    record_lag_seconds,
    outcomes,
    part_well,
    orders,
    reloads,
    watchdog_feeds,
    build_info,
    start_time_seconds,
    count
};

struct MetricRow {
    std::string_view name;    ///< With prefix, unit and, for counters, `_total`.
    bool counter;             ///< Else a gauge.
    std::string_view labels;  ///< Comma-separated, in the order in which they are exposed.
    std::string_view help;
};

const MetricRow& row_of(Metric metric) noexcept;

/// docs/METRICS.md, made from the rows.
std::string documentation();

}  // namespace portcullis::metrics
