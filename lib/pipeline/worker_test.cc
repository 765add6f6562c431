// Goal: what comes in on one side leaves on the other, unchanged and in order; nothing is lost
// that is not counted; orders, rules and the end reach a Worker.
// Method: real Workers on ports of rings (net_ring) under --no-huge, turned by hand or running
// on threads, with stages of the test's own.
#include "pipeline/worker.h"

#include <array>
#include <atomic>
#include <iostream>
#include <map>
#include <numeric>
#include <random>
#include <thread>

#include <gtest/gtest.h>
#include <time.h>

#include <rte_cycles.h>
#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include "base/concat.h"
#include "packet/testing/fragmenting.h"
#include "port/eal.h"

namespace portcullis::pipeline {
namespace {

constexpr unsigned seed = 20261120;
constexpr unsigned ring_size = 512;

/// A stage made of a function.
class Does final : public stages::Stage {
public:
    explicit Does(std::function<void(Burst&)> what) : what_(std::move(what)) {}
    void process(Burst& burst) noexcept override { what_(burst); }
    void obey(const verdicts::Order& order, Burst&) noexcept override {
        orders.push_back(order.kind);
    }

    std::vector<verdicts::Order::Kind> orders;

private:
    std::function<void(Burst&)> what_;
};

/// A wire between two pairs of rings, and Workers on it.
class Wire {
public:
    explicit Wire(uint16_t workers = 1, unsigned out_size = ring_size,
                  config::Idle idle = config::Idle::spin)
        : rules_(policy::RuleSet::compile(config_), workers), idle_(idle) {
        static int wires = 0;
        number_ = wires++;
        pool_ =
            rte_pktmbuf_pool_create(name("pool").c_str(), 8191, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, 0);
        EXPECT_NE(pool_, nullptr);
        for (size_t side = 0; side < 2; ++side) {
            in_[side] = ring("in" + std::to_string(side), ring_size);
            out_[side] = ring("out" + std::to_string(side), out_size);
            ports_[side] = port(side);
            doors[side].open(ports_[side]);
        }
        if (workers > 1) hand_over_ = std::make_unique<HandOver>(workers);
        counters_ = std::make_unique<stages::Counters[]>(workers);
        for (uint16_t i = 0; i < workers; ++i) add_worker(i);
    }
    ~Wire() {
        for (size_t side = 0; side < 2; ++side) {
            leave(static_cast<Side>(side));
            rte_eth_dev_stop(ports_[side]);
            rte_eth_dev_close(ports_[side]);
            rte_ring_free(in_[side]);
            rte_ring_free(out_[side]);
        }
        EXPECT_EQ(rte_mempool_in_use_count(pool_), 0u) << "packet buffers leaked";
        rte_mempool_free(pool_);
    }

    rte_mbuf* frame(std::string_view bytes) {
        rte_mbuf* packet = rte_pktmbuf_alloc(pool_);
        std::memcpy(rte_pktmbuf_append(packet, static_cast<uint16_t>(bytes.size())), bytes.data(),
                    bytes.size());
        return packet;
    }
    void enter(Side side, std::string_view bytes) {
        ASSERT_EQ(rte_ring_enqueue(in_[size_t(side)], frame(bytes)), 0);
    }
    /// The same in segments of `size` bytes and a rest.
    void enter_in_segments(Side side, std::string_view bytes, size_t size) {
        rte_mbuf* packet = frame(bytes.substr(0, size));
        for (bytes.remove_prefix(size); !bytes.empty();
             bytes.remove_prefix(std::min(size, bytes.size()))) {
            ASSERT_EQ(rte_pktmbuf_chain(packet, frame(bytes.substr(0, size))), 0);
        }
        ASSERT_EQ(rte_ring_enqueue(in_[size_t(side)], packet), 0);
    }
    std::vector<std::string> leave(Side side) {
        std::vector<std::string> left;
        void* packet = nullptr;
        while (rte_ring_dequeue(out_[size_t(side)], &packet) == 0) {
            auto* mbuf = static_cast<rte_mbuf*>(packet);
            left.emplace_back(rte_pktmbuf_mtod(mbuf, const char*), mbuf->data_len);
            rte_pktmbuf_free(mbuf);
        }
        return left;
    }
    /// The wall clock is set by so much, as by NTP.
    void set_wall_clock(Nanos by) {
        wall_set_ += by;
        clock_.follow_wall_clock();
    }
    Worker& worker(uint16_t index = 0) { return *workers_[index]; }
    Does& stage(uint16_t index = 0) { return *stages_[index]; }
    RuleBoard& rules() { return rules_; }
    const config::Config& config() const { return config_; }
    stages::WorkerContext& context(uint16_t index = 0) { return *contexts_[index]; }

    /// Received = sent + dropped + in flight - injected, over all Workers.
    void expect_nothing_lost() const {
        uint64_t received = 0, sent = 0, dropped = 0, injected = 0;
        for (size_t i = 0; i < workers_.size(); ++i) {
            const auto& wire = counters_[i].wire[0];
            for (const auto& side : wire.side) {
                received += side.rx_packets.get();
                sent += side.tx_packets.get();
            }
            for (const auto& drop : wire.drops) dropped += drop.get();
            injected += wire.injected.get();
        }
        const uint64_t in_flight = hand_over_ ? hand_over_->in_flight(0) : 0;
        ASSERT_EQ(received + injected, sent + dropped + in_flight);
    }
    uint64_t drops(DropReason reason) const {
        return counters_[0].wire[0].drops[static_cast<size_t>(reason)].get();
    }
    const stages::Counters& counters(size_t index = 0) const { return counters_[index]; }

    std::function<void(Burst&)> on_burst;
    std::array<port::Door, 2> doors;

private:
    std::string name(const std::string& what) const { return concat(what, "_", number_); }
    rte_ring* ring(const std::string& what, unsigned size) {
        return rte_ring_create(name(what).c_str(), size, 0, RING_F_EXACT_SZ);
    }
    uint16_t port(size_t side) {
        const int id = rte_eth_from_rings(name("port" + std::to_string(side)).c_str(), &in_[side],
                                          1, &out_[side], 1, 0);
        EXPECT_GE(id, 0);
        const auto port = static_cast<uint16_t>(id);
        const rte_eth_conf conf{};
        EXPECT_EQ(rte_eth_dev_configure(port, 1, 1, &conf), 0);
        EXPECT_EQ(rte_eth_rx_queue_setup(port, 0, ring_size, 0, nullptr, pool_), 0);
        EXPECT_EQ(rte_eth_tx_queue_setup(port, 0, ring_size, 0, nullptr), 0);
        EXPECT_EQ(rte_eth_dev_start(port), 0);
        return port;
    }
    void add_worker(uint16_t index) {
        contexts_.push_back(
            std::make_unique<stages::WorkerContext>(stages::WorkerContext::Resources{
                config_, rules_.current(), counters_[index], pool_, index, 1}));
        auto stage = std::make_unique<Does>([this](Burst& burst) {
            if (on_burst) on_burst(burst);
        });
        stages_.push_back(stage.get());
        Pipeline pipeline;
        pipeline.push_back(std::move(stage));
        const int queue = index == 0 ? 0 : WireEnd::none;
        const WireEnds ends = {WireEnd{ports_[0], queue, queue, false, &doors[0]},
                               WireEnd{ports_[1], queue, queue, false, &doors[1]}};
        workers_.push_back(std::make_unique<Worker>(Worker::Setup{.index = index,
                                                                  .wires = {ends},
                                                                  .pipeline = std::move(pipeline),
                                                                  .context = *contexts_.back(),
                                                                  .rules = rules_,
                                                                  .hand_over = hand_over_.get(),
                                                                  .clock = &clock_,
                                                                  .idle = idle_}));
    }
    static config::Config small_config() {
        config::Config config = config::offline({});
        config.limits.flows = 1024;
        config.limits.half_open = 1024;
        config.limits.players = 16;
        return config;
    }

    int number_ = 0;
    const config::Config config_ = small_config();
    inline static Nanos wall_set_{};
    TscClock clock_{[] { return wall_clock() + wall_set_; }};
    RuleBoard rules_;
    const config::Idle idle_;
    rte_mempool* pool_ = nullptr;
    std::array<rte_ring*, 2> in_{}, out_{};
    std::array<uint16_t, 2> ports_{};
    std::unique_ptr<HandOver> hand_over_;
    std::unique_ptr<stages::Counters[]> counters_;
    std::vector<std::unique_ptr<stages::WorkerContext>> contexts_;
    std::vector<Does*> stages_;
    std::vector<std::unique_ptr<Worker>> workers_;
};

/// An IPv4 UDP frame of one flow, either direction, with a number in it.
std::string datagram(unsigned flow, bool answer, unsigned number) {
    std::string frame(12, '\x02');
    frame += std::string("\x08\x00\x45\x00\x00\x20\x00\x00\x40\x00\x40\x11\x00\x00", 14);
    const std::string client = {10, 1, static_cast<char>(flow >> 8), static_cast<char>(flow)};
    const std::string server = {10, 2, 0, 1};
    const std::string client_port = {'\x50', static_cast<char>(flow)}, server_port = {0, 53};
    frame += answer ? server + client + server_port + client_port
                    : client + server + client_port + server_port;
    frame += std::string("\x00\x0c\x00\x00", 4);
    return frame + std::string(reinterpret_cast<const char*>(&number), sizeof number);
}

TEST(Worker, CarriesFramesAcrossUnchangedAndInOrder) {
    std::cout << "seed " << seed << "\n";
    std::mt19937 random(seed);
    Wire wire;
    std::array<std::vector<std::string>, 2> sent, left;
    for (int i = 0; i < 5000; ++i) {
        const auto side = static_cast<Side>(random() % 2);
        std::string bytes(14 + random() % 1500, '\0');
        for (char& c : bytes) c = static_cast<char>(random());
        wire.enter(side, bytes);
        sent[size_t(side)].push_back(bytes);
        if (random() % 20 == 0) wire.worker().turn();
        if (random() % 40 == 0) {
            for (const Side out : {Side::outside, Side::inside}) {
                for (auto& frame : wire.leave(out)) left[size_t(opposite(out))].push_back(frame);
            }
        }
        wire.expect_nothing_lost();
        if (i % 200 == 199) {
            while (wire.worker().turn()) {
                for (const Side out : {Side::outside, Side::inside}) {
                    for (auto& frame : wire.leave(out))
                        left[size_t(opposite(out))].push_back(frame);
                }
            }
        }
    }
    EXPECT_EQ(left, sent);
    EXPECT_EQ(wire.drops(DropReason::tx_full), 0u);
}

TEST(Worker, CountsEveryPacketAtEveryTurn) {
    // Every third is refused, every fifth answered by a frame of ours, and the way
    // out is too narrow: each of them has its place in the sum.
    Wire wire(1, 40);
    unsigned seen = 0;
    wire.on_burst = [&](Burst& burst) {
        for (Packet& packet : burst.all()) {
            ++seen;
            if (seen % 3 == 0) packet.refuse(DropReason::verdict);
            if (seen % 5 == 0) burst.inject({wire.frame("injected"), 0, Side::outside});
        }
    };
    for (unsigned round = 0; round < 50; ++round) {
        for (unsigned i = 0; i < 100; ++i) {
            wire.enter(i % 4 == 0 ? Side::inside : Side::outside, std::string(60, 'x'));
        }
        while (wire.worker().turn()) wire.expect_nothing_lost();
        wire.leave(Side::inside);
        wire.leave(Side::outside);
    }
    EXPECT_EQ(wire.drops(DropReason::verdict), 50u * 100 / 3);
    EXPECT_EQ(wire.counters().wire[0].injected.get(), 50u * 100 / 5);
    EXPECT_GT(wire.drops(DropReason::tx_full), 0u);
}

/// How many were counted, and how many of them as longer than `ns`.
std::pair<uint64_t, uint64_t> counted(const stages::Durations& times, uint64_t ns) {
    uint64_t all = 0, longer = 0;
    for (size_t place = 0; place < stages::Durations::places; ++place) {
        all += times.count(place);
        if (place > 0 && stages::Durations::bound_ns(place - 1) >= ns) longer += times.count(place);
    }
    return {all, longer};
}

TEST(Worker, CountsHowLongItsPacketsWaitAndEachStageTakes) {
    Wire wire;
    unsigned delay_us = 0;
    wire.on_burst = [&](Burst& burst) {
        rte_delay_us_block(delay_us);
        if (!burst.empty()) burst[0].refuse(DropReason::verdict);
    };
    // Ten bursts of ten, one packet of which does not go on; two of them are slow.
    for (int turn = 0; turn < 10; ++turn) {
        for (int i = 0; i < 10; ++i) wire.enter(Side::outside, std::string(60, 'x'));
        delay_us = turn < 2 ? 2'100 : 0;
        EXPECT_TRUE(wire.worker().turn());
        EXPECT_EQ(wire.leave(Side::inside).size(), 9u);
    }
    EXPECT_FALSE(wire.worker().turn());
    const auto [packets, slow_packets] = counted(wire.counters().latencies, 2'000'000);
    EXPECT_EQ(packets, 90u) << "each packet that went on, and no idle turn";
    EXPECT_GE(slow_packets, 18u);
    const auto [bursts, slow_bursts] = counted(wire.counters().stage_times[0], 2'000'000);
    EXPECT_EQ(bursts, 10u);
    EXPECT_GE(slow_bursts, 2u);
    EXPECT_GE(wire.counters().latency_ns.get(), 18u * 2'100'000);
}

TEST(Worker, KeepsOffAPortWhoseDoorIsShut) {
    Wire wire;
    wire.enter(Side::inside, "from the port that goes");
    wire.doors[size_t(Side::inside)].shut();
    wire.enter(Side::outside, "to the port that went");
    while (wire.worker().turn()) {
    }
    EXPECT_TRUE(wire.leave(Side::inside).empty());
    EXPECT_TRUE(wire.leave(Side::outside).empty());
    EXPECT_EQ(wire.drops(DropReason::tx_full), 1u);
    wire.expect_nothing_lost();

    const auto id = static_cast<uint16_t>(wire.doors[size_t(Side::outside)].id());
    wire.doors[size_t(Side::inside)].open(static_cast<uint16_t>(id + 1));
    wire.enter(Side::outside, "to the port that is back");
    while (wire.worker().turn()) {
    }
    EXPECT_EQ(wire.leave(Side::inside), std::vector<std::string>{"to the port that is back"});
    EXPECT_EQ(wire.leave(Side::outside), std::vector<std::string>{"from the port that goes"});
}

TEST(Workers, CountTheTimeInRingsBetweenThem) {
    Wire wire(2);
    // All of what the first receives, handed over or not, it sends itself.
    for (unsigned i = 0; i < 100; ++i) wire.enter(Side::outside, datagram(i, false, i));
    while (wire.worker(0).turn()) {
    }
    rte_delay_us_block(4'200);
    for (int turns = 0; turns < 20; ++turns) {
        wire.worker(1).turn();
        wire.worker(0).turn();
    }
    EXPECT_EQ(wire.leave(Side::inside).size(), 100u);
    const auto [packets, waited] = counted(wire.counters(0).latencies, 4'000'000);
    EXPECT_EQ(packets, 100u);
    EXPECT_GT(waited, 10u);
    EXPECT_LT(waited, 90u) << "the first one's own share waited for nobody";
    EXPECT_EQ(counted(wire.counters(1).latencies, 0).first, 0u) << "counted where they leave";
}

TEST(Worker, EmptiesItsQueuesBeforeItStops) {
    Wire wire;
    for (int i = 0; i < 300; ++i) wire.enter(Side::outside, std::string(60, 'x'));
    wire.worker().stop();
    wire.worker().run();
    EXPECT_EQ(wire.leave(Side::inside).size(), 300u);
    wire.expect_nothing_lost();
}

TEST(Worker, BringsOrdersToItsStagesAlsoWithoutPackets) {
    Wire wire;
    verdicts::Order order;
    order.kind = verdicts::Order::Kind::unblock;
    EXPECT_TRUE(wire.worker().give(order));
    EXPECT_TRUE(wire.worker().turn());
    EXPECT_EQ(wire.stage().orders, std::vector{verdicts::Order::Kind::unblock});
    for (uint32_t i = 0; i < Worker::orders_max; ++i) EXPECT_TRUE(wire.worker().give(order));
    EXPECT_FALSE(wire.worker().give(order)) << "the ring has a limit";
}

TEST(Worker, KeepsItsTimeWhenTheWallClockIsSet) {
    for (const Nanos by : {Nanos(1h), Nanos(-1h), Nanos(24h * 60)}) {
        Wire wire;
        Nanos now{};
        wire.on_burst = [&](Burst& burst) { now = burst.now; };
        const auto turn = [&] {
            wire.enter(Side::outside, std::string(60, 'x'));
            ASSERT_TRUE(wire.worker().turn());
        };
        turn();
        const Nanos before = now;
        wire.set_wall_clock(by);
        turn();
        EXPECT_GE(now, before);
        EXPECT_LT(now - before, 1s) << "timers of flows and players go by it";
        const Nanos told = now + wire.context().wall_step;
        EXPECT_LT(abs(told - before - by), 1s) << "people are told the wall clock's";
        wire.set_wall_clock(-by);
        turn();
        EXPECT_LT(abs(wire.context().wall_step), 1s) << "and back";
    }
}

TEST(Worker, UsesNewRulesFromTheNextBurstOn) {
    Wire wire;
    std::thread runner([&] { wire.worker().run(); });
    std::shared_ptr<const policy::RuleSet> rules = policy::RuleSet::compile(wire.config());
    std::weak_ptr<const policy::RuleSet> old = rules;
    wire.rules().publish(std::move(rules));
    EXPECT_FALSE(old.expired());
    wire.rules().publish(policy::RuleSet::compile(wire.config()));
    EXPECT_TRUE(old.expired()) << "publish returns once nobody uses the old rules";
    wire.worker().stop();
    runner.join();
    EXPECT_EQ(wire.context().rules, wire.rules().current());
}

TEST(Workers, ThatAreFedByTheFirstKeepEachFlowTogetherAndInOrder) {
    constexpr uint16_t workers = 3;
    constexpr unsigned flows = 64, each = 100;
    Wire wire(workers, ring_size, config::Idle::sleep);
    std::vector<std::thread> threads;
    std::array<std::atomic<unsigned>, flows> owner{};
    wire.on_burst = [&](Burst& burst) {
        for (const Packet& packet : burst.all()) {
            const char* bytes = rte_pktmbuf_mtod(packet.mbuf, const char*);
            const bool answer = bytes[12 + 2 + 12] == 10 && bytes[12 + 2 + 13] == 2;
            const auto flow = static_cast<unsigned char>(bytes[12 + 2 + (answer ? 19 : 15)]);
            // Which Worker this is shows in its stage's thread.
            owner[flow].fetch_or(
                1u << (std::hash<std::thread::id>{}(std::this_thread::get_id()) % 31));
        }
    };
    for (uint16_t i = 0; i < workers; ++i) {
        threads.emplace_back([&, i] { wire.worker(i).run(); });
    }
    std::array<std::map<unsigned, std::vector<unsigned>>, 2> numbers;
    size_t taken = 0;
    const auto take = [&] {
        for (const Side out : {Side::outside, Side::inside}) {
            for (const std::string& frame : wire.leave(out)) {
                unsigned number = 0;
                std::memcpy(&number, frame.data() + frame.size() - 4, 4);
                const size_t at = out == Side::inside ? 29 : 33;
                numbers[size_t(out)][static_cast<unsigned char>(frame[at])].push_back(number);
                ++taken;
            }
        }
    };
    for (unsigned number = 0; number < each; ++number) {
        for (unsigned flow = 0; flow < flows; ++flow) {
            wire.enter(Side::outside, datagram(flow, false, number));
            wire.enter(Side::inside, datagram(flow, true, number));
        }
        // Not faster than a busy machine lets the threads run.
        for (int i = 0; i < 1000 && taken < 2 * flows * number; ++i) {
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
            take();
        }
    }
    for (uint16_t i = 0; i < workers; ++i) {
        wire.worker(i).stop();
        threads[i].join();
    }
    take();
    wire.expect_nothing_lost();
    std::vector<unsigned> expected(each);
    std::iota(expected.begin(), expected.end(), 0u);
    for (const auto& side : numbers) {
        EXPECT_EQ(side.size(), flows);
        for (const auto& [flow, seen] : side) EXPECT_EQ(seen, expected) << "flow " << flow;
    }
    for (unsigned flow = 0; flow < flows; ++flow) {
        EXPECT_EQ(std::popcount(owner[flow].load()), 1) << "flow " << flow << " had two Workers";
    }
}

/// Two Workers, of which the first hands on what is the second's.
struct FedByTheFirst {
    Wire wire{2};
    std::array<size_t, 2> came{};  ///< Packets in the last turn, of each.

    FedByTheFirst() {
        wire.on_burst = [this](Burst& burst) { came[turning_] += burst.size(); };
    }
    void turn() {
        came = {};
        for (const uint16_t worker : {uint16_t{0}, uint16_t{1}, uint16_t{0}}) {
            turning_ = worker;
            wire.worker(worker).turn();
        }
        wire.leave(Side::inside);
    }

private:
    uint16_t turning_ = 0;
};

TEST(Workers, ThatAreFedByTheFirstGetFragmentsWithTheirFlow) {
    FedByTheFirst fed;
    const std::string text(100, 'x');
    for (uint16_t flow = 0; flow < 50; ++flow) {
        const PacketBuilder segment =
            PacketBuilder{}
                .from({IpAddress::v4(0x0a010001), static_cast<uint16_t>(1024 + flow)})
                .to({IpAddress::v4(0x0a020001), 25565})
                .tcp(Seq(1), Seq(1), stream::tcp::ack)
                .payload(as_bytes(text));
        fed.wire.enter(Side::outside, as_text(portcullis::testing::built(segment)));
        fed.turn();
        const std::array<size_t, 2> whole = fed.came;
        const auto pieces = portcullis::testing::in_pieces(segment, 48, flow);
        for (const auto& piece : pieces) fed.wire.enter(Side::outside, as_text(piece));
        fed.turn();
        EXPECT_EQ(fed.came[0], whole[0] * pieces.size()) << "flow " << flow;
        EXPECT_EQ(fed.came[1], whole[1] * pieces.size()) << "flow " << flow;
    }
    fed.wire.expect_nothing_lost();
}

// A driver may hand over headers in pieces; where they lie must not change whose the frame is.
TEST(Workers, ThatAreFedByTheFirstGetFramesInSegmentsWithTheirFlow) {
    FedByTheFirst fed;
    for (uint16_t flow = 0; flow < 50; ++flow) {
        const bool v4 = flow % 2 == 0;
        const auto port = static_cast<uint16_t>(1024 + flow);
        const PacketBuilder segment =
            PacketBuilder{}
                .from({v4 ? IpAddress::v4(0x0a010001) : *parse_address("2001:db8::1"), port})
                .to({v4 ? IpAddress::v4(0x0a020001) : *parse_address("2001:db8::2"), 25565})
                .tcp(Seq(1), Seq(1), stream::tcp::ack)
                .payload(as_bytes(std::string(100, 'x')));
        const auto whole = portcullis::testing::built(segment);
        fed.wire.enter(Side::outside, as_text(whole));
        fed.turn();
        const std::array<size_t, 2> expected = fed.came;
        for (const size_t size : {13, 20, 33, 37, 55, 60}) {
            fed.wire.enter_in_segments(Side::outside, as_text(whole), size);
            fed.turn();
            EXPECT_EQ(fed.came, expected) << "flow " << flow << " in pieces of " << size;
        }
        const auto pieces = portcullis::testing::in_pieces(segment, 48, flow);
        for (const auto& piece : pieces) {
            fed.wire.enter_in_segments(Side::outside, as_text(piece), 30);
        }
        fed.turn();
        EXPECT_EQ(fed.came[0], expected[0] * pieces.size()) << "flow " << flow;
        EXPECT_EQ(fed.came[1], expected[1] * pieces.size()) << "flow " << flow;
    }
    fed.wire.expect_nothing_lost();
}

TEST(Worker, RestsWhenThereIsNothingToDo) {
    Wire wire(1, ring_size, config::Idle::sleep);
    timespec used{};
    std::thread runner([&] {
        wire.worker().run();
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    });
    std::this_thread::sleep_for(std::chrono::milliseconds(1000));
    wire.enter(Side::outside, std::string(60, 'x'));
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    EXPECT_EQ(wire.leave(Side::inside).size(), 1u) << "it wakes for a packet";
    wire.worker().stop();
    runner.join();
    const double share =
        (static_cast<double>(used.tv_nsec) * 1e-9 + static_cast<double>(used.tv_sec)) / 1.02;
    std::cout << "idle: " << share * 100 << " % of a core\n";
    EXPECT_LT(share, 0.10);
}

}  // namespace
}  // namespace portcullis::pipeline

int main(int argc, char** argv) {
    testing::InitGoogleTest(&argc, argv);
    portcullis::port::EalOptions options;
    options.placement = portcullis::port::place("", 0);
    const portcullis::port::Eal eal(options);
    return RUN_ALL_TESTS();
}
