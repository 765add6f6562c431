#include "pipeline/telemetry.h"

#include <cctype>
#include <mutex>
#include <optional>
#include <string>

#include <rte_telemetry.h>

#include "pipeline/wire_totals.h"

namespace portcullis::pipeline {

namespace {

using stages::Counters;

/// What the commands answer from; set while an appliance is there.
struct Source {
    const pipeline::WireSide* wire_side;
    std::vector<std::string> wires;
};
std::mutex mutex;
std::optional<Source> source;

/// Containers that find no room are freed by DPDK with what they are put into.
rte_tel_data* dict() {
    rte_tel_data* const made = rte_tel_data_alloc();
    if (made != nullptr) rte_tel_data_start_dict(made);
    return made;
}

/// DPDK takes letters, digits, '_' and '/' in names.
std::string tame(std::string name) {
    for (char& c : name) {
        if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
    }
    return name;
}

template <class Pick>
uint64_t sum(const pipeline::WireSide& wire_side, Pick pick) {
    uint64_t all = 0;
    for (uint16_t w = 0; w < wire_side.workers(); ++w) all += pick(wire_side.counters(w));
    return all;
}

rte_tel_data* wire(const pipeline::WireSide& wire_side, size_t index) {
    rte_tel_data* const out = dict();
    if (out == nullptr) return nullptr;
    const WireTotals sum = wire_totals(wire_side, index);
    rte_tel_data_add_dict_u64(out, "received", sum.received);
    rte_tel_data_add_dict_u64(out, "transmitted", sum.transmitted);
    rte_tel_data_add_dict_u64(out, "dropped", sum.dropped);
    rte_tel_data_add_dict_u64(out, "injected", sum.injected);
    rte_tel_data_add_dict_u64(out, "in_flight", static_cast<uint64_t>(sum.in_flight()));
    return out;
}

rte_tel_data* worker(const Counters& counters) {
    rte_tel_data* const out = dict();
    if (out == nullptr) return nullptr;
    const std::pair<const char*, const stages::Count&> counts[] = {
        {"turns", counters.progress},
        {"bursts", counters.bursts},
        {"idle_polls", counters.idle_polls},
        {"busy_cycles", counters.busy_cycles},
        {"flows", counters.flows},
        {"half_open", counters.half_open},
        {"players", counters.players},
        {"sessions", counters.sessions},
        {"stream_bytes", counters.stream_bytes},
        {"latency_ns", counters.latency_ns},
    };
    for (const auto& [name, count] : counts) rte_tel_data_add_dict_u64(out, name, count.get());
    return out;
}

void put(rte_tel_data* into, const std::string& name, rte_tel_data* what) {
    if (what != nullptr) rte_tel_data_add_dict_container(into, tame(name).c_str(), what, 0);
}

template <class Answer>
int answer(rte_tel_data* out, Answer&& with) {
    rte_tel_data_start_dict(out);
    const std::lock_guard lock(mutex);
    if (source) with(*source);
    return 0;
}

int answer_status(const char*, const char*, rte_tel_data* out) {
    return answer(out, [out](const Source& from) {
        const pipeline::WireSide& side = *from.wire_side;
        rte_tel_data_add_dict_u64(out, "workers", side.workers());
        rte_tel_data_add_dict_u64(out, "wires", from.wires.size());
        const auto total = [&](stages::Count Counters::* count) {
            return sum(side, [count](const Counters& c) { return (c.*count).get(); });
        };
        rte_tel_data_add_dict_u64(out, "flows", total(&Counters::flows));
        rte_tel_data_add_dict_u64(out, "players", total(&Counters::players));
        const pipeline::BufferStatus buffers = side.buffers();
        rte_tel_data_add_dict_u64(out, "packet_buffers", buffers.total);
        rte_tel_data_add_dict_u64(out, "packet_buffers_used", buffers.used);
    });
}

int answer_wires(const char*, const char*, rte_tel_data* out) {
    return answer(out, [out](const Source& from) {
        for (size_t i = 0; i < from.wires.size(); ++i) {
            put(out, from.wires[i], wire(*from.wire_side, i));
        }
    });
}

int answer_workers(const char*, const char*, rte_tel_data* out) {
    return answer(out, [out](const Source& from) {
        for (uint16_t w = 0; w < from.wire_side->workers(); ++w) {
            put(out, std::to_string(w), worker(from.wire_side->counters(w)));
        }
    });
}

int answer_drops(const char*, const char*, rte_tel_data* out) {
    return answer(out, [out](const Source& from) {
        for (size_t r = 1; r < drop_reason_names.size(); ++r) {
            const uint64_t drops = sum(*from.wire_side, [&](const Counters& c) {
                uint64_t all = 0;
                for (const auto& one : c.wire) all += one.drops[r].get();
                return all;
            });
            rte_tel_data_add_dict_u64(out, drop_reason_names[r].data(), drops);
        }
    });
}

}  // namespace

Telemetry::Telemetry(const pipeline::WireSide& wire_side, std::vector<std::string> wire_names) {
    {
        const std::lock_guard lock(mutex);
        source = Source{&wire_side, std::move(wire_names)};
    }
    rte_telemetry_register_cmd("/portcullis/status", answer_status,
                               "Totals of the appliance. Takes no parameters");
    rte_telemetry_register_cmd("/portcullis/wires", answer_wires,
                               "Packets of each wire. Takes no parameters");
    rte_telemetry_register_cmd("/portcullis/workers", answer_workers,
                               "What each worker counts. Takes no parameters");
    rte_telemetry_register_cmd("/portcullis/drops", answer_drops,
                               "Dropped packets by reason. Takes no parameters");
}

Telemetry::~Telemetry() {
    const std::lock_guard lock(mutex);
    source.reset();
}

}  // namespace portcullis::pipeline
