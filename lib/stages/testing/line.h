#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <rte_mbuf.h>

#include "packet/burst.h"
#include "packet/headers.h"
#include "packet/packet_builder.h"
#include "stages/enforce/enforce.h"
#include "stages/parse/parse.h"
#include "stages/testing/sent.h"
#include "stages/track/track.h"

/// A Worker's stages with a client and a server to talk through them.  Between
/// track and enforce stands the real Connection with a reader that consumes
/// all: what decode does, without a game.
namespace portcullis::stages::testing {

namespace tcp = stream::tcp;
using protocol::Direction;

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

/// What became of one frame.
struct Fate {
    DropReason drop{};
    Way way{};
    bool has_flow = false;
    FlowState state{};
};

class Line {
public:
    explicit Line(config::Config c = configuration(), bool spread_by_nic = false,
                  bool sides_tell = false)
        : config_(std::move(c)),
          rules_(policy::RuleSet::compile(config_)),
          counters_(std::make_unique<Counters>()),
          context({config_, rules_.get(), *counters_, pool(), 0, 1, 0, spread_by_nic, sides_tell}),
          burst_(std::make_unique<Burst>()),
          parse_(context),
          track_(context),
          enforce_(context) {}
    ~Line() { EXPECT_EQ(rte_mempool_in_use_count(pool()), 0u); }

    /// All frames in one burst, in this order.
    std::vector<Fate> send(const std::vector<PacketBuilder>& frames) {
        std::vector<rte_mbuf*> mbufs;
        for (const PacketBuilder& frame : frames) mbufs.push_back(frame.make(pool()));
        return send_mbufs(mbufs);
    }
    Fate send(const PacketBuilder& frame) { return send(std::vector{frame}).at(0); }

    std::vector<Fate> send_mbufs(const std::vector<rte_mbuf*>& mbufs) {
        burst_->clear(now);
        for (rte_mbuf* mbuf : mbufs) burst_->add(mbuf, side, wire, now);
        parse_.process(*burst_);
        track_.process(*burst_);
        for (size_t i = 0; i < burst_->size(); ++i) read((*burst_)[i], static_cast<uint8_t>(i));
        enforce_.process(*burst_);
        std::vector<Fate> fates;
        for (const Packet& p : burst_->all()) {
            // A stranger's Flow is nobody's: it is gone with its burst.
            const bool known = p.flow != nullptr && !context.strangers.contains(*p.flow);
            fates.push_back(
                {p.drop, p.way, known, p.flow != nullptr ? p.flow->state : FlowState::inspected});
        }
        injected = take_injected(*burst_);
        on_leaving();
        for (rte_mbuf* mbuf : mbufs) rte_pktmbuf_free(mbuf);
        return fates;
    }

    void keep_house() {
        burst_->clear(now);
        for (Stage* stage : {static_cast<Stage*>(&track_), static_cast<Stage*>(&enforce_)}) {
            stage->keep_house(*burst_);
        }
        injected = take_injected(*burst_);
    }
    void obey(const verdicts::Order& order) {
        for (Stage* stage : {static_cast<Stage*>(&track_), static_cast<Stage*>(&enforce_)}) {
            stage->obey(order, *burst_);
        }
    }

    PacketBuilder from_client(uint32_t seq, uint32_t ack, uint8_t flags = tcp::ack,
                              std::string_view text = "") const {
        return PacketBuilder{}
            .from(client)
            .to(server)
            .tcp(Seq(seq), Seq(ack), flags)
            .payload(as_bytes(text));
    }
    PacketBuilder from_server(uint32_t seq, uint32_t ack, uint8_t flags = tcp::ack,
                              std::string_view text = "") const {
        return PacketBuilder{}
            .from(server)
            .to(client)
            .tcp(Seq(seq), Seq(ack), flags)
            .payload(as_bytes(text));
    }
    /// The client's numbers start at 101, the server's at 901.
    void shake_hands() {
        send(from_client(100, 0, tcp::syn));
        send(from_server(900, 101, tcp::syn | tcp::ack));
        EXPECT_TRUE(send(from_client(101, 901)).has_flow);
    }
    Flow* flow(const Endpoint& a = client, const Endpoint& b = server, uint8_t protocol = 6) {
        const FlowKey key = FlowKey::of(a, b, protocol);
        return context.flows.find({key, context.hash(key)});
    }
    uint64_t noticed(Notice n) const { return counters_->notices[size_t(n)].get(); }

    /// Called for each packet that is read; may decide something about it.
    std::function<void(Packet&, uint8_t)> on_packet = [](Packet&, uint8_t) {};
    /// Called when frames have gone through, before they are freed.
    std::function<void()> on_leaving = [] {};
    /// Bytes toward the client that the reader leaves, as if in mid-message.
    bool in_mid_message = false;
    std::vector<Sent> injected;
    Nanos now = 1000s;
    Side side = Side::outside;  ///< Where frames come in.
    uint8_t wire = 0;

private:
    void read(Packet& packet, uint8_t index) {
        if (!packet.inspected()) return;
        if (packet.is_tcp()) {
            const auto consume = [&](Direction direction, Bytes in) noexcept {
                const bool leave = in_mid_message && direction == Direction::to_client;
                return protocol::Progress{leave ? 0 : in.size(), 0, false};
            };
            packet.drop = packet.flow->connection
                              .accept(packet.direction, packet.segment(), context.streams, consume)
                              .drop;
        }
        on_packet(packet, index);
    }

    config::Config config_;
    std::unique_ptr<const policy::RuleSet> rules_;
    std::unique_ptr<Counters> counters_;

public:
    WorkerContext context;

private:
    std::unique_ptr<Burst> burst_;
    Parse parse_;
    Track track_;
    Enforce enforce_;
};

}  // namespace portcullis::stages::testing
