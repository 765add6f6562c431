#pragma once

#include <array>
#include <chrono>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/wall_clock.h"
#include "config/config.h"
#include "control/descriptions.h"
#include "control/flow_inquiry.h"
#include "control/order_desk.h"
#include "control/packet_book.h"
#include "control/player_registry.h"
#include "control/worker_watch.h"
#include "metrics/exposition.h"
#include "pipeline/wire_side.h"
#include "records/record_sink.h"

namespace portcullis::control {

using Json = nlohmann::ordered_json;

/// Everything that Control knows.  Touched on its own thread alone, so what
/// answers questions about it needs no lock.
struct State {
    State(config::Config running, pipeline::WireSide& wire_side, std::chrono::milliseconds stall)
        : config(std::move(running)),
          wire(wire_side),
          players(config.limits.players),
          watch(stall),
          inquiry(wire_side, orders) {}

    config::Config config;
    pipeline::WireSide& wire;
    PlayerRegistry players;
    WorkerWatch watch;
    BlockBook blocks;
    OrderDesk orders;
    Receipts receipts;
    Descriptions descriptions{orders};
    FlowInquiry inquiry;
    PacketBook packets;
    std::vector<std::unique_ptr<RecordSink>> sinks;
    std::array<uint64_t, verdicts::record_kind_names.size()> records{};
    uint64_t reloads_done = 0, reloads_refused = 0, watchdog_feeds = 0;
    uint64_t keys_taken = 0, keys_refused = 0;
    Nanos started{};  ///< Since the epoch.
};

std::string_view check_name(uint8_t check);
std::string_view service_name(const State& state, uint16_t service);

enum class Standing : uint8_t { well, degraded, starting, failing, count };
inline constexpr NameTable<Standing> standing_names = {"well", "degraded", "starting", "failing"};
static_assert(complete(standing_names));

/// `failing`: a port is down or a Worker is stuck, so packets do not move.
/// `degraded`: they do, but a log, a server or a webhook does not work.
Standing standing(const State& state);
/// What /health answers.
Json health(const State& state);

/// So many Orders of operators, from the first on, would outlive a crash now.
uint64_t orders_kept(const State& state);

/// What /metrics answers: the Workers' counts and Control's own.
std::string scrape(const State& state);

}  // namespace portcullis::control
