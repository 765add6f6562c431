// Goal: the packets that somebody asked for reach Control as JSON that reads back,
// however long their fields are; those that nobody asked for do not; and what is too
// much is counted.
// Method: a login and a game of protocol 47 through the real stages; and fields of all
// lengths into rooms of all sizes.

#include "stages/packet_trace.h"

#include <algorithm>

#include "protocol/field_visitor.h"
#include "stages/bounded_json.h"
#include "stages/detect/detect.h"
#include "stages/testing/game.h"

namespace portcullis::stages {
namespace {

using testing::client;
using testing::server;
namespace tcp = stream::tcp;
using verdicts::PacketRecord;

using testing::packet;
using testing::text;

/// A game whose packets are shown.
class Shown : public testing::TestWorker {
public:
    explicit Shown(const config::Logging& logging) : TestWorker(configured(logging)) {
        pass(true, tcp::syn, "");
        ++to_server_;
        pass(false, tcp::syn | tcp::ack, "");
        ++to_client_;
        pass(true, tcp::ack, "");
    }

    void log_in(std::string_view name) {
        client_says(testing::handshake());
        client_says(testing::login_start(name));
        server_says(testing::login_success(name));
    }
    void chats(std::string_view words) {
        client_says(packet(0x01, [&](Writer& w) { text(w, words); }));
    }
    void sends_payload(size_t size) {
        client_says(packet(0x17, [size](Writer& w) {
            text(w, "TEST");
            w.text(std::string(size, 'w'));
        }));
    }
    void moves() {
        client_says(packet(0x04, [](Writer& w) {
            w.f64(1.5);
            w.f64(64);
            w.f64(-3.25);
            w.boolean(true);
        }));
    }
    void obey(const verdicts::Order& order) { give(order, now); }
    std::vector<PacketRecord> shown() {
        std::vector<PacketRecord> all;
        for (PacketRecord record; context.packets.pop(record);) all.push_back(record);
        return all;
    }
    std::vector<std::string> names() {
        std::vector<std::string> all;
        for (const PacketRecord& record : shown()) all.emplace_back(record.name.view());
        return all;
    }
    uint64_t lost() const { return noticed(Notice::trace_lost); }

    Nanos now = 1'795'000'000s;
    Nanos step = 50ms;

private:
    static config::Config configured(const config::Logging& logging) {
        config::Config config = testing::configuration();
        config.logging = logging;
        config.limits.players = 16;
        return config;
    }
    void client_says(const std::string& bytes) {
        pass(true, tcp::psh | tcp::ack, bytes);
        to_server_ += static_cast<uint32_t>(bytes.size());
    }
    void server_says(const std::string& bytes) {
        pass(false, tcp::psh | tcp::ack, bytes);
        to_client_ += static_cast<uint32_t>(bytes.size());
    }
    void pass(bool up, uint8_t flags, const std::string& bytes) {
        now += step;
        const Seq seq(up ? 100 + to_server_ : 900 + to_client_);
        const Seq ack((flags & tcp::ack) == 0 ? 0 : up ? 900 + to_client_ : 100 + to_server_);
        put(PacketBuilder{}
                .from(up ? client : server)
                .to(up ? server : client)
                .tcp(seq, ack, flags)
                .payload(as_bytes(bytes)),
            Side::outside, now, [](const Packet&) {});
    }

    uint32_t to_server_ = 0, to_client_ = 0;
};

using Names = std::vector<std::string>;

TEST(PacketTrace, ShowsNothingUnasked) {
    Shown game({});
    game.log_in("Alice");
    game.moves();
    EXPECT_TRUE(game.shown().empty());
}

TEST(PacketTrace, ShowsEverybodysPackets) {
    config::Logging logging;
    logging.packets = true;
    Shown game(logging);
    game.log_in("Alice");
    game.moves();
    const std::vector<PacketRecord> shown = game.shown();
    ASSERT_EQ(shown.size(), 4u);
    EXPECT_EQ(shown[0].name.view(), "set_protocol");
    EXPECT_EQ(shown[0].state.view(), "handshake");
    EXPECT_EQ(shown[2].direction, protocol::Direction::to_client);
    const PacketRecord& move = shown[3];
    EXPECT_EQ(move.name.view(), "position");
    EXPECT_EQ(move.client, client);
    ASSERT_TRUE(move.has_fields);
    EXPECT_FALSE(move.cut);
    EXPECT_EQ(std::string_view(move.fields.data(), move.fields_size),
              R"("x":1.5,"y":64,"z":-3.25,"on_ground":true)");
}

TEST(PacketTrace, ShowsTheTypesNamed) {
    config::Logging logging;
    logging.packets = true;
    logging.packet_types = {"position", "login_start"};
    Shown game(logging);
    game.log_in("Alice");
    game.chats("hello");
    game.moves();
    EXPECT_EQ(game.names(), (Names{"login_start", "position"}));
}

TEST(PacketTrace, ShowsTheTypesNamedInCapitals) {
    config::Logging logging;
    logging.packets = true;
    logging.packet_types = {"PlayerPosition", "LoginStart"};
    Shown game(logging);
    game.log_in("Alice");
    game.chats("hello");
    game.moves();
    EXPECT_EQ(game.names(), (Names{"login_start", "position"}));
}

TEST(PacketTrace, FollowsPlayersWhateverTheTypes) {
    config::Logging logging;
    logging.packet_types = {"position"};
    logging.trace_players = {"aLiCe"};
    Shown alice(logging), bob(logging);
    alice.log_in("Alice");
    alice.chats("hello");
    bob.log_in("Bob");
    bob.chats("hello");
    EXPECT_EQ(alice.names(), (Names{"success", "chat"}));
    EXPECT_TRUE(bob.shown().empty());
}

TEST(PacketTrace, FollowsByOrderForItsTime) {
    Shown game({});
    game.log_in("Alice");
    verdicts::Order order;
    order.kind = verdicts::Order::Kind::trace;
    order.player.assign("alice");
    order.lasts = 1s;
    game.obey(order);
    game.moves();
    EXPECT_EQ(game.names(), Names{"position"});
    game.now += 2s;
    game.moves();
    game.moves();
    EXPECT_TRUE(game.shown().empty());
}

TEST(PacketTrace, CountsWhatIsTooMuch) {
    config::Logging logging;
    logging.packets = true;
    logging.packets_per_second = 10;
    Shown game(logging);
    game.log_in("Alice");
    game.shown();
    game.step = Nanos(1);
    game.now += 10s;
    for (int i = 0; i < 200; ++i) game.moves();
    EXPECT_EQ(game.shown().size(), 10u);
    EXPECT_EQ(game.lost(), 190u);
}

TEST(PacketTrace, CutsWhatIsLongAndSaysSo) {
    config::Logging logging;
    logging.packets = true;
    Shown game(logging);
    game.log_in("Alice");
    game.shown();
    game.chats("a \"quoted\" line\n");
    game.sends_payload(200);
    const std::vector<PacketRecord> shown = game.shown();
    ASSERT_EQ(shown.size(), 2u);
    const auto fields = [&](size_t i) {
        return std::string_view(shown[i].fields.data(), shown[i].fields_size);
    };
    EXPECT_EQ(fields(0), R"("message":"a \"quoted\" line\u000a")");
    EXPECT_FALSE(shown[0].cut);
    EXPECT_EQ(fields(1), "\"channel\":\"TEST\",\"data\":\"" + std::string(128, '7') + '"');
    EXPECT_TRUE(shown[1].cut);
}

// ---- The JSON ----

using Json = BoundedJson;

/// Brackets match and stand outside of texts: what cutting could break.
bool is_whole(std::string_view text) {
    std::string open;
    bool quoted = false;
    for (size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (quoted && c == '\\') {
            ++i;
        } else if (c == '"') {
            quoted = !quoted;
        } else if (!quoted && (c == '{' || c == '[')) {
            open += c == '{' ? '}' : ']';
        } else if (!quoted && (c == '}' || c == ']')) {
            if (open.empty() || open.back() != c) return false;
            open.pop_back();
        }
    }
    return open.empty() && !quoted && !text.ends_with(',') && !text.ends_with(':');
}

size_t write_all(Json& json) {
    using std::string_view_literals::operator""sv;
    json.field("name", "a \"quoted\" line\n"sv);
    json.open("slots", true);
    for (int64_t i = 0; i < 4; ++i) {
        json.open("", false);
        json.field("id", i);
        json.field("damage", 0.1 * static_cast<double>(i));
        json.open("tags", true);
        json.field("", true);
        json.field("", uint64_t{7});
        json.close();
        json.close();
    }
    json.close();
    json.field("last", false);
    return json.finish();
}

TEST(BoundedJson, IsWholeInAnyRoom) {
    std::array<char, 600> whole_room;
    Json whole{whole_room};
    const size_t whole_size = write_all(whole);
    ASSERT_FALSE(whole.cut());
    ASSERT_TRUE(is_whole({whole_room.data(), whole_size}));
    for (size_t room = 1; room <= whole_room.size(); ++room) {
        std::vector<char> bytes(room);
        Json json{bytes};
        const size_t size = write_all(json);
        ASSERT_LE(size, room);
        const std::string_view text(bytes.data(), size);
        EXPECT_TRUE(is_whole(text)) << room << ": " << text;
        EXPECT_EQ(json.cut(), size < whole_size) << room;
    }
}

TEST(BoundedJson, BoundsDepth) {
    std::array<char, 600> room;
    Json json{room};
    for (int i = 0; i < 40; ++i) json.open("o", i % 2 == 0);
    json.field("x", int64_t{1});
    for (int i = 0; i < 40; ++i) json.close();
    EXPECT_TRUE(is_whole({room.data(), json.finish()}));
    EXPECT_TRUE(json.cut());
}

}  // namespace
}  // namespace portcullis::stages
