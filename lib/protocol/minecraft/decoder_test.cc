// Goal: the session machine follows both peers through every state, every fault has
// its name, and however the bytes are cut the same events are told.
// Method: hand-made packets played through a conversation; no real peer.

#include "protocol/minecraft/decoder.h"

#include <functional>
#include <random>

#include <gtest/gtest.h>

#include "protocol/minecraft/talk_test_support.h"

namespace portcullis::minecraft {
namespace {

using namespace testing;

State client_state(const Talk& talk) { return talk.session.half(Direction::to_server).state; }
State server_state(const Talk& talk) { return talk.session.half(Direction::to_client).state; }

Made position_47(double x) { return packet(4).f64(x).f64(64).f64(-3.25).boolean(true); }

// ---- states -----------------------------------------------------------------

TEST(States, StatusIsAskedInAnyVersion) {
    Talk talk;
    EXPECT_EQ(talk.client_says(handshake(-1, 1)), "Handshake -1 play.example:25565 1");
    EXPECT_EQ(client_state(talk), State::status);
    EXPECT_EQ(server_state(talk), State::status);
    EXPECT_EQ(talk.client_says(packet(0)), "StatusRequested");
    talk.server_says(packet(0).text("{}"));
    EXPECT_EQ(talk.recorder.names.back(), "server_info");
}

TEST(States, LoginLeadsToPlayBeforeConfigurationExisted) {
    Talk talk;
    talk.client_says(handshake(47, 2));
    EXPECT_EQ(talk.client_says(packet(0).text("Alice")), "LoginStart Alice");
    EXPECT_EQ(
        talk.server_says(packet(2).text("01000000-0000-0000-0000-0000000000ff").text("Alice")),
        "LoggedIn Alice 1 255");
    EXPECT_EQ(client_state(talk), State::play);
    EXPECT_EQ(server_state(talk), State::play);
    EXPECT_EQ(talk.client_says(position_47(1.5)), "Move at 1.5 64 -3.25 ground");
}

TEST(States, EachDirectionSwitchesOnItsOwnPacket) {
    Talk talk;
    talk.client(talk.framed(handshake(765, 2)));
    talk.client(talk.framed(packet(0).text("Alice").raw(std::string(16, '\1'))));
    talk.server(talk.framed(packet(2).raw(std::string(16, '\1')).text("Alice").varint(0)));
    EXPECT_EQ(server_state(talk), State::configuration);
    EXPECT_EQ(client_state(talk), State::login);
    talk.client(talk.framed(packet(3)));
    EXPECT_EQ(client_state(talk), State::configuration);
    talk.server(talk.framed(packet(2)));
    EXPECT_EQ(server_state(talk), State::play);
    EXPECT_EQ(client_state(talk), State::configuration);
    talk.recorder.heard();
    // A late configuration packet of the client still reads as one.
    EXPECT_EQ(talk.client_says(packet(3).i64(7)), "KeepAliveAnswered 7");
    talk.client(talk.framed(packet(2)));
    EXPECT_EQ(client_state(talk), State::play);
    // And back again: a server switch behind a proxy.
    talk.server(talk.framed(packet(0x67)));
    EXPECT_EQ(server_state(talk), State::configuration);
    EXPECT_EQ(client_state(talk), State::play);
    talk.recorder.heard();
    EXPECT_EQ(talk.client_says(packet(0x15).i64(8)), "KeepAliveAnswered 8");
    talk.client(talk.framed(packet(0x0b)));
    EXPECT_EQ(client_state(talk), State::configuration);
}

TEST(States, AClientCanNotLead) {
    Talk talk;
    talk.log_in(769);
    EXPECT_EQ(talk.client_says(packet(0x0e)), "Malformed wrong_state");
    EXPECT_EQ(client_state(talk), State::play);
}

TEST(States, EveryReleaseReachesPlay) {
    for (const Tables& tables : all_tables()) {
        Talk talk;
        talk.log_in(tables.version);
        EXPECT_EQ(client_state(talk), State::play) << tables.version;
        EXPECT_EQ(server_state(talk), State::play) << tables.version;
    }
}

TEST(States, AnEncryptedSessionBecomesOpaque) {
    Talk talk;
    talk.client_says(handshake(754, 2));
    talk.client_says(packet(0).text("Alice"));
    talk.server_says(packet(1).text("").text("key").text("token"));
    EXPECT_EQ(talk.client_says(packet(1).text("secret").text("token")), "BecameOpaque");
    EXPECT_EQ(client_state(talk), State::opaque);
    EXPECT_EQ(server_state(talk), State::opaque);
    talk.server("whatever follows");
    EXPECT_TRUE(talk.pipes[1].finished);
    EXPECT_EQ(talk.recorder.heard(), "");
}

// Servers in offline mode ignore an answer to what they did not ask and go on in plain.
TEST(States, AnEncryptionThatWasNotAskedForChangesNothing) {
    for (const int32_t version : {5, 47, 340, 754}) {
        Talk talk;
        talk.client_says(handshake(version, 2));
        talk.client_says(packet(0).text("Alice"));
        Made answer = packet(1);
        if (version >= 47) {
            answer.text("secret").text("token");
        } else {
            answer.i16(6).raw("secret").i16(5).raw("token");
        }
        EXPECT_EQ(talk.client_says(answer), "Malformed wrong_state") << version;
        EXPECT_EQ(client_state(talk), State::login) << version;
        const std::string uuid = version >= 735
                                     ? std::string(16, '\7')
                                     : Made().text("01000000-0000-0000-0000-0000000000ff").str();
        talk.server_says(packet(2).raw(uuid).text("Alice"));
        EXPECT_EQ(client_state(talk), State::play) << version;
    }
}

// ---- versions that there are no tables for ------------------------------------

TEST(UnknownVersion, IsReportedWithItsPlayerAndCutIntoFrames) {
    Talk talk;
    EXPECT_EQ(talk.client_says(handshake(9999, 2)), "Handshake 9999 play.example:25565 2");
    EXPECT_TRUE(client_state(talk) == State::framed && server_state(talk) == State::framed);
    EXPECT_EQ(talk.client_says(packet(0).text("Alice").raw(std::string(16, '\7'))),
              "LoginStart Alice; Malformed unknown_version");
    talk.recorder.frames.clear();
    talk.server(plain_frame(packet(3).varint(256).str()));
    talk.server(plain_frame(packet(2).raw("whatever it is").str()));
    talk.client(plain_frame(packet(0x55).raw("of a new kind").str()));
    EXPECT_EQ(talk.recorder.heard(), "") << "no table is guessed";
    EXPECT_EQ(talk.recorder.frames.size(), 3u);
    EXPECT_EQ(talk.recorder.frames.at(2), "c2s framed unknown 15 unread");
}

TEST(UnknownVersion, StillMeetsTheGuardsOfFraming) {
    Talk talk;
    talk.client(talk.framed(handshake(9999, 2)));
    talk.client(std::string("\0", 1));
    EXPECT_EQ(talk.recorder.heard(), "Handshake 9999 play.example:25565 2; Malformed zero_length");
    talk.client("\xff\xff\xff\x7f");
    EXPECT_EQ(talk.recorder.heard(), "Malformed frame_too_long");
    EXPECT_EQ(client_state(talk), State::broken);
}

TEST(UnknownVersion, EncipheredItBecomesOpaque) {
    Talk talk;
    talk.client(talk.framed(handshake(9999, 2)));
    talk.client(plain_frame(packet(0).text("Alice").str()));
    talk.client(plain_frame(packet(1).raw("not asked for").str()));
    EXPECT_EQ(client_state(talk), State::framed);
    talk.server(plain_frame(packet(1).text("").raw("key").str()));
    talk.recorder.heard();
    EXPECT_EQ(client_state(talk), State::framed);
    talk.client(plain_frame(packet(1).raw("secret").str()));
    EXPECT_EQ(talk.recorder.heard(), "BecameOpaque");
    talk.client("\xff\xff\xff\xff\xff ciphertext has no frames");
    EXPECT_EQ(talk.recorder.heard(), "");
    EXPECT_EQ(client_state(talk), State::opaque);
}

TEST(UnknownVersion, IsTheSameAtEveryCut) {
    const std::string bytes = plain_frame(handshake(9999, 2).str()) +
                              plain_frame(packet(0).text("Alice").str()) +
                              plain_frame(packet(7).raw(std::string(300, 'x')).str());
    for (size_t cut = 1; cut < bytes.size(); ++cut) {
        Talk talk;
        talk.client(bytes.substr(0, cut));
        talk.client(bytes.substr(cut));
        EXPECT_EQ(talk.recorder.heard(),
                  "Handshake 9999 play.example:25565 2; LoginStart Alice; "
                  "Malformed unknown_version")
            << cut;
        EXPECT_EQ(talk.recorder.frames.size(), 3u) << cut;
    }
}

// ---- what may come at any time ------------------------------------------------

TEST(States, CookiesAndTransfersAreReadInEveryStateThatHasThem) {
    Talk talk;
    talk.client_says(handshake(767, 3));
    talk.client_says(packet(0).text("Alice").raw(std::string(16, '\7')));
    // A transferred client brings cookies: the server asks in login,
    EXPECT_EQ(talk.server_says(packet(5).text("my:cookie")), "");
    EXPECT_EQ(talk.client_says(packet(4).text("my:cookie").boolean(true).varint(3).raw("abc")), "");
    talk.server(
        talk.framed(packet(2).raw(std::string(16, '\7')).text("Alice").varint(0).boolean(true)));
    talk.client(talk.framed(packet(3)));
    talk.recorder.heard();
    // in configuration,
    EXPECT_EQ(talk.server_says(packet(0).text("my:cookie")), "");
    EXPECT_EQ(talk.client_says(packet(1).text("my:cookie").boolean(false)), "");
    EXPECT_EQ(talk.server_says(packet(0x0a).text("my:cookie").varint(3).raw("abc")), "");
    talk.server(talk.framed(packet(3)));
    talk.client(talk.framed(packet(3)));
    talk.recorder.heard();
    // and in play, before it sends him on.
    EXPECT_EQ(talk.server_says(packet(0x16).text("my:cookie")), "");
    EXPECT_EQ(talk.client_says(packet(0x11).text("my:cookie").boolean(false)), "");
    EXPECT_EQ(talk.server_says(packet(0x73).text("other.example").varint(25565)), "");
    const std::vector<std::string> expected = {"set_protocol",
                                               "login_start",
                                               "cookie_request",
                                               "cookie_response",
                                               "success",
                                               "login_acknowledged",
                                               "cookie_request",
                                               "cookie_response",
                                               "store_cookie",
                                               "finish_configuration",
                                               "finish_configuration",
                                               "cookie_request",
                                               "cookie_response",
                                               "transfer"};
    EXPECT_EQ(talk.recorder.names, expected);
}

TEST(States, PacketsOfABundleAreReadOneByOne) {
    Talk talk;
    talk.log_in(767);
    talk.server(talk.framed(packet(0)) + talk.framed(packet(0x26).i64(5)) + talk.framed(packet(0)));
    EXPECT_EQ(talk.recorder.heard(), "KeepAliveSent 5");
    EXPECT_EQ(talk.recorder.names.back(), "bundle_delimiter");
}

/// Up to 763 a proxy that switches servers sends a second login.
TEST(States, ASecondLoginIsANewWorld) {
    Talk talk;
    talk.log_in(47);
    const auto join = [](int32_t id) {
        return packet(1).i32(id).u8(0).u8(0).u8(1).u8(20).text("default").boolean(false);
    };
    EXPECT_EQ(talk.server_says(join(7)), "Joined 7 0");
    EXPECT_EQ(talk.server_says(join(8)), "Joined 8 0");
    EXPECT_EQ(talk.session.self, 8);
    EXPECT_EQ(talk.server_says(packet(7).i32(1).u8(0).u8(0).text("default")), "WorldChanged 0");
}

TEST(States, TransfersExistSince766) {
    Talk now;
    now.client_says(handshake(766, 3));
    EXPECT_EQ(client_state(now), State::login);
    Talk before;
    EXPECT_EQ(before.client_says(handshake(765, 3)),
              "Handshake 765 play.example:25565 3; Malformed wrong_state");
    EXPECT_EQ(client_state(before), State::broken);
}

TEST(States, AServerNeverSpeaksFirst) {
    Talk talk;
    talk.server(plain_frame(packet(0).text("hello").str()));
    EXPECT_EQ(talk.recorder.heard(), "Malformed wrong_state by the server");
}

// ---- the ping from before 1.7, and what looks like it ------------------------

TEST(LegacyPing, IsToldFromALongHandshake) {
    Talk ping;
    ping.client("\xfe\x01\xfa");
    EXPECT_EQ(ping.recorder.heard(), "LegacyPing");

    // A forwarded handshake of 254 bytes starts with FE 01 too.
    Made body = packet(0).varint(754);
    const std::string host(254 - 1 - 2 - 2 - 2 - 1, 'h');
    body.text(host).i16(25565).varint(2);
    ASSERT_EQ(plain_frame(body.str()).substr(0, 3), std::string("\xfe\x01\x00", 3));
    Talk talk;
    talk.client(plain_frame(body.str()));
    EXPECT_EQ(talk.recorder.heard(), "Handshake 754 " + host + ":25565 2");
}

TEST(LegacyPing, ShortOnesAreKnownByTheAnswer) {
    for (const std::string_view asked : {"\xfe", "\xfe\x01"}) {
        Talk talk;
        talk.client(asked);
        EXPECT_EQ(talk.recorder.heard(), "");
        talk.server(std::string("\xff\x00\x1b", 3));
        EXPECT_EQ(talk.recorder.heard(), "LegacyPing");
    }
}

// ---- compression -------------------------------------------------------------

TEST(Compression, BeginsWithTheNextFrame) {
    Talk talk;
    talk.log_in(754, 64);
    EXPECT_EQ(talk.session.threshold, 64);
    EXPECT_EQ(talk.client_says(packet(0x12).f64(1).f64(2).f64(3).boolean(false)),
              "Move at 1 2 3 air");
    const std::string words(200, 'a');
    EXPECT_EQ(talk.client_says(packet(3).text(words)), "Text 0 " + words);
}

TEST(Compression, SkipsWhatNobodyNeeds) {
    Talk talk;
    talk.log_in(754, 64);
    std::string noise;
    for (int i = 0; i < 40'000; ++i) noise += static_cast<char>(i * i >> 3);
    const std::string chunk = packed_frame(packet(0x20).raw(noise).str());
    talk.server(std::string_view(chunk).substr(0, 400));
    EXPECT_EQ(talk.recorder.names.back(), "map_chunk");
    EXPECT_EQ(talk.pipes[1].skip, chunk.size() - 400);
    EXPECT_TRUE(talk.pipes[1].waiting.empty());
    talk.server(std::string_view(chunk).substr(400));
    EXPECT_EQ(talk.server_says(packet(0x1f).i64(5)), "KeepAliveSent 5");
}

/// A frame whose zlib stream is `stream`, said to inflate to `declared` bytes.
std::string frame_around(const std::string& stream, size_t declared) {
    return plain_frame(Made().varint(static_cast<int32_t>(declared)).raw(stream).str());
}

/// The stream that a server reads all of `body` from, up to its last block's end.
std::string flushed(const std::string& body) {
    std::string out(compressBound(body.size()) + 64, '\0');
    z_stream z{};
    deflateInit(&z, Z_DEFAULT_COMPRESSION);
    z.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(body.data()));
    z.avail_in = static_cast<uInt>(body.size());
    z.next_out = reinterpret_cast<Bytef*>(out.data());
    z.avail_out = static_cast<uInt>(out.size());
    EXPECT_EQ(deflate(&z, Z_SYNC_FLUSH), Z_OK);
    out.resize(z.total_out);
    deflateEnd(&z);
    return out;
}

/// After two bytes of header, blocks that hold nothing.
std::string padded(const std::string& stream, size_t blocks) {
    std::string out = stream.substr(0, 2);
    for (size_t i = 0; i < blocks; ++i) out += std::string("\0\0\0\xff\xff", 5);
    return out + stream.substr(2);
}

// Servers inflate into as many bytes as were declared and take what is there, so a stream
// that is not quite right hides nothing.
TEST(Compression, IsReadAsServersReadIt) {
    std::string words;
    for (int i = 0; i < 240; ++i) words += static_cast<char>('a' + i * i % 25);
    const std::string chat = packet(3).text(words).str();
    const std::string right = deflated(chat);
    const std::string told = "Text 0 " + words, named = told + "; Malformed length_lies";
    const struct {
        const char* what;
        std::string stream;
        const std::string& heard;
    } cases[] = {
        {"right", right, told},
        {"a byte behind its end", right + 'x', named},
        {"more than declared", deflated(chat + std::string(500, 'x')), named},
        {"more than declared, and cut there",
         [&] {
             const std::string more = deflated(chat + std::string(90'000, 'x'));
             return more.substr(0, more.size() - 20);
         }(),
         named},
        {"no checksum", right.substr(0, right.size() - 4), named},
        {"half a checksum", right.substr(0, right.size() - 2), named},
        {"no last block", flushed(chat), named},
        {"blocks of nothing before it", padded(right, 20'000), told},
    };
    for (const auto& c : cases) {
        for (const size_t piece : {size_t{1} << 20, size_t{100}}) {
            Talk talk;
            talk.log_in(754, 64);
            const std::string frame = frame_around(c.stream, chat.size());
            for (size_t at = 0; at < frame.size(); at += piece) {
                talk.client(std::string_view(frame).substr(at, piece));
            }
            EXPECT_EQ(talk.recorder.heard(), c.heard) << c.what << " in " << piece;
            EXPECT_EQ(talk.client_says(packet(0x10).i64(9)), "KeepAliveAnswered 9") << c.what;
        }
    }
}

// What an array of the declared size has behind the stream's end are zeroes.
TEST(Compression, BytesThatDoNotComeAreZeroes) {
    Talk talk;
    talk.log_in(754, 16);
    const std::string position = packet(0x12).f64(1).f64(2).f64(3).str();
    talk.client_says(packet(3).text(std::string(200, 'x')));  // The room holds it still.
    talk.client(packed_frame(position, static_cast<int32_t>(position.size()) + 1));
    EXPECT_EQ(talk.recorder.heard(), "Move at 1 2 3 air; Malformed length_lies");
}

TEST(Compression, AFrameOfMuchMoreThanItHoldsIsNamed) {
    const std::string chat = packet(3).text(std::string(250, 'a')).str();
    Talk talk;
    talk.log_in(754, 64);
    talk.client(frame_around(padded(deflated(chat), 27'000), chat.size()));
    EXPECT_EQ(talk.recorder.heard(), "Malformed overpacked");
    EXPECT_EQ(talk.client_says(packet(0x10).i64(9)), "KeepAliveAnswered 9");
    // What does not deflate at all takes a few bytes more, and is read.
    std::mt19937 random(7);
    std::string item = packet(0x0b).text("a:b").str();
    while (item.size() < 32'000) item += static_cast<char>(random());
    EXPECT_EQ(talk.client_says(Made().raw(item)).substr(0, 22), "PluginMessage a:b 3199");
}

// ---- faults --------------------------------------------------------------------

struct Fault {
    const char* what;
    std::string bytes;
    const char* heard;
    bool framing_lost;
};

std::string bomb() { return packed_frame(std::string(4 << 20, '\0'), 4 << 20); }

TEST(Faults, EachHasItsName) {
    const std::string far = Made().varint(0x12).f64(1).f64(2).f64(3).str();
    const std::string deep = [] {
        std::string levels;
        for (int i = 0; i < 600; ++i) levels += std::string("\x0a\0\0", 3);
        return levels;
    }();
    // Creative slot, protocol 754: slot i16, present, item varint, count i8, NBT.
    const std::string nested =
        packet(0x28).i16(1).boolean(true).varint(1).u8(1).str() + std::string("\x0a\0\0", 3) + deep;
    const std::string position = far + std::string(1, '\1');
    const Fault faults[] = {
        {"a length of six bytes", "\xff\xff\xff\xff\xff\xff", "Malformed bad_varint", true},
        {"a negative length", "\xff\xff\xff\xff\x0f", "Malformed bad_varint", true},
        {"a length of four bytes", "\x80\x80\x80\x02", "Malformed frame_too_long", true},
        {"a frame of nothing", std::string(1, '\0'), "Malformed zero_length", false},
        {"no zlib stream", plain_frame(Made().varint(300).raw(std::string(80, 'A')).str()),
         "Malformed bad_deflate", false},
        {"a false checksum",
         [] {
             std::string f = packed_frame(std::string("\x12") + std::string(300, 'x'));
             f.back() = static_cast<char>(f.back() ^ 1);
             return f;
         }(),
         "Malformed bad_deflate", false},
        {"more than declared", packed_frame(position + std::string(100, 'x'), 100),
         "Move at 1 2 3 ground; Malformed length_lies", false},
        {"less than declared", packed_frame(position + std::string(60, 'x'), 5000),
         "Move at 1 2 3 ground; Malformed length_lies", false},
        {"compressed below the threshold", packed_frame(position),
         "Move at 1 2 3 ground; Malformed below_threshold", false},
        {"an end within a field", small_frame(far), "Malformed short_packet", false},
        {"bytes after the last field", small_frame(position + "xx"),
         "Move at 1 2 3 ground; Malformed trailing_bytes", false},
        {"an id no packet has", small_frame(packet(0x7f).str()), "Malformed unknown_packet", false},
        {"declared over the limit", packed_frame(std::string(80, 'x'), 9 << 20),
         "Malformed inflated_too_long", false},
        {"a bomb", bomb(), "Malformed inflated_too_long", false},
        {"a text over its field's limit", packed_frame(packet(3).text(std::string(257, 'x')).str()),
         "Malformed string_too_long", false},
        {"NBT in NBT in NBT", packed_frame(nested), "Malformed nested_too_deep", false},
    };
    for (const Fault& fault : faults) {
        Talk talk;
        talk.log_in(754, 64);
        talk.client(fault.bytes);
        EXPECT_EQ(talk.recorder.heard(), fault.heard) << fault.what;
        EXPECT_EQ(client_state(talk) == State::broken, fault.framing_lost) << fault.what;
        // The other direction is never harmed.
        EXPECT_EQ(talk.server_says(packet(0x1f).i64(5)), "KeepAliveSent 5") << fault.what;
        if (fault.framing_lost) continue;
        EXPECT_EQ(talk.client_says(packet(0x10).i64(9)), "KeepAliveAnswered 9") << fault.what;
    }
}

TEST(Faults, AVarIntInAFieldMayBeTooLongToo) {
    Talk talk;
    talk.log_in(754);
    EXPECT_EQ(talk.client_says(packet(0).raw("\xff\xff\xff\xff\xff\x01")), "Malformed bad_varint");
}

TEST(Faults, NegativeCountsAreNoSizes) {
    Talk talk;
    talk.log_in(754);
    EXPECT_EQ(talk.client_says(packet(3).varint(-1)), "Malformed bad_field");
}

TEST(Faults, AServersOddPacketIsNoFinding) {
    Talk talk;
    talk.log_in(754);
    EXPECT_EQ(talk.server_says(packet(0x1f).i64(5).raw("more")), "KeepAliveSent 5");
    EXPECT_EQ(talk.server_says(packet(0x1f).i16(5)), "");
}

TEST(Faults, LongPacketsPassUnreadAndAreTold) {
    Talk talk;
    talk.log_in(754);
    const std::string long_one(200'000, 'x');
    EXPECT_EQ(talk.client_says(packet(0x0b).text("a:b").raw(long_one)), "Malformed frame_too_long");
    EXPECT_EQ(talk.client_says(packet(0x0c).raw(long_one)), "Malformed frame_too_long");
    EXPECT_EQ(talk.client_says(packet(0x10).i64(9)), "KeepAliveAnswered 9");
}

// ---- segmentation ----------------------------------------------------------------

/// One session, as (direction, bytes) in the order in which they were sent.
std::vector<std::pair<Direction, std::string>> session_script(int32_t threshold) {
    std::vector<std::pair<Direction, std::string>> script;
    Talk framer;
    const auto say = [&](Direction direction, const Made& body) {
        script.emplace_back(direction, framer.framed(body));
    };
    using enum Direction;
    say(to_server, handshake(754, 2));
    say(to_server, packet(0).text("Alice"));
    if (threshold >= 0) say(to_client, packet(3).varint(threshold));
    framer.session.threshold = threshold;
    say(to_client, packet(2).raw(std::string(16, '\7')).text("Alice"));
    std::mt19937 random(7);
    std::string noise;
    for (int i = 0; i < 3000; ++i) noise += static_cast<char>(random());
    say(to_client, packet(0x20).raw(noise));
    say(to_client, packet(0x34).f64(1).f64(2).f64(3).f32(4).f32(5).u8(0).varint(77));
    say(to_server, packet(0).varint(77));
    for (int i = 0; i < 20; ++i) {
        say(to_server, packet(0x12).f64(i).f64(64).f64(0.5).boolean(i % 2 == 0));
        say(to_client, packet(0x1f).i64(i));
        say(to_server, packet(0x10).i64(i));
    }
    say(to_server, packet(3).text(std::string(200, 'c')));
    say(to_client, packet(0x19).text(R"({"text":"bye )" + std::string(300, 'y') + "\"}"));
    return script;
}

std::vector<std::string> play(const std::vector<std::pair<Direction, std::string>>& script,
                              const std::function<size_t()>& piece) {
    Talk talk;
    for (const auto& [direction, bytes] : script) {
        for (size_t at = 0; at < bytes.size();) {
            const size_t size = std::min(piece(), bytes.size() - at);
            talk.send(direction, std::string_view(bytes).substr(at, size));
            at += size;
        }
    }
    auto all = talk.recorder.events();
    all.insert(all.end(), talk.recorder.frames.begin(), talk.recorder.frames.end());
    return all;
}

TEST(Segmentation, ChangesNothing) {
    const uint32_t seed = std::random_device()();
    std::printf("seed %u\n", seed);
    std::mt19937 random(seed);
    for (const int32_t threshold : {-1, 0, 64, 256}) {
        const auto script = session_script(threshold);
        const auto whole = play(script, [] { return size_t{1} << 20; });
        ASSERT_GT(whole.size(), 100u);
        EXPECT_EQ(play(script, [] { return size_t{1}; }), whole) << threshold;
        for (int round = 0; round < 50; ++round) {
            std::uniform_int_distribution<size_t> size(1, round % 2 == 0 ? 7 : 600);
            EXPECT_EQ(play(script, [&] { return size(random); }), whole) << threshold;
        }
    }
}

TEST(Segmentation, ACutAtEveryByteChangesNothing) {
    for (const int32_t threshold : {-1, 64}) {
        const auto script = session_script(threshold);
        const auto whole = play(script, [] { return size_t{1} << 20; });
        for (size_t cut = 1; cut < 400; ++cut) {
            EXPECT_EQ(play(script, [cut] { return cut; }), whole) << cut;
        }
    }
}

TEST(Segmentation, ManyFramesInOneSegmentAreAllTold) {
    Talk talk;
    talk.log_in(47);
    std::string bytes;
    for (int i = 0; i < 100; ++i) bytes += plain_frame(position_47(i).str());
    talk.client(bytes);
    EXPECT_EQ(talk.recorder.events().size(), 100u);
}

}  // namespace
}  // namespace portcullis::minecraft
