#pragma once

#include "base/writer.h"
#include "stages/testing/test_worker.h"
#include "stages/track/track.h"

/// A game of protocol 47 through all the real stages of a Worker.
namespace portcullis::stages::testing {

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
class Game : public TestWorker {
public:
    explicit Game(config::Config c) : TestWorker(std::move(c)) {
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
        for (uint32_t i = 0; i < Track::sweep_calls; ++i) keep(keep_house(now_));
    }

    /// What Control hears when it asks about the player.
    std::vector<verdicts::PlayerContext> described(const Endpoint& who = client) {
        verdicts::Order order;
        order.kind = verdicts::Order::Kind::describe;
        order.client = who;
        order.server = server;
        obey(order);
        std::vector<verdicts::PlayerContext> all;
        for (verdicts::PlayerContext one; context.contexts.pop(one);) all.push_back(one);
        return all;
    }
    void obey(const verdicts::Order& order) { give(order, now_); }
    Flow* flow() { return TestWorker::flow(client, server, ip_protocol_tcp); }
    /// What became of the packet that was sent last.
    DropReason last_drop() const { return last_drop_; }

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
        bool passed = false;
        keep(put(built, Side::outside, now_, [&](const Packet& packet) {
            last_drop_ = packet.drop;
            passed = packet.alive();
        }));
        return passed;
    }
    void keep(std::vector<Sent> sent) {
        for (Sent& one : sent) injected.push_back(std::move(one));
    }

    uint32_t to_server_ = 0, to_client_ = 0;
    Nanos now_ = 1000s;
    DropReason last_drop_{};
};

}  // namespace portcullis::stages::testing
