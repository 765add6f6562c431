// Goal: a kicked player reads why, in every version and state that has a packet for
// it, however the session is framed.
// Method: what write_disconnect writes goes through the decoder as if a server had
// sent it, and must be heard as Disconnected with the same reason.

#include "protocol/minecraft/disconnect.h"

#include <gtest/gtest.h>

#include "protocol/minecraft/talk_test_support.h"

namespace portcullis::minecraft {
namespace {

using namespace testing;

std::string written(const Session& session, std::string_view reason) {
    std::array<std::byte, disconnect_size_max> room;
    const size_t size = write_disconnect(session, reason, room);
    return std::string(as_text(Bytes(room).first(size)));
}

TEST(Disconnect, IsReadInPlayByEveryVersion) {
    for (const Tables& tables : all_tables()) {
        for (const int32_t threshold : {-1, 0, 256}) {
            Talk talk;
            talk.log_in(tables.version, tables.version < 47 ? -1 : threshold);
            talk.server(written(talk.session, "flew: \"high\" \\ far"));
            EXPECT_EQ(talk.recorder.heard(), "Disconnected flew: \"high\" \\ far")
                << tables.version << " threshold " << threshold;
            EXPECT_EQ(talk.recorder.names.back(), "kick_disconnect");
            EXPECT_TRUE(talk.pipes[1].waiting.empty());
        }
    }
}

TEST(Disconnect, IsReadBeforePlay) {
    for (const int32_t version : {47, 754, 764, 765, 769, 775}) {
        Talk talk;
        talk.client_says(handshake(version, 2));
        talk.server(written(talk.session, "no"));
        EXPECT_EQ(talk.recorder.heard(), "Disconnected no") << version;
        EXPECT_EQ(talk.recorder.frames.back().substr(0, 20), "s2c login disconnect") << version;
    }
    for (const int32_t version : {764, 765, 766, 769, 775}) {
        Talk talk;
        talk.log_in(version);
        talk.session.half(Direction::to_client).state = State::configuration;
        talk.server(written(talk.session, "no"));
        EXPECT_EQ(talk.recorder.heard(), "Disconnected no") << version;
    }
}

TEST(Disconnect, HasNoPacketWhereNobodyWouldReadIt) {
    Talk talk;
    EXPECT_EQ(written(talk.session, "no"), "");
    talk.client_says(handshake(754, 1));
    EXPECT_EQ(written(talk.session, "no"), "");
    talk.log_in(754);
    for (const State state : {State::opaque, State::broken}) {
        talk.session.half(Direction::to_client).state = state;
        EXPECT_EQ(written(talk.session, "no"), "");
    }
}

TEST(Disconnect, CutsLongReasonsAtACharacter) {
    for (const int32_t version : {754, 769}) {
        Talk talk;
        talk.log_in(version);
        std::string reason(239, 'x');
        talk.server(written(talk.session, reason + "\xc3\xa4 and more"));
        EXPECT_EQ(talk.recorder.heard(), "Disconnected " + reason) << version;
    }
    Talk quotes;
    quotes.log_in(754);
    quotes.server(written(quotes.session, std::string(500, '"')));
    EXPECT_EQ(quotes.recorder.heard(), "Disconnected " + std::string(240, '"'));
}

TEST(Disconnect, WritesNothingIntoTooLittleRoom) {
    Talk talk;
    talk.log_in(754);
    std::array<std::byte, 10> room;
    EXPECT_EQ(write_disconnect(talk.session, "too long for ten bytes", room), 0u);
}

}  // namespace
}  // namespace portcullis::minecraft
