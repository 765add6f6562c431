// Goal: with its key an enciphered connection tells what it would tell in plain, however
// it is cut and however late the key comes; without one it becomes opaque in bounded
// room; a goodbye of ours reads on from what the server sent.
// Method: one conversation, told in plain and enciphered as OpenSSL does (cfb8_test).

#include <functional>
#include <random>

#include <gtest/gtest.h>

#include "protocol/minecraft/disconnect.h"
#include "protocol/minecraft/talk_test_support.h"

namespace portcullis::minecraft {
namespace {

using namespace testing;

constexpr int32_t version = 754;
constexpr Cfb8::Secret secret = {std::byte{0x22}, std::byte{0x97}, std::byte{0x3f}, std::byte{0xca},
                                 std::byte{0x62}};

Decoder::Settings keys_come() {
    Decoder::Settings settings;
    settings.keys_come = true;
    return settings;
}

/// What both sides say after the encryption response, frame by frame.
struct Line {
    Direction direction;
    std::string bytes;
};

std::vector<Line> conversation() {
    const auto server = [](const std::string& bytes) { return Line{Direction::to_client, bytes}; };
    const auto client = [](const std::string& bytes) { return Line{Direction::to_server, bytes}; };
    const auto small = [](const Made& made) { return small_frame(made.str()); };
    std::vector<Line> lines;
    lines.push_back(server(plain_frame(packet(3).varint(64).str())));
    lines.push_back(server(small(packet(2).raw(std::string(16, '\7')).text("Alice"))));
    // Chunks, which pass unread: of many sizes around the cipher's block.
    for (const size_t size : {1u, 2u, 15u, 16u, 17u, 18u, 33u, 3000u}) {
        lines.push_back(server(small(packet(0x20).raw(std::string(size, 'c')))));
    }
    lines.push_back(server(packed_frame(packet(0x20).raw(std::string(9000, 'c')).str())));
    lines.push_back(server(small(packet(0x1f).i64(5))));
    lines.push_back(client(small(packet(0x10).i64(5))));
    for (int i = 0; i < 5; ++i) {
        lines.push_back(client(small(packet(0x12).f64(i).f64(64).f64(-3).boolean(true))));
    }
    lines.push_back(client(packed_frame(packet(3).text(std::string(200, 'x')).str())));
    lines.push_back(server(small(packet(0x1f).i64(6))));
    lines.push_back(client(small(packet(0x10).i64(6))));
    return lines;
}

/// Plays the login until the client's secret is on its way.
void begin(Talk& talk) {
    talk.client_says(handshake(version, 2));
    talk.client_says(packet(0).text("Alice"));
    talk.server_says(packet(1).text("").text("key").text("token"));
    talk.client(talk.framed(packet(1).text("secret").text("token")));
    talk.recorder.heard();
}

std::vector<Line> enciphered(std::vector<Line> lines) {
    const Cfb8 cipher(secret);
    std::array<Cfb8::Register, 2> last = {secret, secret};
    for (Line& line : lines) {
        cipher.encrypt({reinterpret_cast<std::byte*>(line.bytes.data()), line.bytes.size()},
                       last[static_cast<size_t>(line.direction)]);
    }
    return lines;
}

struct Told {
    std::vector<std::string> events, frames;
};

Told told(const Talk& talk) { return {talk.recorder.events(), talk.recorder.frames}; }

Told told_in_plain() {
    Talk talk;
    talk.client_says(handshake(version, 2));
    talk.client_says(packet(0).text("Alice"));
    talk.recorder.frames.clear();
    for (const Line& line : conversation()) talk.send(line.direction, line.bytes);
    return told(talk);
}

TEST(Encryption, TellsTheSameHoweverItIsCut) {
    const Told plain = told_in_plain();
    ASSERT_EQ(plain.events.size(), 11u);  // LoggedIn, keep-alives, moves and a chat line.
    const unsigned seed = std::random_device{}();
    std::printf("seed %u\n", seed);
    std::mt19937 random(seed);
    for (const size_t piece_max : {1u, 2u, 7u, 16u, 40u, 1460u, 100'000u}) {
        Talk talk(keys_come());
        talk.recorder.key = secret;
        begin(talk);
        talk.recorder.frames.clear();
        for (const Line& line : enciphered(conversation())) {
            for (size_t at = 0; at < line.bytes.size();) {
                const size_t size = piece_max == 1 ? 1 : 1 + random() % piece_max;
                talk.send(line.direction, std::string_view(line.bytes).substr(at, size));
                at += size;
            }
        }
        EXPECT_EQ(told(talk).events, plain.events) << piece_max;
        EXPECT_EQ(told(talk).frames, plain.frames) << piece_max;
    }
}

TEST(Encryption, AllOfADirectionInOnePieceTellsTheSame) {
    Talk talk(keys_come());
    talk.recorder.key = secret;
    begin(talk);
    std::array<std::string, 2> all;
    for (const Line& line : enciphered(conversation())) {
        all[static_cast<size_t>(line.direction)] += line.bytes;
    }
    talk.server(all[1]);
    talk.client(all[0]);
    EXPECT_EQ(talk.recorder.events().size(), told_in_plain().events.size());
}

TEST(Encryption, ALateKeyMissesNothing) {
    const Told plain = told_in_plain();
    const std::vector<Line> lines = enciphered(conversation());
    for (size_t late = 0; late < lines.size(); ++late) {
        Talk talk(keys_come());
        begin(talk);
        talk.recorder.frames.clear();
        for (size_t i = 0; i < lines.size(); ++i) {
            if (i == late) talk.recorder.key = secret;
            talk.send(lines[i].direction, lines[i].bytes);
        }
        // In order within a direction; between them the later one may come first.
        auto expected = plain.frames, found = told(talk).frames;
        std::ranges::sort(expected);
        std::ranges::sort(found);
        const bool server_spoke_since = late < lines.size() - 1;
        if (server_spoke_since) {
            EXPECT_EQ(found, expected) << late;
        }
        for (const std::string& event : told(talk).events) {
            EXPECT_EQ(event.find("Malformed"), std::string::npos) << late << ": " << event;
        }
    }
}

// The client's part of what waited is read behind all of the server's, which may have gone
// through several states since.
TEST(Encryption, ALateKeyFindsTheClientInItsState) {
    const auto server = [](const Made& made) {
        return Line{Direction::to_client, plain_frame(made.str())};
    };
    const auto client = [](const Made& made) {
        return Line{Direction::to_server, plain_frame(made.str())};
    };
    const std::vector<Line> lines = enciphered({
        server(packet(2).raw(std::string(16, '\1')).text("Alice").varint(0)),
        client(packet(3)),
        server(packet(2)),  // Of the configuration, this and the next: it is over.
        client(packet(2)),
        server(packet(0x67)),  // Once more: a server behind a proxy.
        client(packet(0x0b)),
        server(packet(2)),
        client(packet(2)),
        server(packet(0x24).i64(8)),
        client(packet(0x15).i64(8)),
    });
    for (size_t late = 0; late < lines.size() - 1; ++late) {
        Talk talk(keys_come());
        talk.client(talk.framed(handshake(765, 2)));
        talk.client(talk.framed(packet(0).text("Alice").raw(std::string(16, '\1'))));
        talk.server(talk.framed(packet(1).text("").text("key").text("token")));
        talk.client(talk.framed(packet(1).text("secret").text("token")));
        for (size_t i = 0; i < lines.size(); ++i) {
            if (i == late) talk.recorder.key = secret;
            talk.send(lines[i].direction, lines[i].bytes);
        }
        EXPECT_EQ(talk.session.half(Direction::to_server).state, State::play) << late;
        const std::string heard = talk.recorder.heard();
        EXPECT_TRUE(heard.contains("KeepAliveAnswered 8")) << late << ": " << heard;
        EXPECT_FALSE(heard.contains("Malformed")) << late << ": " << heard;
    }
}

TEST(Encryption, WithoutAFeedItIsOpaqueAtOnce) {
    Talk talk;
    talk.client_says(handshake(version, 2));
    talk.client_says(packet(0).text("Alice"));
    talk.server_says(packet(1).text("").text("key").text("token"));
    EXPECT_EQ(talk.client_says(packet(1).text("secret").text("token")), "BecameOpaque");
}

TEST(Encryption, WaitsForAKeyInBoundedRoomOnly) {
    Talk talk(keys_come());
    begin(talk);
    const size_t most = Decoder::Settings().ciphertext_max;
    talk.server(std::string(most, 'x'));
    EXPECT_EQ(talk.recorder.heard(), "");
    EXPECT_EQ(talk.pipes[1].waiting.size(), most);
    talk.server("x");
    EXPECT_EQ(talk.recorder.heard(), "BecameOpaque");
    EXPECT_TRUE(talk.pipes[1].finished);
    talk.client("x");
    EXPECT_TRUE(talk.pipes[0].finished);
}

TEST(Encryption, AWrongKeyBreaksTheFramingAndNothingElse) {
    for (int wrong = 0; wrong < 50; ++wrong) {
        Talk talk(keys_come());
        Cfb8::Secret other = secret;
        other.back() = static_cast<std::byte>(wrong + 1);
        talk.recorder.key = other;
        begin(talk);
        for (const Line& line : enciphered(conversation())) talk.send(line.direction, line.bytes);
        EXPECT_TRUE(talk.recorder.heard().find("LoggedIn") == std::string::npos) << wrong;
    }
}

TEST(Encryption, AGoodbyeReadsOnFromTheServersLastByte) {
    Talk talk(keys_come());
    talk.recorder.key = secret;
    begin(talk);
    std::string to_client;
    for (const Line& line : enciphered(conversation())) {
        talk.send(line.direction, line.bytes);
        if (line.direction == Direction::to_client) to_client += line.bytes;
    }
    std::array<std::byte, disconnect_size_max> room;
    const size_t size = write_disconnect(talk.session, "you flew", room);
    ASSERT_GT(size, 0u);
    const MutableBytes goodbye = MutableBytes(room).first(size);
    ASSERT_TRUE(seal(talk.session, goodbye));
    to_client += as_text(goodbye);

    std::string plain(to_client.size(), '\0');
    Cfb8::Register last = secret;
    Cfb8(secret).decrypt(as_bytes(to_client), last,
                         {reinterpret_cast<std::byte*>(plain.data()), plain.size()});
    EXPECT_NE(plain.find("you flew", plain.size() - size), std::string::npos);
}

TEST(Encryption, NoGoodbyeWithinAPacketOrWithoutTheKey) {
    Talk talk(keys_come());
    begin(talk);
    std::array<std::byte, disconnect_size_max> room;
    EXPECT_EQ(write_disconnect(talk.session, "you flew", room), 0u);
    talk.recorder.key = secret;
    const std::vector<Line> lines = enciphered(
        {{Direction::to_client, plain_frame(packet(2).raw(std::string(16, '\7')).text("Al").str())},
         {Direction::to_client, plain_frame(packet(0x20).raw(std::string(500, 'c')).str())}});
    talk.server(lines[0].bytes);
    EXPECT_TRUE(seal(talk.session, MutableBytes(room).first(1)));
    talk.server(lines[1].bytes.substr(0, 100));
    EXPECT_FALSE(seal(talk.session, MutableBytes(room).first(1)));
    talk.server(lines[1].bytes.substr(100));
    EXPECT_TRUE(seal(talk.session, MutableBytes(room).first(1)));
}

}  // namespace
}  // namespace portcullis::minecraft
