#pragma once

#include <array>
#include <functional>
#include <string>
#include <vector>

#include "packet/headers.h"
#include "stages/testing/test_worker.h"

/// A Worker's stages with a client and a server to talk through them.  Between
/// track and enforce stands the real Connection with a reader that consumes
/// all: what decode does, without a game.
namespace portcullis::stages::testing {

/// What became of one frame.
struct Fate {
    DropReason drop{};
    Way way{};
    bool has_flow = false;
    FlowState state{};
};

inline constexpr std::array<std::string_view, 3> stages_of_line = {"parse", "track", "enforce"};

class Line : public TestWorker {
public:
    explicit Line(config::Config c = configuration(), bool spread_by_nic = false,
                  bool sides_tell = false)
        : TestWorker(std::move(c), {0, spread_by_nic, sides_tell}, stages_of_line) {}

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
        stages_[0]->process(*burst_);
        stages_[1]->process(*burst_);
        for (size_t i = 0; i < burst_->size(); ++i) read((*burst_)[i], static_cast<uint8_t>(i));
        stages_[2]->process(*burst_);
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

    void keep_house() { injected = TestWorker::keep_house(now); }
    void obey(const verdicts::Order& order) { give(order, now); }

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
        return TestWorker::flow(a, b, protocol);
    }

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
};

}  // namespace portcullis::stages::testing
