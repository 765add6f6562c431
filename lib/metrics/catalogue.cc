#include "metrics/catalogue.h"

#include <algorithm>
#include <array>

#include "base/drop_reason.h"
#include "protocol/event.h"
#include "stages/counters.h"

namespace portcullis::metrics {

namespace {

constexpr Kind counter = Kind::counter;
constexpr Kind gauge = Kind::gauge;
constexpr Kind histogram = Kind::histogram;

// In the order of `Metric`.
constexpr std::array<MetricRow, static_cast<size_t>(Metric::count)> rows = {{
    {Metric::received_packets, "portcullis_received_packets_total", counter, "wire,port,worker",
     "Frames received at a port."},
    {Metric::received_bytes, "portcullis_received_bytes_total", counter, "wire,port,worker",
     "Bytes of those frames."},
    {Metric::transmitted_packets, "portcullis_transmitted_packets_total", counter,
     "wire,port,worker", "Frames sent out of a port, our own included."},
    {Metric::transmitted_bytes, "portcullis_transmitted_bytes_total", counter, "wire,port,worker",
     "Bytes of those frames."},
    {Metric::dropped_packets, "portcullis_dropped_packets_total", counter, "wire,worker,reason",
     "Frames that did not go on; each has exactly one reason."},
    {Metric::injected_packets, "portcullis_injected_packets_total", counter, "wire,worker",
     "Frames that we made: kicks, resets, rewritten packets."},
    {Metric::in_flight_packets, "portcullis_in_flight_packets", gauge, "wire",
     "received + injected - transmitted - dropped of the same scrape: frames within the "
     "appliance."},
    {Metric::queued_packets, "portcullis_queued_packets", gauge, "wire",
     "Frames that Workers say they hold in rings and queues."},
    {Metric::port_up, "portcullis_port_up", gauge, "wire,port", "1 while the link is up."},
    {Metric::port_present, "portcullis_port_present", gauge, "wire,port",
     "0 while the device is gone, such as a network card that was pulled."},
    {Metric::port_reopened, "portcullis_port_reopened_total", counter, "wire,port",
     "Times the device went, came back and was opened again."},
    {Metric::port_held, "portcullis_port_held", gauge, "wire,port",
     "1 while its link is set down, since the wire's other port has none."},
    {Metric::port_held_times, "portcullis_port_held_total", counter, "wire,port",
     "Times its link was set down for that."},
    {Metric::port_hold_failures, "portcullis_port_hold_failures_total", counter, "wire,port",
     "Times its link could not be set down or up again."},
    {Metric::port_missed_packets, "portcullis_port_missed_packets_total", counter, "wire,port",
     "Frames the port dropped because no Worker fetched them in time (driver's count)."},
    {Metric::port_receive_errors, "portcullis_port_receive_errors_total", counter, "wire,port",
     "Damaged frames (driver's count)."},
    {Metric::port_no_buffer, "portcullis_port_no_buffer_total", counter, "wire,port",
     "Receptions that found no packet buffer (driver's count)."},
    {Metric::port_transmit_errors, "portcullis_port_transmit_errors_total", counter, "wire,port",
     "Frames the port failed to send (driver's count)."},
    {Metric::service_flows, "portcullis_service_flows", gauge, "service,protocol",
     "Connections inspected now."},
    {Metric::service_players, "portcullis_service_players", gauge, "service,protocol",
     "Players logged in now."},
    {Metric::logins, "portcullis_logins_total", counter, "service,protocol",
     "Logins that a server accepted."},
    {Metric::game_packets, "portcullis_game_packets_total", counter, "service,protocol",
     "Game packets decoded, both directions."},
    {Metric::verdicts, "portcullis_verdicts_total", counter, "service,protocol",
     "Verdicts on players."},
    {Metric::findings, "portcullis_findings_total", counter, "check",
     "Findings, at any confidence."},
    {Metric::actions, "portcullis_actions_total", counter, "action",
     "Actions decided by policies; under observe none of them is carried out."},
    {Metric::notices, "portcullis_notices_total", counter, "reason",
     "What stages met that is not a drop."},
    {Metric::malformed_packets, "portcullis_malformed_packets_total", counter, "reason",
     "Game packets that no vanilla peer sends."},
    {Metric::flows, "portcullis_flows", gauge, "worker", "Connections remembered."},
    {Metric::flows_made, "portcullis_flows_made_total", counter, "worker",
     "Connections made, since the start."},
    {Metric::half_open_flows, "portcullis_half_open_flows", gauge, "worker",
     "Handshakes under way."},
    {Metric::players, "portcullis_players", gauge, "worker", "Players kept."},
    {Metric::sessions, "portcullis_sessions", gauge, "worker", "Protocol sessions kept."},
    {Metric::stream_bytes, "portcullis_stream_bytes", gauge, "worker",
     "Bytes kept until they are acknowledged."},
    {Metric::shadowland_sessions, "portcullis_shadowland_sessions_total", counter, "service",
     "Sessions that servers accepted."},
    {Metric::shadowland_datagrams, "portcullis_shadowland_datagrams_total", counter,
     "service,direction,fate",
     "Datagrams of sessions: arrived; lost before us; reliable and sent again (resent); "
     "unreliable and seen before (twice)."},
    {Metric::shadowland_connects, "portcullis_shadowland_connects_total", counter, "service,fate",
     "Connects: without a cookie they passed, went on above the limit (flooded), were answered "
     "here, or were too many of one address (over_source); the cookies of others were good, "
     "not judged for want of a secret, forged, or expired."},
    {Metric::shadowland_epochs, "portcullis_shadowland_epochs_total", counter, "service",
     "Keys that sessions changed to."},
    {Metric::shadowland_round_trips, "portcullis_shadowland_round_trips_total", counter, "service",
     "Pings that were answered."},
    {Metric::shadowland_round_trip_seconds, "portcullis_shadowland_round_trip_seconds_total",
     counter, "service", "The sum of their round trips between us and the client."},
    {Metric::shadowland_updates, "portcullis_shadowland_updates_total", counter, "service,pace",
     "Updates of entities that servers sent: of one that moved, that moved beyond half its type's "
     "distance (distant), that did not (stationary), or above the tick rate (excess)."},
    {Metric::shadowland_messages, "portcullis_shadowland_messages_total", counter,
     "service,message",
     "Messages, and packets that nobody opened for us (Sealed), be it only later."},
    {Metric::shadowland_message_bytes, "portcullis_shadowland_message_bytes_total", counter,
     "service,message", "Bytes of those messages, headers not counted."},
    {Metric::shadowland_saved_bytes, "portcullis_shadowland_saved_bytes_total", counter,
     "service,message",
     "What quantised and delta forms, bundles and compression spare, against full floats in "
     "packets of their own."},
    {Metric::shadowland_wasted_bytes, "portcullis_shadowland_wasted_bytes_total", counter,
     "service,message",
     "What was sent again or twice, what full floats take more than quantised ones, and what "
     "shows a client what is too far away."},
    {Metric::bursts, "portcullis_bursts_total", counter, "worker",
     "Bursts with at least one packet."},
    {Metric::idle_polls, "portcullis_idle_polls_total", counter, "worker",
     "Polls that found nothing."},
    {Metric::busy_seconds, "portcullis_busy_seconds_total", counter, "worker",
     "Time spent on bursts."},
    {Metric::turns, "portcullis_turns_total", counter, "worker", "Turns of the Worker's loop."},
    {Metric::stage_seconds, "portcullis_stage_seconds_total", counter, "stage",
     "Time spent in a stage, all Workers."},
    {Metric::stage_packets, "portcullis_stage_packets_total", counter, "stage",
     "Packets that a stage was given, all Workers."},
    {Metric::stage_burst_seconds, "portcullis_stage_burst_seconds", histogram, "stage",
     "Time a stage took for one burst, all Workers."},
    {Metric::latency_seconds, "portcullis_latency_seconds", histogram, "worker",
     "Time a forwarded packet spent here: from the turn of the loop that received it to the end "
     "of the one that sent it, rings between Workers included."},
    {Metric::ring_entries, "portcullis_ring_entries", gauge, "ring,worker",
     "What waits in a ring between a Worker and Control (records, reports, orders, keys) "
     "or another Worker (handed_over, handed_back: packets). Not among them: traced "
     "packets (the notice `trace_lost` counts those without room), what is believed of a player "
     "(asked again without room), and evidence (room for all there is)."},
    {Metric::ring_entries_max, "portcullis_ring_entries_max", gauge, "ring,worker",
     "What such a ring has room for."},
    {Metric::packet_buffers_used, "portcullis_packet_buffers_used", gauge, "",
     "Packet buffers in ports, rings and Workers' hands, those in caches of cores not among "
     "them."},
    {Metric::packet_buffers, "portcullis_packet_buffers", gauge, "", "Packet buffers in all."},
    {Metric::worker_alive, "portcullis_worker_alive", gauge, "worker",
     "1 while the Worker makes progress."},
    {Metric::records, "portcullis_records_total", counter, "kind",
     "Records that Control took from Workers."},
    {Metric::record_waiting, "portcullis_record_waiting", gauge, "sink",
     "Records that a sink has still to deal with."},
    {Metric::record_lag_seconds, "portcullis_record_lag_seconds", gauge, "sink",
     "Age of the oldest of those."},
    {Metric::outcomes, "portcullis_outcomes_total", counter, "part,outcome",
     "How writing, kicking, posting and blocking ended."},
    {Metric::part_well, "portcullis_part_well", gauge, "part",
     "1 while the log, an RCON server or a webhook works."},
    {Metric::orders, "portcullis_orders_total", counter, "outcome",
     "Orders to Workers: given, or refused."},
    {Metric::orders_waiting, "portcullis_orders_waiting", gauge, "",
     "Orders that wait for room in a Worker's ring."},
    {Metric::keys, "portcullis_keys_total", counter, "outcome",
     "Session keys from the feed: taken, or refused."},
    {Metric::reloads, "portcullis_reloads_total", counter, "outcome",
     "Configuration reloads: done, or refused."},
    {Metric::watchdog_feeds, "portcullis_watchdog_feeds_total", counter, "",
     "Times systemd was told that every Worker makes progress."},
    {Metric::build_info, "portcullis_build_info", gauge, "version", "Always 1."},
    {Metric::start_time_seconds, "portcullis_start_time_seconds", gauge, "",
     "When it started, since the epoch."},
}};

consteval bool rows_are_whole() {
    if (!in_order(rows, &MetricRow::metric)) return false;
    for (const MetricRow& row : rows) {
        if (!row.name.starts_with("portcullis_") || row.help.empty()) return false;
        if ((row.kind == counter) != row.name.ends_with("_total")) return false;
    }
    return true;
}
static_assert(
    rows_are_whole(),
    "a metric lacks its row or has it elsewhere, or its name lacks the prefix or `_total`");

constexpr std::string_view preface =
    "# Metrics\n"
    "\n"
    "`GET /metrics` on the configured address (`metrics.listen`) answers in Prometheus' text "
    "format;\n"
    "`GET /health` in JSON, with status 200 while packets are inspected (`well`, `degraded`) and "
    "503\n"
    "when not (`starting`, `failing`). Scrape configuration, alert rules and a Grafana dashboard "
    "are\n"
    "in `deploy/`. Scraping reads the Workers' counters where they lie: it costs packets nothing.\n"
    "\n"
    "## Conservation\n"
    "\n"
    "Per wire, at every scrape:\n"
    "\n"
    "    received + injected = transmitted + dropped + in flight\n"
    "\n"
    "All four counts come from one reading. What has left (`transmitted`, `dropped`) is read "
    "first, what\n"
    "was made (`injected`) next, and what has come (`received`) last, so that a packet on its way "
    "while\n"
    "we read is counted in flight and never missing: `in_flight` is the remainder, and never "
    "negative.\n"
    "A healthy appliance holds at most some bursts and rings; a remainder that stays above that, "
    "or\n"
    "above `portcullis_queued_packets` without traffic, is a packet lost and a bug.\n"
    "\n"
    "## Histograms\n"
    "\n"
    "A histogram `X` is exposed as `X_bucket`, `X_sum` and `X_count`. Its bounds double from 128 "
    "ns "
    "to 33 ms\n"
    "and are the same on every machine, so that figures of several add up; a quantile is right "
    "within a\n"
    "factor of two, an average to the nanosecond. Workers read no clock for them that they did not "
    "read\n"
    "before, but where one Worker reads for all: there a batch that is sent costs one reading "
    "more.\n"
    "\n"
    "## All of them\n"
    "\n"
    "This page is made from the rows that expose them (`lib/metrics/catalogue.cc`):\n"
    "`ninja -C build metrics-docs` writes it again, and a test compares the two.\n"
    "What each `reason` means stands [below](#drops).\n"
    "\n"
    "| metric | type | labels | meaning |\n"
    "|---|---|---|---|\n";

/// What the values of a label `reason` mean.
template <class Enum>
void append_reasons(std::string& out, std::string_view heading, const MetricRow& of,
                    std::span<const Meaning<Enum>> meanings) {
    out += "\n## " + std::string(heading) + "\n\nThe `reason` of `" + std::string(of.name) +
           "`.\n\n| reason | meaning |\n|---|---|\n";
    for (const auto& [value, name, text] : meanings) {
        out += "| `" + std::string(name) + "` | " + std::string(text) + " |\n";
    }
}

std::string label_list(const MetricRow& row) {
    std::string out;
    for (const std::string_view label : labels_of(row)) {
        out += (out.empty() ? "`" : " `") + std::string(label) + '`';
    }
    return out;
}

}  // namespace

const MetricRow& row_of(Metric metric) noexcept { return rows[static_cast<size_t>(metric)]; }

std::vector<std::string_view> labels_of(const MetricRow& row) {
    std::vector<std::string_view> names;
    for (std::string_view rest = row.labels; !rest.empty();) {
        const size_t end = std::min(rest.find(','), rest.size());
        names.push_back(rest.substr(0, end));
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return names;
}

std::string documentation() {
    std::string out(preface);
    for (const MetricRow& row : rows) {
        out += "| `" + std::string(row.name) + "` | " + std::string(name_in(kind_names, row.kind)) +
               " | " + label_list(row) + " | " + std::string(row.help) + " |\n";
    }
    append_reasons<DropReason>(out, "Drops", row_of(Metric::dropped_packets),
                               std::span(drop_reason_meanings).subspan<1>());  // The first goes on.
    append_reasons<stages::Notice>(out, "Notices", row_of(Metric::notices),
                                   std::span(stages::notice_meanings));
    append_reasons<protocol::Fault>(out, "Malformed packets", row_of(Metric::malformed_packets),
                                    std::span(protocol::fault_meanings));
    return out;
}

}  // namespace portcullis::metrics
