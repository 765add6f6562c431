// What a Connection costs per segment, apart from the packet around it: the
// decoder takes everything at once and looks at nothing.
//
// Each round sends a batch in one direction; toward the server the server then
// acknowledges each segment, as servers do, and that is counted as a segment.

#include <array>
#include <vector>

#include <benchmark/benchmark.h>

#include "stream/connection.h"

namespace portcullis::stream {
namespace {

using protocol::Direction;
using protocol::Progress;

constexpr Seq client_isn{1000};
constexpr Seq server_isn{2000};

struct TakesAll {
    Progress operator()(Direction, Bytes offered) const noexcept {
        benchmark::DoNotOptimize(offered.data());
        return {.consumed = offered.size()};
    }
};

/// Takes the payload but for its last bytes, as when messages straddle segments.
struct LeavesSome {
    Progress operator()(Direction, Bytes offered) const noexcept {
        benchmark::DoNotOptimize(offered.data());
        return {.consumed = offered.size() - std::min<size_t>(offered.size(), 10)};
    }
};

struct Peers {
    explicit Peers(size_t count, uint32_t payload_size)
        : pool(64 << 20, 262144), payload(payload_size), sent(count), connections(count) {
        for (Connection& c : connections) {
            c = Connection::from_handshake({.client_isn = client_isn,
                                            .server_isn = server_isn,
                                            .client_window = 65535,
                                            .server_window = 65535,
                                            .client_scale = 7,
                                            .server_scale = 7});
        }
    }
    Segment segment(Seq seq, Seq ack, Bytes bytes) const noexcept {
        Segment s;
        s.seq = seq;
        s.ack = ack;
        s.flags = tcp::ack;
        s.window = 65535;
        s.payload = bytes;
        return s;
    }

    StreamPool pool;
    std::vector<std::byte> payload;
    std::vector<uint32_t> sent;
    std::vector<Connection> connections;
};

template <class Consumer>
void toward_server(benchmark::State& state) {
    Peers peers(static_cast<size_t>(state.range(1)), static_cast<uint32_t>(state.range(0)));
    const auto size = static_cast<uint32_t>(peers.payload.size());
    size_t at = 0;
    for (auto _ : state) {
        Connection& c = peers.connections[at];
        uint32_t& sent = peers.sent[at];
        const Segment data = peers.segment(client_isn + 1 + sent, server_isn + 1, peers.payload);
        benchmark::DoNotOptimize(c.accept(Direction::to_server, data, peers.pool, Consumer{}));
        sent += size;
        const Segment ack = peers.segment(server_isn + 1, client_isn + 1 + sent, {});
        benchmark::DoNotOptimize(c.accept(Direction::to_client, ack, peers.pool, Consumer{}));
        if (++at == peers.connections.size()) at = 0;
    }
    state.SetItemsProcessed(2 * state.iterations());
}

template <class Consumer>
void toward_client(benchmark::State& state) {
    Peers peers(static_cast<size_t>(state.range(1)), static_cast<uint32_t>(state.range(0)));
    const auto size = static_cast<uint32_t>(peers.payload.size());
    size_t at = 0;
    for (auto _ : state) {
        Connection& c = peers.connections[at];
        uint32_t& sent = peers.sent[at];
        const Segment data = peers.segment(server_isn + 1 + sent, client_isn + 1, peers.payload);
        benchmark::DoNotOptimize(c.accept(Direction::to_client, data, peers.pool, Consumer{}));
        sent += size;
        if (++at == peers.connections.size()) at = 0;
    }
    state.SetItemsProcessed(state.iterations());
}

// Payload bytes, connections.
BENCHMARK(toward_server<TakesAll>)->Args({40, 1})->Args({1400, 1})->Args({40, 10000});
BENCHMARK(toward_server<LeavesSome>)->Args({40, 1});
BENCHMARK(toward_client<TakesAll>)->Args({40, 1})->Args({1400, 1})->Args({40, 10000});
BENCHMARK(toward_client<LeavesSome>)->Args({1400, 1});

}  // namespace
}  // namespace portcullis::stream

BENCHMARK_MAIN();
