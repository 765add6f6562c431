#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <rte_mbuf.h>

#include "packet/burst.h"
#include "packet/packet_builder.h"
#include "stages/make_stage.h"
#include "stages/testing/sent.h"

namespace portcullis::stages::testing {

namespace tcp = stream::tcp;
using protocol::Direction;
using verdicts::VerdictRecord;

inline const Endpoint client = *parse_endpoint("198.51.100.7:50122");
inline const Endpoint server = *parse_endpoint("10.0.0.2:25565");
inline const Endpoint game_server = *parse_endpoint("10.0.0.3:3565");

inline config::Config configuration() {
    config::Config config;
    config.limits.flows = 1000;
    config.limits.half_open = 64;
    config.limits.players = 64;
    config.limits.stream_bytes_total = 1 << 20;
    config.limits.stream_bytes = 16'384;
    config.verdict_log.evidence.players = 0;
    config.policies.emplace_back().name = "default";
    config::Service& survival = config.services.emplace_back();
    survival.name = "survival";
    survival.endpoint = server;
    config::Service& shadow = config.services.emplace_back();
    shadow.name = "shadow";
    shadow.protocol = protocol::Protocol::shadowland;
    shadow.endpoint = game_server;
    return config;
}

inline rte_mempool* pool() {
    static rte_mempool* made =
        rte_pktmbuf_pool_create("stages_test", 2047, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, 0);
    return made;
}

/// A Worker without ports: its context and its stages, through which a test puts frames by
/// hand.  What is made of it is a game or a crowd: Line, Game, Town, ShadowlandGame.
class TestWorker {
public:
    /// Beside what every test has.
    struct Kind {
        uint32_t keys_max = 0;
        bool spread_by_nic = false;
        bool sides_tell = false;
    };

    TestWorker(const TestWorker&) = delete;
    TestWorker& operator=(const TestWorker&) = delete;
    ~TestWorker() { EXPECT_EQ(rte_mempool_in_use_count(pool()), 0u); }

    Flow* flow(const Endpoint& a, const Endpoint& b, uint8_t protocol) {
        const FlowKey key = FlowKey::of(a, b, protocol);
        return context.flows.find({key, context.hash(key)});
    }
    const Counters& counters() const { return *counters_; }
    uint64_t noticed(Notice n) const { return counters_->notices[static_cast<size_t>(n)].get(); }
    uint64_t found(std::string_view check) const {
        return counters_->findings[checks::check_id(check)].get();
    }
    /// What Control was told since the last call.
    std::vector<VerdictRecord> told() {
        std::vector<VerdictRecord> all;
        for (VerdictRecord record; context.records.pop(record);) all.push_back(record);
        return all;
    }

private:
    config::Config config_;
    std::unique_ptr<const policy::RuleSet> rules_;
    std::unique_ptr<Counters> counters_;

public:
    WorkerContext context;

protected:
    explicit TestWorker(config::Config c, Kind kind = {0, false, false},
                        std::span<const std::string_view> names = stage_names())
        : config_(std::move(c)),
          rules_(policy::RuleSet::compile(config_)),
          counters_(std::make_unique<Counters>()),
          context({config_, rules_.get(), *counters_, pool(), 0, 1, kind.keys_max,
                   kind.spread_by_nic, kind.sides_tell}),
          burst_(std::make_unique<Burst>()) {
        for (const std::string_view name : names) stages_.push_back(make_stage(name, context));
    }

    const config::Config& config() const { return config_; }

    /// One frame through all stages; `look` sees the packet before it is freed.  Returns what
    /// the stages sent of their own.
    template <class Look>
    std::vector<Sent> put(const PacketBuilder& frame, Side side, Nanos now, Look&& look) {
        rte_mbuf* const mbuf = frame.make(pool());
        burst_->clear(now);
        const Packet& packet = burst_->add(mbuf, side, 0, now);
        for (const auto& stage : stages_) stage->process(*burst_);
        look(packet);
        std::vector<Sent> sent = take_injected(*burst_);
        rte_pktmbuf_free(mbuf);
        return sent;
    }
    /// What a Worker does when nothing comes; returns what that sent.
    std::vector<Sent> keep_house(Nanos now) {
        burst_->clear(now);
        for (const auto& stage : stages_) stage->keep_house(*burst_);
        return take_injected(*burst_);
    }
    void give(const verdicts::Order& order, Nanos now) {
        burst_->clear(now);
        for (const auto& stage : stages_) stage->obey(order, *burst_);
    }

    std::unique_ptr<Burst> burst_;
    std::vector<std::unique_ptr<Stage>> stages_;
};

}  // namespace portcullis::stages::testing
