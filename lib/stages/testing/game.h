#pragma once

#include "base/writer.h"
#include "stages/make_stage.h"
#include "stages/testing/line.h"

/// A game of protocol 47 through all the real stages of a Worker.
namespace portcullis::stages::testing {

using verdicts::VerdictRecord;

/// A frame of the uncompressed protocol: length, id, fields.
template <class Fields>
std::string packet(uint8_t id, Fields&& fields) {
    std::array<std::byte, 256> body;
    Writer writer{MutableBytes(body)};
    writer.u8(id);
    fields(writer);
    std::array<std::byte, 300> framed;
    Writer frame{MutableBytes(framed)};
    frame.varint(static_cast<uint32_t>(writer.size()));
    frame.bytes(writer.written());
    return std::string(as_text(frame.written()));
}

inline void text(Writer& w, std::string_view s) {
    w.varint(static_cast<uint32_t>(s.size()));
    w.text(s);
}

inline std::string handshake() {
    return packet(0x00, [](Writer& w) {
        w.varint(47);
        text(w, "play.example.org");
        w.u16(25565);
        w.varint(2);
    });
}
inline std::string login_start(std::string_view name) {
    return packet(0x00, [&](Writer& w) { text(w, name); });
}
inline std::string login_success(std::string_view name) {
    return packet(0x02, [&](Writer& w) {
        text(w, "64833f4a-7a1e-3ab0-992b-7055dde7fa8f");
        text(w, name);
    });
}
inline std::string join_game() {
    return packet(0x01, [](Writer& w) {
        w.u32(7);  // Entity id, then survival, overworld, easy, 20 players, default, no debug.
        w.u8(0);
        w.u8(0);
        w.u8(1);
        w.u8(20);
        text(w, "default");
        w.boolean(false);
    });
}
inline std::string look(float pitch) {
    return packet(0x05, [&](Writer& w) {
        w.f32(0);
        w.f32(pitch);
        w.boolean(true);
    });
}

/// One client and one server, and a Worker's stages between them.
class Game {
public:
    explicit Game(config::Config c)
        : config_(std::move(c)),
          rules_(policy::RuleSet::compile(config_)),
          counters_(std::make_unique<Counters>()),
          context_({config_, rules_.get(), *counters_, pool(), 0, 1}),
          burst_(std::make_unique<Burst>()) {
        for (std::string_view name : stage_names()) stages_.push_back(make_stage(name, context_));
        pass(frame(true, tcp::syn, ""));
        to_server_ += 1;
        pass(frame(false, tcp::syn | tcp::ack, ""));
        to_client_ += 1;
        pass(frame(true, tcp::ack, ""));
    }

    /// True when it went on to the server.
    bool client_says(const std::string& bytes) {
        const bool passed = pass(frame(true, tcp::psh | tcp::ack, bytes));
        to_server_ += static_cast<uint32_t>(bytes.size());
        return passed;
    }
    /// What it said last, sent again.
    bool client_says_again(const std::string& bytes) {
        to_server_ -= static_cast<uint32_t>(bytes.size());
        return client_says(bytes);
    }
    /// `gap` bytes behind what it has said.
    bool client_says_ahead(const std::string& bytes, uint32_t gap) {
        to_server_ += gap;
        const bool passed = pass(frame(true, tcp::psh | tcp::ack, bytes));
        to_server_ -= gap;
        return passed;
    }
    bool server_says(const std::string& bytes) {
        const bool passed = pass(frame(false, tcp::psh | tcp::ack, bytes));
        to_client_ += static_cast<uint32_t>(bytes.size());
        return passed;
    }
    void log_in(std::string_view name = "Alice") {
        client_says(handshake() + login_start(name));
        server_says(login_success(name) + join_game());
    }
    void client_closes() {
        pass(frame(true, tcp::fin | tcp::ack, ""));
        to_server_ += 1;
        pass(frame(false, tcp::fin | tcp::ack, ""));
        to_client_ += 1;
        pass(frame(true, tcp::ack, ""));
    }

    void client_resets() { pass(frame(true, tcp::rst, "")); }
    /// Nothing comes for so long, and each Flow is looked at.
    void wait(Nanos span) {
        now_ += span;
        for (uint32_t i = 0; i < Track::sweep_calls; ++i) {
            burst_->clear(now_);
            for (const auto& stage : stages_) stage->keep_house(*burst_);
            for (Sent& sent : take_injected(*burst_)) injected.push_back(std::move(sent));
        }
    }

    /// What Control was told since the last call.
    std::vector<VerdictRecord> told() {
        std::vector<VerdictRecord> all;
        VerdictRecord record;
        while (context_.records.pop(record)) all.push_back(record);
        return all;
    }
    /// What Control hears when it asks about the player.
    std::vector<verdicts::PlayerContext> described(const Endpoint& who = client) {
        verdicts::Order order;
        order.kind = verdicts::Order::Kind::describe;
        order.client = who;
        order.server = server;
        for (const auto& stage : stages_) stage->obey(order, *burst_);
        std::vector<verdicts::PlayerContext> all;
        verdicts::PlayerContext context;
        while (context_.contexts.pop(context)) all.push_back(context);
        return all;
    }
    void obey(const verdicts::Order& order) {
        burst_->clear(now_);
        for (const auto& stage : stages_) stage->obey(order, *burst_);
    }
    Flow* flow() {
        const FlowKey key = FlowKey::of(client, server, ip_protocol_tcp);
        return context_.flows.find({key, context_.hash(key)});
    }
    /// What became of the packet that was sent last.
    DropReason last_drop() const { return last_drop_; }
    WorkerContext& context() { return context_; }
    const Counters& counters() const { return *counters_; }
    uint64_t noticed(Notice n) const { return counters_->notices[static_cast<size_t>(n)].get(); }

    std::vector<Sent> injected;

private:
    PacketBuilder frame(bool up, uint8_t flags, const std::string& bytes) const {
        const Seq seq(up ? 100 + to_server_ : 900 + to_client_);
        const Seq ack((flags & tcp::ack) == 0 ? 0 : up ? 900 + to_client_ : 100 + to_server_);
        return PacketBuilder{}
            .from(up ? client : server)
            .to(up ? server : client)
            .tcp(seq, ack, flags)
            .payload(as_bytes(bytes));
    }
    bool pass(const PacketBuilder& built) {
        now_ += 50ms;
        rte_mbuf* mbuf = built.make(pool());
        burst_->clear(now_);
        const Packet& passing = burst_->add(mbuf, Side::outside, 0, now_);
        for (const auto& stage : stages_) stage->process(*burst_);
        last_drop_ = passing.drop;
        const bool passed = passing.alive();
        for (Sent& sent : take_injected(*burst_)) injected.push_back(std::move(sent));
        rte_pktmbuf_free(mbuf);
        return passed;
    }

    config::Config config_;
    std::unique_ptr<const policy::RuleSet> rules_;
    std::unique_ptr<Counters> counters_;
    WorkerContext context_;
    std::unique_ptr<Burst> burst_;
    std::vector<std::unique_ptr<Stage>> stages_;
    uint32_t to_server_ = 0, to_client_ = 0;
    Nanos now_ = 1000s;
    DropReason last_drop_{};
};

}  // namespace portcullis::stages::testing
