// Goal: who a proxy says the player is, is read as proxies write it, from whatever else
// stands in the host field; and only the answer to the server's own question counts.
// Method: host fields and answers as BungeeCord, BungeeGuard, Velocity, Floodgate and
// Forge make them, whole, broken, and byte by byte.

#include <gtest/gtest.h>

#include "protocol/minecraft/host_field.h"
#include "protocol/minecraft/talk_test_support.h"
#include "protocol/minecraft/velocity.h"

namespace portcullis::minecraft {
namespace {

using namespace std::string_literals;
using testing::Made;
using testing::packet;
using testing::plain_frame;
using testing::Talk;

const std::string uuid_text = "069a79f444e94726a5befca90e38aaf5";
const std::string uuid_bytes = "\x06\x9a\x79\xf4\x44\xe9\x47\x26\xa5\xbe\xfc\xa9\x0e\x38\xaa\xf5";

struct HostCase {
    const char* name;
    std::string sent;
    std::string host;
    std::string loader;
    bool floodgate;
    bool forwarded;
    std::string address;  ///< Empty: not readable.
};

const HostCase host_cases[] = {
    {"plain", "play.example", "play.example", "", false, false, ""},
    {"from an SRV record", "play.example.", "play.example", "", false, false, ""},
    {"empty", "", "", "", false, false, ""},
    {"Forge 1.12", "h\0FML\0"s, "h", "FML", false, false, ""},
    {"Forge 1.16", "h\0FML2\0"s, "h", "FML2", false, false, ""},
    {"Forge 1.20", "h\0FML3\0"s, "h", "FML3", false, false, ""},
    {"Forge 1.21", "h\0FORGE"s, "h", "FORGE", false, false, ""},
    {"BungeeCord", "h\000198.51.100.7\0"s + uuid_text, "h", "", false, true, "198.51.100.7"},
    {"with properties", "h\000198.51.100.7\0"s + uuid_text + "\0[]"s, "h", "", false, true,
     "198.51.100.7"},
    {"with dashes", "h\000198.51.100.7\000069a79f4-44e9-4726-a5be-fca90e38aaf5"s, "h", "", false,
     true, "198.51.100.7"},
    {"the sixth version", "h\0002001:db8:0:0:0:0:0:7%eth0\0"s + uuid_text, "h", "", false, true,
     "2001:db8::7"},
    {"Forge behind BungeeCord", "h\0FML2\000198.51.100.7\0"s + uuid_text, "h", "FML2", false, true,
     "198.51.100.7"},
    {"Floodgate", "h\0^Floodgate^>iv!data"s, "h", "", true, false, ""},
    {"Floodgate behind BungeeCord", "h\0^Floodgate^>iv!data\000198.51.100.7\0"s + uuid_text, "h",
     "", true, true, "198.51.100.7"},
    {"TCPShield", "h///198.51.100.7:5///1700000000///sig", "h", "", false, false, ""},
    {"one word of another program", "h\0hello"s, "h", "", false, false, ""},
    {"no address", "h\0nobody\0"s + uuid_text, "h", "", false, true, ""},
    {"a short UUID", "h\000198.51.100.7\000069a79f4"s, "h", "", false, true, ""},
    {"a UUID that is none", "h\000198.51.100.7\0"s + std::string(32, 'x'), "h", "", false, true,
     ""},
    {"too much", "h\000198.51.100.7\0"s + uuid_text + "\0[]\0more"s, "h", "", false, true, ""},
    {"zeroes alone", "h"s + std::string(20, '\0'), "h", "", false, true, ""},
};

TEST(HostField, HoldsMoreThanTheHost) {
    for (const HostCase& c : host_cases) {
        const HostField field = read_host_field(c.sent);
        EXPECT_EQ(field.host, c.host) << c.name;
        EXPECT_EQ(field.loader, c.loader) << c.name;
        EXPECT_EQ(field.floodgate, c.floodgate) << c.name;
        EXPECT_EQ(field.forwarded, c.forwarded) << c.name;
        EXPECT_EQ(field.identity.readable ? to_string(field.identity.address) : "", c.address)
            << c.name;
    }
}

TEST(HostField, GivesBungeeGuardsToken) {
    const auto token = [](std::string_view json) { return std::string(bungeeguard_token(json)); };
    EXPECT_EQ(token(R"([{"name":"bungeeguard-token","value":"secret","signature":""}])"), "secret");
    EXPECT_EQ(token(R"([{"name":"textures","value":"e\"}]","signature":"s"},)"
                    R"( {"value" : "secret", "name" : "bungeeguard-token"} ])"),
              "secret");
    EXPECT_EQ(token(R"([{"name":"textures","value":"v"}])"), "");
    EXPECT_EQ(token(R"([{"name":"textures","value":"\"name\":\"bungeeguard-token\""}])"), "");
    EXPECT_EQ(token("[]"), "");
    EXPECT_EQ(token(""), "");
    // Twice: which one would the server take?
    EXPECT_EQ(token(R"([{"name":"bungeeguard-token","value":"a"},)"
                    R"({"name":"bungeeguard-token","value":"b"}])"),
              "");
    // Broken behind it: no server reads it at all.
    EXPECT_EQ(token(R"([{"name":"bungeeguard-token","value":"a"})"), "");
    EXPECT_EQ(token(R"([{"name":"bungeeguard-token","value":"a)"), "");
    EXPECT_EQ(token(R"([{"name":"bungeeguard-token","value":{"a":1}}])"), "");
}

// ---- Velocity ----

std::string answer(int version, const std::string& more = "",
                   const std::string& address = "198.51.100.7") {
    Made said;
    said.varint(version).text(address).raw(uuid_bytes).text("Alice");
    said.varint(2).text("textures").text("value").boolean(true).text("signature");
    said.text("other").text("value").boolean(false);
    return std::string(32, 's') + said.raw(more).str();
}
std::string key(bool signer) {
    Made made;
    made.i64(1).text("key").text("signature");
    if (signer) made.boolean(true).raw(uuid_bytes);
    return made.str();
}

TEST(Velocity, IsReadInEveryVersion) {
    const std::string answers[] = {answer(1), answer(2, key(false)), answer(3, key(true)),
                                   answer(4)};
    for (const std::string& a : answers) {
        const auto said = read_velocity(as_bytes(a));
        EXPECT_TRUE(said.readable);
        EXPECT_EQ(to_string(said.address), "198.51.100.7");
        EXPECT_EQ(said.name, "Alice");
        EXPECT_EQ(said.uuid[0], 0x06);
        EXPECT_EQ(as_text(said.signature), std::string(32, 's'));
        EXPECT_EQ(as_text(said.signed_bytes), a.substr(32));
        for (size_t size = 0; size < a.size(); ++size) {
            const std::vector<char> exact(a.begin(), a.begin() + static_cast<ptrdiff_t>(size));
            EXPECT_FALSE(read_velocity(as_bytes(exact.data(), size)).readable) << size;
        }
    }
}

TEST(Velocity, IsNotReadInOthers) {
    EXPECT_FALSE(read_velocity(as_bytes(answer(0))).readable);
    EXPECT_FALSE(read_velocity(as_bytes(answer(5))).readable);
    EXPECT_FALSE(read_velocity(as_bytes(answer(1, "", "nobody"))).readable);
    EXPECT_FALSE(read_velocity(as_bytes(answer(1, "", std::string(65, '1')))).readable);
}

/// Tells of forwarding alone.
struct Forwardings {
    void frame(const Frame&) noexcept {}
    void on(const protocol::IdentityForwarded& e) noexcept {
        heard +=
            (e.readable ? to_string(e.address) + ' ' + std::string(e.name) : "unreadable") + ';';
    }
    void on(const protocol::ForwardingDeclined&) noexcept { heard += "declined;"; }
    std::string heard;
};

/// A login of 1.16.5 up to where the server asks with this id.
struct Login {
    explicit Login(int32_t id = 42, std::string_view channel = velocity_channel) {
        to_server(plain_frame(testing::handshake(754, 2).str()));
        to_server(plain_frame(packet(0).text("Alice").str()));
        feed(Direction::to_client, plain_frame(packet(4).varint(id).text(channel).u8(4).str()));
    }
    void to_server(const std::string& bytes) { feed(Direction::to_server, bytes); }
    void feed(Direction direction, const std::string& bytes) {
        decoder.feed(session, direction, as_bytes(bytes), listener);
    }
    void answers(int32_t id, const std::string& data) {
        to_server(plain_frame(packet(2).varint(id).boolean(true).raw(data).str()));
    }
    Decoder decoder;
    Session session;
    Forwardings listener;
};

TEST(Velocity, OnlyTheServersQuestionIsAnswered) {
    for (const int32_t id : {0, 42, -7}) {
        Login login(id);
        login.answers(id + 1, answer(1));
        EXPECT_EQ(login.listener.heard, "");
        login.answers(id, answer(1));
        EXPECT_EQ(login.listener.heard, "198.51.100.7 Alice;");
        login.answers(id, answer(1));
        EXPECT_EQ(login.listener.heard, "198.51.100.7 Alice;") << "once";
    }
    Login other(42, "fml:loginwrapper");
    other.answers(42, answer(1));
    EXPECT_EQ(other.listener.heard, "");
}

TEST(Velocity, AClientWithoutAProxyDeclines) {
    Login login;
    login.to_server(plain_frame(packet(2).varint(42).boolean(false).str()));
    EXPECT_EQ(login.listener.heard, "declined;");
}

TEST(Velocity, ABrokenAnswerIsToldAsSuch) {
    Login login;
    login.answers(42, "short");
    EXPECT_EQ(login.listener.heard, "unreadable;");
}

// ---- in the stream ----

TEST(Handshake, TellsHostAndForwardingApart) {
    Talk talk;
    const std::string host = "play.example\0FML2\000198.51.100.7\0"s + uuid_text;
    const Made sent = packet(0).varint(754).text(host).i16(25565).varint(2);
    EXPECT_EQ(talk.client_says(sent),
              "Handshake 754 play.example:25565 2; Forwarded by bungeecord 198.51.100.7 ");
}

TEST(Handshake, ForwardingIsTheSameAtEveryCut) {
    const std::string host = "play.example\000198.51.100.7\0"s + uuid_text + "\0[]"s;
    const std::string bytes =
        plain_frame(packet(0).varint(754).text(host).i16(25565).varint(2).str());
    for (size_t cut = 1; cut < bytes.size(); ++cut) {
        Talk talk;
        talk.client(bytes.substr(0, cut));
        talk.client(bytes.substr(cut));
        EXPECT_EQ(talk.recorder.heard(),
                  "Handshake 754 play.example:25565 2; Forwarded by bungeecord 198.51.100.7 ");
    }
}

}  // namespace
}  // namespace portcullis::minecraft
