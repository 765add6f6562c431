// Goal: whatever a client packs into a frame, reading it costs bounded time and no memory, what is
// wrong has its name, and the next packet is read as ever.
// Method: each bomb is fed to a decoder whole and in segments, while allocations and processor time
// are counted; every fault is told once.

#include <cstdlib>
#include <ctime>
#include <functional>

#include <gtest/gtest.h>

#include "base/testing/count_new.h"
#include "protocol/minecraft/talk_test_support.h"

namespace portcullis::minecraft {
namespace {

using namespace testing;

constexpr size_t segment_bytes = 1448;
/// A sanitizer's build takes ten times as long as the one that is shipped.
constexpr double seconds_max = 0.5;

/// Counts, and allocates nothing itself.
struct Tally {
    void on(const protocol::Malformed& e) noexcept { fault = e.fault, ++faults; }
    void on(const protocol::KeepAliveAnswered& e) noexcept { answered = e.id; }
    void on(const protocol::BecameOpaque&) noexcept { opaque = true; }
    void frame(const Frame&) noexcept { ++frames; }

    protocol::Fault fault = protocol::Fault::count;
    size_t faults = 0, frames = 0;
    int64_t answered = 0;
    bool opaque = false;
};

/// What feeding cost beyond what the test itself takes.
struct Cost {
    size_t allocations = 0, kept_most = 0;
    double seconds = 0;
};

double cpu_seconds() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

/// Offers `bytes` as a Stream does: a segment at a time, with what was not consumed before it.
Cost feed(Decoder& decoder, Session& session, const std::string& bytes, size_t segment,
          Tally& tally) {
    Cost cost;
    size_t begin = 0, end = 0;  // Of what the Stream holds.
    const size_t allocated = portcullis::testing::allocations;
    const double began = cpu_seconds();
    while (end < bytes.size()) {
        end = std::min(end + segment, bytes.size());
        if (begin >= end) continue;  // All of it is skipped.
        const auto progress = decoder.feed(session, Direction::to_server,
                                           as_bytes(bytes.data() + begin, end - begin), tally);
        if (progress.finished) break;
        begin += progress.consumed + progress.skip;
        cost.kept_most = std::max(cost.kept_most, end - std::min(begin, end));
    }
    cost.seconds = cpu_seconds() - began;
    cost.allocations = portcullis::testing::allocations - allocated;
    return cost;
}

std::string nested(size_t bytes) {
    std::string levels;
    levels.reserve(bytes);
    while (levels.size() + 3 <= bytes) levels += std::string("\x0a\0\0", 3);
    return levels;
}

/// NBT lists in lists, the other way to nest: a list of one list of one list …
std::string listed(size_t bytes) {
    std::string levels("\x09\0\0", 3);
    while (levels.size() + 5 <= bytes) levels += std::string("\x09\0\0\0\1", 5);
    return levels;
}

/// Creative slot, protocol 754: slot, present, item, count, then NBT.
Made slot() { return packet(0x28).i16(1).boolean(true).varint(1).u8(1); }
std::string wide(std::string_view sign, size_t times) {
    std::string text;
    for (size_t i = 0; i < times; ++i) text += sign;
    return text;
}

using protocol::Fault;
struct Bomb {
    const char* what;
    std::string bytes;
    Fault fault;  ///< `count`: none, the packet passes unread.
    bool framing_lost = false;
};

std::vector<Bomb> bombs() {
    constexpr size_t most = (2u << 20) - 64;
    const std::string longest(32'767, 'x');
    return {
        {"2 MB of NBT in NBT, deflated", packed_frame(slot().raw(nested(most)).str()),
         Fault::inflated_too_long},
        {"2 MB of lists in lists, deflated", packed_frame(slot().raw(listed(most)).str()),
         Fault::inflated_too_long},
        {"2 MB of NBT in NBT, not deflated", small_frame(slot().raw(nested(most)).str()),
         Fault::frame_too_long},
        {"100 kB of NBT in NBT", packed_frame(slot().raw(nested(100'000)).str()),
         Fault::nested_too_deep},
        {"100 kB of lists in lists", packed_frame(slot().raw(listed(100'000)).str()),
         Fault::nested_too_deep},
        {"a zip bomb of 8 MB", packed_frame(std::string(8 << 20, '\0'), 8 << 20),
         Fault::inflated_too_long},
        {"a zip bomb that says it is small", packed_frame(std::string(8 << 20, '\0'), 100),
         Fault::length_lies},
        {"chat of 32,767 letters", packed_frame(packet(3).text(longest).str()),
         Fault::string_too_long},
        {"chat of 32,767 letters of three bytes",
         packed_frame(packet(3).text(wide("€", 32'767)).str()), Fault::string_too_long},
        {"a text that says it has 32,767 letters", small_frame(packet(3).varint(32'767).str()),
         Fault::string_too_long},
        {"a text that says it has two billion",
         small_frame(packet(3).varint(INT32_MAX).raw("abc").str()), Fault::string_too_long},
        {"a VarInt of six bytes for a length", "\xff\xff\xff\xff\xff\x01", Fault::bad_varint, true},
        {"a VarInt of six bytes in a field",
         small_frame(packet(0).raw(wide("\xff", 5)).u8(1).str()), Fault::bad_varint},
        {"a VarInt of six bytes for the inflated size", plain_frame(wide("\xff", 5) + "\x01"),
         Fault::bad_varint},
        {"as many slots as a VarInt can say",
         small_frame(packet(0x0c).raw(wide("\xff", 4)).u8(0x07).str()), Fault::count},
    };
}

TEST(Bombs, CostLittleAndAreNamedAndTheNextPacketIsRead) {
    const std::string next = small_frame(packet(0x10).i64(9).str());
    for (const Bomb& bomb : bombs()) {
        for (const size_t segment : {size_t{4} << 20, segment_bytes}) {
            Talk talk;
            talk.log_in(754, 64);
            Tally tally;
            const Cost cost = feed(talk.decoder, talk.session, bomb.bytes + next, segment, tally);
            EXPECT_EQ(cost.allocations, 0u) << bomb.what;
            EXPECT_LT(cost.seconds, seconds_max) << bomb.what;
            // What is kept is no more than a packet whose fields are read, and a segment.
            EXPECT_LE(cost.kept_most, (128u << 10) + 64 + std::min(segment, segment_bytes))
                << bomb.what;
            if (bomb.fault != Fault::count) {
                EXPECT_EQ(name_in(protocol::fault_names, tally.fault),
                          name_in(protocol::fault_names, bomb.fault))
                    << bomb.what;
                EXPECT_EQ(tally.faults, 1u) << bomb.what;
            }
            EXPECT_EQ(tally.answered == 9, !bomb.framing_lost) << bomb.what;
        }
    }
}

// A frame that says it has 2 MB, and then comes a byte at a time or not at all, keeps
// nothing here: what is to pass by unread is not waited for.
TEST(Bombs, AFrameThatSaysItIsLongIsNotWaitedFor) {
    for (const uint32_t length : {2'097'151u, 2'000'000u, 200'000u}) {
        for (const size_t segment : {size_t{1}, segment_bytes}) {
            Talk talk;
            talk.log_in(754, 64);
            Tally tally;
            const std::string liar = Made().varint(static_cast<int32_t>(length)).str() +
                                     Made().varint(0).varint(0x28).str() + std::string(3000, 'x');
            const Cost cost = feed(talk.decoder, talk.session, liar, segment, tally);
            EXPECT_EQ(cost.allocations, 0u) << length;
            EXPECT_LE(cost.kept_most, 64u) << length << " in " << segment;
            EXPECT_FALSE(tally.opaque) << length;
        }
    }
}

// Before a login the limits hold too, in every version.
TEST(Bombs, StrangersCostNoMore) {
    const std::string host(65'535, 'h'), name(70'000, 'n');
    for (const int32_t version : {47, 340, 754, 765, 769, 775}) {
        for (const std::string& bytes :
             {plain_frame(packet(0).varint(version).text(host).i16(25565).varint(2).str()),
              plain_frame(handshake(version, 2).str()) + plain_frame(packet(0).text(name).str()),
              plain_frame(handshake(version, 2).str()) +
                  plain_frame(packet(2).varint(1).boolean(true).raw(nested(1 << 20)).str())}) {
            Talk talk;
            Tally tally;
            const Cost cost = feed(talk.decoder, talk.session, bytes, segment_bytes, tally);
            EXPECT_EQ(cost.allocations, 0u) << version;
            EXPECT_LT(cost.seconds, seconds_max) << version;
            EXPECT_LE(cost.kept_most, (128u << 10) + 64 + segment_bytes) << version;
            EXPECT_GE(tally.faults, 1u) << version << ", " << bytes.size() << " bytes";
        }
    }
}

}  // namespace
}  // namespace portcullis::minecraft
