// What a packet costs from its first byte to what becomes of it: all stages, at 1 k,
// 100 k and 1 M flows.  Half of the packets are moves of players, the other half the
// server's acknowledgements, from flows at random; the first 20,000 flows, as many as
// the default configuration has room for, are players in a game, the others are
// connections whose protocol nobody reads.  The NIC has verified the sums.

#include <array>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include <rte_mbuf.h>

#include "packet/packet_builder.h"
#include "packet/wire_order.h"
#include "protocol/minecraft/talk_test_support.h"
#include "stages/decode/decode.h"
#include "stages/detect/detect.h"
#include "stages/enforce/enforce.h"
#include "stages/parse/parse.h"
#include "stages/track/track.h"

namespace portcullis::stages {
namespace {

namespace tcp = stream::tcp;
namespace game = minecraft::testing;
constexpr size_t burst_size = Burst::packets_max;
constexpr uint32_t players_max = 20'000, ticks_per_second = 20;
constexpr size_t source_at = 26, target_at = 30, ports_at = 34, seq_at = 38;
const Endpoint server = *parse_endpoint("10.0.0.2:25565");

Endpoint client(uint32_t n) {
    return {IpAddress::v4(0x0b000000u + n / 1000), static_cast<uint16_t>(1024 + n % 1000)};
}

config::Config configuration(uint32_t flows) {
    config::Config config;
    config.limits.flows = flows;
    config.limits.players = std::min(flows, players_max);
    config.limits.stream_bytes_total = 64 << 20;
    config.policies.emplace_back().name = "default";
    config.policies[0].ladder = {{1, policy::Action::log}};
    config::Service& service = config.services.emplace_back();
    service.name = "survival";
    service.endpoint = server;
    return config;
}

/// A Worker's stages, and clients with a server behind them.
class Wire {
public:
    explicit Wire(uint32_t flows)
        : flows_(flows),
          config_(configuration(flows)),
          rules_(policy::RuleSet::compile(config_)),
          pool_(rte_pktmbuf_pool_create("bench", 1023, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, 0)),
          context_({config_, rules_.get(), *counters_, pool_, 0, 1}),
          said_(flows, 1) {
        for (uint32_t n = 0; n < flows; ++n) connect(n);
        const std::string login = game::plain_frame(game::handshake(47, 2).str()) +
                                  game::plain_frame(game::packet(0).text("Alice").str());
        const std::string welcome = game::plain_frame(
            game::packet(2).text("07070707-0707-0707-0707-070707070707").text("Alice").str());
        for (uint32_t n = 0; n < std::min(flows, players_max); n += burst_size) {
            for (size_t i = 0; i < burst_size; ++i)
                chosen_[i] = std::min(n + uint32_t(i), flows - 1);
            pass(Side::outside, login);
            pass(Side::inside, welcome);
        }
        said_to_client_ = static_cast<uint32_t>(welcome.size());
    }
    ~Wire() { rte_mempool_free(pool_); }

    /// A burst of moves and one of acknowledgements.
    void turn(std::mt19937& random) {
        for (uint32_t& n : chosen_) n = static_cast<uint32_t>(random() % flows_);
        now_ += Nanos(std::chrono::seconds(1)) * burst_size / (flows_ * ticks_per_second);
        pass(Side::outside, move_);
        pass(Side::inside, "");
        while (context_.records.pop(records_) > 0) {
        }
    }

private:
    void connect(uint32_t n) {
        const FlowKey key = FlowKey::of(client(n), server, ip_protocol_tcp);
        Flow* flow = context_.flows.insert({key, context_.hash(key)});
        flow->client_is_low = FlowKey::in_order(client(n), server);
        flow->link_known_server = true;
        flow->last_seen = now_;
        flow->connection = stream::Connection::from_handshake({.client_isn = Seq(0),
                                                               .server_isn = Seq(0),
                                                               .client_window = 65535,
                                                               .server_window = 65535,
                                                               .client_scale = 14,
                                                               .server_scale = 14});
    }

    void pass(Side side, const std::string& payload) {
        const bool to_server = side == Side::outside;
        std::vector<rte_mbuf*>& mbufs = to_server ? from_client_ : from_server_;
        if (mbufs.empty() || payload != payload_[to_server]) make(mbufs, to_server, payload);
        burst_.clear(now_);
        for (size_t i = 0; i < burst_size; ++i) {
            const uint32_t n = chosen_[i];
            auto* frame = rte_pktmbuf_mtod(mbufs[i], std::byte*);
            const Endpoint player = client(n);
            const uint32_t address = 0x0b000000u + n / 1000;
            store_be32(frame + (to_server ? source_at : target_at), address);
            store_be16(frame + ports_at + (to_server ? 0 : 2), player.port);
            store_be32(frame + seq_at, to_server ? said_[n] : 1 + said_to_client_);
            store_be32(frame + seq_at + 4, to_server ? 1 + said_to_client_ : said_[n]);
            if (to_server) said_[n] += static_cast<uint32_t>(payload.size());
            burst_.add(mbufs[i], side, 0, now_);
        }
        for (Stage* stage : stages_) stage->process(burst_);
    }

    void make(std::vector<rte_mbuf*>& mbufs, bool to_server, const std::string& payload) {
        for (rte_mbuf* mbuf : mbufs) rte_pktmbuf_free(mbuf);
        mbufs.clear();
        payload_[to_server] = payload;
        for (size_t i = 0; i < burst_size; ++i) {
            PacketBuilder frame;
            frame.from(to_server ? client(0) : server).to(to_server ? server : client(0));
            frame.tcp(Seq(1), Seq(1), tcp::ack).payload(as_bytes(payload));
            mbufs.push_back(frame.make(pool_));
            mbufs.back()->ol_flags |= RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD;
        }
    }

    const uint32_t flows_;
    config::Config config_;
    std::unique_ptr<const policy::RuleSet> rules_;
    std::unique_ptr<Counters> counters_ = std::make_unique<Counters>();
    rte_mempool* pool_;
    WorkerContext context_;
    Parse parse_{context_};
    Track track_{context_};
    Decode decode_{context_};
    Detect detect_{context_};
    Enforce enforce_{context_};
    std::array<Stage*, 5> stages_ = {&parse_, &track_, &decode_, &detect_, &enforce_};
    Burst burst_;
    std::vector<rte_mbuf*> from_client_, from_server_;
    std::array<std::string, 2> payload_;
    std::array<uint32_t, burst_size> chosen_{};
    std::vector<uint32_t> said_;  ///< The next number of each client.
    uint32_t said_to_client_ = 0;
    std::array<verdicts::VerdictRecord, 256> records_;
    Nanos now_ = 1000s;
    const std::string move_ =
        game::plain_frame(game::packet(4).f64(1).f64(64).f64(1).boolean(true).str());
};

void whole_pipeline(benchmark::State& state) {
    const auto wire = std::make_unique<Wire>(static_cast<uint32_t>(state.range(0)));
    std::mt19937 random(1);
    for (auto _ : state) wire->turn(random);
    state.counters["per_packet"] =
        benchmark::Counter(static_cast<double>(state.iterations() * burst_size * 2),
                           benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}
BENCHMARK(whole_pipeline)->Arg(1'000)->Arg(100'000)->Arg(1'000'000);

}  // namespace
}  // namespace portcullis::stages
