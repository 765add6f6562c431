// What a Connection costs per segment, apart from the packet around it: the
// decoder takes everything at once and looks at nothing.
//
// Each turn is one segment with payload and its acknowledgement: two segments.

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
void there_and_back(benchmark::State& state, Direction there) {
    Peers peers(static_cast<size_t>(state.range(1)), static_cast<uint32_t>(state.range(0)));
    const auto size = static_cast<uint32_t>(peers.payload.size());
    const bool up = there == Direction::to_server;
    const Seq first = (up ? client_isn : server_isn) + 1;
    const Seq other = (up ? server_isn : client_isn) + 1;
    size_t at = 0;
    for (auto _ : state) {
        Connection& c = peers.connections[at];
        uint32_t& sent = peers.sent[at];
        const Segment data = peers.segment(first + sent, other, peers.payload);
        benchmark::DoNotOptimize(c.accept(there, data, peers.pool, Consumer{}));
        sent += size;
        const Segment ack = peers.segment(other, first + sent, {});
        benchmark::DoNotOptimize(c.accept(opposite(there), ack, peers.pool, Consumer{}));
        if (++at == peers.connections.size()) at = 0;
    }
    state.SetItemsProcessed(2 * state.iterations());
}

template <class Consumer>
void toward_server(benchmark::State& state) {
    there_and_back<Consumer>(state, Direction::to_server);
}

template <class Consumer>
void toward_client(benchmark::State& state) {
    there_and_back<Consumer>(state, Direction::to_client);
}

// Payload bytes, connections.
BENCHMARK(toward_server<TakesAll>)->Args({40, 1})->Args({1400, 1})->Args({40, 10000});
BENCHMARK(toward_server<LeavesSome>)->Args({40, 1});
BENCHMARK(toward_client<TakesAll>)->Args({40, 1})->Args({1400, 1})->Args({40, 10000});
BENCHMARK(toward_client<LeavesSome>)->Args({1400, 1});

}  // namespace
}  // namespace portcullis::stream

BENCHMARK_MAIN();
