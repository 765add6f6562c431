// Goal: a movement packet that is set back says what it is told to say, and nothing
// else of it changes, in every layout that versions have.
// Method: decode one, write another move over its fields, decode that again.

#include "protocol/minecraft/write_move.h"

#include <gtest/gtest.h>

#include "protocol/minecraft/talk_test_support.h"

namespace portcullis::minecraft {
namespace {

using namespace testing;

/// Writes another move over what it hears, in a copy of the bytes fed.
struct SetsBack {
    std::string bytes;
    size_t written = 0;
    const Frame* frame_told = nullptr;

    void frame(const Frame& frame) { frame_told = &frame; }
    void on(const protocol::Move& claimed) {
        protocol::Move instead = claimed;
        instead.position = {10, 64, -20};
        instead.rotation = {30, -40};
        std::array<std::byte, move_fields_size_max> fields;
        written = write_move(*frame_told, claimed, instead, fields);
        if (written == 0 || frame_told->body_offset == 0) return;
        bytes.replace(frame_told->body_offset, written, as_text(Bytes(fields).first(written)));
    }
    template <class Event>
    void on(const Event&) {}
};

struct Case {
    const char* what;
    int32_t version;
    Made body;
    const char* heard;
};

TEST(WriteMove, SaysWhatItIsToldInEveryLayout) {
    const double nan = std::numeric_limits<double>::quiet_NaN();
    const Case cases[] = {
        {"position with eyes", 5, packet(4).f64(1).f64(2).f64(3.62).f64(4).boolean(true),
         "Move at 10 64 -20 ground"},
        {"all with eyes", 5, packet(6).f64(1).f64(2).f64(3.62).f64(4).f32(1).f32(2).boolean(false),
         "Move at 10 64 -20 looks 30 -40 air"},
        {"position", 47, packet(4).f64(1.5).f64(2).f64(-3).boolean(false), "Move at 10 64 -20 air"},
        {"not a number", 47, packet(4).f64(nan).f64(nan).f64(-3).boolean(true),
         "Move at 10 64 -20 ground"},
        {"look", 47, packet(5).f32(90).f32(-450).boolean(true), "Move looks 30 -40 ground"},
        {"all", 47, packet(6).f64(1).f64(2).f64(3).f32(4).f32(5).boolean(true),
         "Move at 10 64 -20 looks 30 -40 ground"},
        {"flags of later versions", 769, packet(0x1c).f64(1).f64(2).f64(3).u8(3),
         "Move at 10 64 -20 ground wall"},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.what);
        Talk talk;
        talk.log_in(c.version);
        SetsBack listener;
        listener.bytes = talk.framed(c.body);
        const std::string before = listener.bytes;
        talk.decoder.feed(talk.session, Direction::to_server, as_bytes(before), listener);
        EXPECT_GT(listener.written, 0u);
        EXPECT_EQ(listener.bytes.size(), before.size());
        talk.client(listener.bytes);
        EXPECT_EQ(talk.recorder.heard(), c.heard);
    }
}

TEST(WriteMove, LeavesAloneWhatHasNoPlace) {
    Talk talk;
    talk.log_in(47);
    for (const Made& body : {packet(3).boolean(true), packet(4).f64(1).f64(2).f64(3).raw("xx")}) {
        SetsBack listener;
        listener.bytes = talk.framed(body);
        const std::string before = listener.bytes;
        talk.decoder.feed(talk.session, Direction::to_server, as_bytes(before), listener);
        EXPECT_EQ(listener.written, 0u);
        EXPECT_EQ(listener.bytes, before);
    }
}

TEST(WriteMove, ACompressedPacketHasNoPlaceInTheStream) {
    Talk talk;
    talk.log_in(47, 8);
    SetsBack listener;
    listener.bytes = talk.framed(packet(4).f64(1).f64(2).f64(3).boolean(true));
    talk.decoder.feed(talk.session, Direction::to_server, as_bytes(listener.bytes), listener);
    ASSERT_NE(listener.frame_told, nullptr);
    EXPECT_EQ(listener.frame_told->body_offset, 0u);
}

}  // namespace
}  // namespace portcullis::minecraft
