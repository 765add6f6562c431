// Goal: what was never started can not be finished; what vanilla clients do around
// blocks that break at one blow is let be.
// Method: words of actions on blocks a..g: S start, C cancel, F finish.

#include "checks/digging/order.h"

#include <gtest/gtest.h>

#include "checks/story.h"

namespace portcullis::checks {
namespace {

using protocol::Dig;

constexpr int32_t version_1_14_3 = 490;
constexpr int32_t version_1_14_4 = 498;

struct Case {
    std::string_view what;
    std::string_view actions;
    bool acts;
    bool written;
    int32_t first = 47, last = 774;  ///< Protocols it holds for.
};
constexpr Case cases[] = {
    {"start and finish", "Sa Fa Sb Fb", false, false},
    {"start and cancel, again and again", "Sa Ca Sa Ca Sa Fa", false, false},
    {"one blow blocks, only started", "Sa Sb Sc Sd Se Sf", false, false},
    {"a one blow block amid another, which is cancelled twice", "Sa Ca Sb Ca Sc Fc", false, false},
    {"back to the first after a one blow block", "Sa Ca Sb Fa", false, false},
    {"back to the first after four", "Sa Ca Sb Sc Sd Se Fa", false, false},
    {"back to the first after six", "Sa Ca Sb Sc Sd Se Sf Sg Fa", false, false},
    {"six one blow blocks amid another", "Sa Ca Sb Ca Sc Ca Sd Ca Se Ca Sf Fa", false, false},
    {"held on a block that comes back", "Sa Fa Fa Fa", false, false, version_1_14_4},
    {"it came back while others broke", "Sa Fa Sb Sc Sd Se Sf Fa", false, false, version_1_14_4},
    {"creative amid a block: it may still be that", "Sa Sb Sc Sd Se Sf Fa", false, true},
    {"finished without a start", "Fa", true, true},
    {"another block finished", "Sa Fb", true, true},
    {"another block finished after a cancel", "Sa Ca Fb", true, true},
    {"another block finished after a few one blow blocks", "Sa Ca Sb Sc Sd Se Fx", true, true},
    {"many starts pay for one finish", "Sa Sb Sc Sd Se Sf Fx Fy", true, true},
    {"a cancel settles which block it is", "Sa Sb Sc Sd Se Sf Cf Sg Fx", true, true},
    {"the one before the last finished", "Sa Fa Sb Fb Fa", true, true},
    {"finished twice", "Sa Fa Fa", true, true, 47, version_1_14_3},
    {"cancelled without a start", "Ca", false, true},
    {"a cancel is no start", "Ca Fa", true, true},
};

TEST(DigOrder, HoldsPossibleWhatAClientMayStillWorkOn) {
    for (const Case& c : cases) {
        for (const int32_t version : {47, version_1_14_3, version_1_14_4, 754, 774}) {
            if (version < c.first || version > c.last) continue;
            Story<DigOrder> story(version);
            for (size_t i = 0; i + 1 < c.actions.size(); i += 3) {
                const auto status =
                    static_cast<uint8_t>(c.actions[i] == 'S'   ? Dig::Status::start
                                         : c.actions[i] == 'C' ? Dig::Status::cancel
                                                               : Dig::Status::finish);
                story.client(Dig{.status = status, .block = {c.actions[i + 1], 64, 0}, .face = 1});
            }
            EXPECT_EQ(story.confidence() >= acts_at, c.acts) << c.what << ' ' << version;
            EXPECT_EQ(story.findings() > 0, c.written) << c.what << ' ' << version;
        }
    }
}

TEST(DigOrder, ATranslatedClientMayBeOfAVersionThatKeepsWhatItFinished) {
    // Who holds the button in a protected lobby, by 1.21 on a server of 1.8 or 1.12.
    for (const bool translated : {false, true}) {
        for (const int32_t version : {47, 340, version_1_14_3}) {
            Story<DigOrder> story(version);
            story.player.line.translated = translated;
            const auto dig = [&](Dig::Status status) {
                story.client(
                    Dig{.status = static_cast<uint8_t>(status), .block = {1, 63, 0}, .face = 1});
            };
            dig(Dig::Status::start);
            for (int i = 0; i < 5; ++i) dig(Dig::Status::finish);
            EXPECT_EQ(story.findings() > 0, !translated) << version;
        }
    }
}

TEST(DigOrder, LetsABedrockPlayerBe) {
    // Geyser up to 2025-09 told of a block's end although it had held its start back.
    Story<DigOrder> story(767);
    story.player.is_bedrock();
    for (int i = 0; i < 4; ++i) {
        story.client(Dig{
            .status = static_cast<uint8_t>(Dig::Status::finish), .block = {i, 9, 9}, .face = 1});
    }
    EXPECT_EQ(story.findings(), 0u);
}

TEST(DigOrder, KnowsEachVersionsActions) {
    struct {
        int32_t version;
        uint8_t status;
        bool acts;
    } constexpr actions[] = {{47, 5, false},  {47, 6, true},    {107, 6, false},
                             {769, 6, false}, {769, 7, true},   {774, 7, false},
                             {774, 8, true},  {769, 255, true}, {900, 8, false}};
    for (const auto& a : actions) {
        Story<DigOrder> story(a.version);
        story.client(Dig{.status = a.status, .block = {}, .face = 0});
        EXPECT_EQ(story.confidence() >= acts_at, a.acts) << a.version << ' ' << int{a.status};
    }
}

}  // namespace
}  // namespace portcullis::checks
