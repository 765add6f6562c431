#include "run_report.h"

#include <cstdio>
#include <string>
#include <string_view>

#include "pipeline/appliance.h"
#include "verdicts/json.h"

namespace portcullis::app {

namespace {

struct Totals {
    uint64_t received = 0, sent = 0, dropped = 0, injected = 0, in_flight = 0;
    uint64_t busy_cycles = 0, bursts = 0, idle_polls = 0, flows = 0, players = 0;

    explicit Totals(const pipeline::Appliance& appliance) {
        for (uint16_t i = 0; i < appliance.workers(); ++i) add(appliance.counters(i));
    }
    void add(const stages::Counters& counters) {
        for (const auto& wire : counters.wire) {
            for (const auto& side : wire.side) {
                received += side.rx_packets.get();
                sent += side.tx_packets.get();
            }
            for (const auto& drop : wire.drops) dropped += drop.get();
            injected += wire.injected.get();
            in_flight += wire.in_flight.get();
        }
        busy_cycles += counters.busy_cycles.get();
        bursts += counters.bursts.get();
        idle_polls += counters.idle_polls.get();
        flows += counters.flows.get();
        players += counters.players.get();
    }
};

void append_name(std::string& out, std::string_view name) {
    if (out.back() != '{') out += ',';
    verdicts::append_json_string(out, name);
    out += ':';
}

void append(std::string& out, std::string_view name, uint64_t value) {
    append_name(out, name);
    out += std::to_string(value);
}

void append_real(std::string& out, std::string_view name, double value) {
    append_name(out, name);
    verdicts::append_json_number(out, value);
}

void append_stages(std::string& out, const pipeline::Appliance& appliance) {
    const double nanos_per_cycle = 1e9 / appliance.tsc_hz();
    out += ",\"stage_ns\":{";
    for (size_t stage = 0; stage < appliance.stages().size(); ++stage) {
        double cycles = 0, packets = 0;
        for (uint16_t i = 0; i < appliance.workers(); ++i) {
            cycles += static_cast<double>(appliance.counters(i).stage_cycles[stage].get());
            packets += static_cast<double>(appliance.counters(i).stage_packets[stage].get());
        }
        append_real(out, appliance.stages()[stage],
                    packets > 0 ? cycles / packets * nanos_per_cycle : 0);
    }
    out += '}';
}

}  // namespace

void print_run_report(const pipeline::Appliance& appliance, double duration_s) {
    const Totals totals(appliance);
    std::string out = "{";
    append(out, "received", totals.received);
    append(out, "sent", totals.sent);
    append(out, "dropped", totals.dropped);
    append(out, "injected", totals.injected);
    append(out, "in_flight", totals.in_flight);
    append(out, "bursts", totals.bursts);
    append(out, "flows", totals.flows);
    append(out, "players", totals.players);
    const auto received = static_cast<double>(totals.received);
    if (duration_s > 0) append_real(out, "packets_per_s", received / duration_s);
    append_real(out, "busy_ns_per_packet",
                received > 0
                    ? static_cast<double>(totals.busy_cycles) / received * 1e9 / appliance.tsc_hz()
                    : 0);
    append_stages(out, appliance);
    out += "}\n";
    fputs(out.c_str(), stdout);
}

}  // namespace portcullis::app
