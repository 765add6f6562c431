#pragma once

#include <vector>

#include "protocol/shadowland/payload.h"
#include "protocol/shadowland/speak_test_support.h"
#include "stages/testing/test_worker.h"

namespace portcullis::stages::testing {

using namespace shadowland;
using Datagram = std::vector<std::byte>;

inline config::Config shadowland_configuration() {
    config::Config config = configuration();
    config.limits.players = 64;
    return config;
}

/// What became of one datagram.
struct Passed {
    DropReason drop{};
    Datagram went;  ///< As it left; empty when it did not.
    bool went_on() const { return drop == DropReason::none; }
};

/// Clients and a server of Shadowland by hand, and a Worker's stages between them.
class ShadowlandGame : public TestWorker {
public:
    static constexpr uint32_t id = 7;  ///< Of the first session.

    explicit ShadowlandGame(config::Config c = shadowland_configuration())
        : TestWorker(std::move(c), {.keys_max = 16, .spread_by_nic = false, .sides_tell = true}) {}
    void know_the_secret() {
        secrets.server = game_server;
        secrets.has_cookie = true;
        secrets.cookie.fill(std::byte{0x33});
        context.shadowland_keys.add(secrets);
    }

    Passed up(const Datagram& datagram, const Endpoint& from = client) {
        return send(PacketBuilder{}.link(outside_link()).from(from).to(game_server), datagram,
                    Side::outside);
    }
    Passed down(const Datagram& datagram, const Endpoint& to = client) {
        return send(PacketBuilder{}.link(inside_link()).from(game_server).to(to), datagram,
                    Side::inside);
    }
    /// In the server's name, from among its players.
    Passed forged(const Datagram& datagram, const Endpoint& to = client) {
        return send(PacketBuilder{}.link(outside_link()).from(game_server).to(to), datagram,
                    Side::outside);
    }
    /// A client gets in: cookie, acceptance, the world.
    void let_in(const Endpoint& who = client, uint32_t connection_id = id) {
        up(connect(Datagram(cookie_size)), who);
        down(accepted(connection_id), who);
        CreateEntity self;
        self.entity = connection_id;
        self.bits = CreateEntity::is_self;
        self.map = 1;
        self.symbol.text = "Alice";
        self.position = {409'700, 409'000, 1'000};
        self.flags.state = state::alive;
        down(game(1, self, Direction::to_client, 1, Channel::reliable_ordered, connection_id), who);
    }
    template <class Message>
    static Datagram game(uint8_t type, const Message& message, Direction d, uint64_t sequence,
                         Channel channel = Channel::unreliable, uint32_t connection_id = id) {
        return plain({.connection_id = connection_id, .channel = channel, .sequence = sequence},
                     message_bytes(type, message, d));
    }
    Flow* flow(const Endpoint& who = client) {
        return TestWorker::flow(who, game_server, ip_protocol_udp);
    }
    const ShadowlandCounts& counts() const { return counters().shadowland[1]; }
    uint64_t connects(ConnectFate fate) const { return counts().connects[size_t(fate)].get(); }

    keys::ShadowlandSecrets secrets{};
    std::vector<Sent> injected;
    Nanos now = 1'795'150'000s;

private:
    static LinkHeader link(uint8_t to, uint8_t from) {
        LinkHeader header;
        header.addresses = {2, 0, 0, 0, 0, to, 2, 0, 0, 0, 0, from};
        header.tag_count = 1;
        header.tag_controls[0] = {0x20, 0x2a};
        return header;
    }
    static LinkHeader outside_link() { return link(1, 9); }
    static LinkHeader inside_link() { return link(9, 1); }

    Passed send(PacketBuilder built, const Datagram& datagram, Side side) {
        Passed passed;
        injected = put(built.udp().payload(datagram), side, now, [&](const Packet& packet) {
            passed.drop = packet.drop;
            if (!packet.alive()) return;
            EXPECT_TRUE(checksums_hold(packet));
            const Bytes left = packet.payload();
            passed.went.assign(left.begin(), left.end());
        });
        return passed;
    }
};

/// A client whose session is sealed, and the server's side of it.
struct SealedSession {
    static constexpr uint32_t id = ShadowlandGame::id;
    ShadowlandGame& game;
    keys::ShadowlandKey key{};
    std::array<std::array<uint64_t, channels>, 2> sequences{};

    explicit SealedSession(ShadowlandGame& g) : game(g) {
        key.client = client;
        key.server = game_server;
        key.connection_id = id;
        key.to_server.fill(std::byte{1});
        key.to_client.fill(std::byte{2});
        game.up(connect(Datagram(cookie_size)));
        ConnectionAccepted yes;
        yes.mode = 1;
        yes.public_key = zero_key;
        game.down(control(ControlType::connection_accepted, yes, Direction::to_client,
                          {.connection_id = id}));
    }
    template <class Message>
    void say(Direction d, uint8_t type, const Message& message, Channel channel) {
        const Datagram body = message_bytes(type, message, d);
        Datagram out(header_size + body.size() + tag_size);
        Header header;
        header.connection_id = id;
        header.flags = flag::sealed;
        header.key_phase = (key.epoch & 1) != 0;
        header.channel = channel;
        header.sequence = ++sequences[index_of(d)][index_of(channel)];
        write_header(header, out);
        std::ranges::copy(body, out.begin() + header_size);
        const bool up = d == Direction::to_server;
        Cipher::seal(header, out, up ? key.to_server : key.to_client);
        up ? game.up(out) : game.down(out);
        game.now += 50ms;
    }
    void enter() {
        CreateEntity self;
        self.entity = 1;
        self.bits = CreateEntity::is_self;
        self.map = 1;
        self.symbol.text = "Alice";
        self.position = {409'700, 409'000, 1'000};
        self.flags.state = state::alive;
        say(Direction::to_client, 1, self, Channel::reliable_ordered);
    }
    void leap() {
        SyncEntityQuantized sync;
        sync.fields.delta = delta::position;
        sync.fields.quadrant = 496;
        for (const int16_t x : std::to_array<int16_t>({101, 111, 9'000})) {
            sync.client_time_ms += 50;
            sync.fields.position = {x, 25'000, 1'000};
            say(Direction::to_server, 1, sync, Channel::unreliable);
        }
    }
};

}  // namespace portcullis::stages::testing
