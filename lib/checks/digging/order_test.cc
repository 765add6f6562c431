// Goal: what was never started can not be finished; what vanilla clients do around
// blocks that break at one blow is let be.
// Method: words of actions on blocks a..f: S start, C cancel, F finish.

#include "checks/digging/order.h"

#include <gtest/gtest.h>

#include "checks/story.h"

namespace portcullis::checks {
namespace {

using protocol::Dig;

struct Case {
    std::string_view what;
    std::string_view actions;
    bool acts;
    bool written;
};
constexpr Case cases[] = {
    {"start and finish", "Sa Fa Sb Fb", false, false},
    {"start and cancel, again and again", "Sa Ca Sa Ca Sa Fa", false, false},
    {"one blow blocks, only started", "Sa Sb Sc Sd Se Sf", false, false},
    {"a one blow block amid another, which is cancelled twice", "Sa Ca Sb Ca Sc Fc", false, false},
    {"back to the first after a one blow block", "Sa Ca Sb Fa", false, false},
    {"six one blow blocks amid another", "Sa Ca Sb Ca Sc Ca Sd Ca Se Ca Sf Fa", false, false},
    {"finished without a start", "Fa", true, true},
    {"another block finished", "Sa Fb", true, true},
    {"finished twice", "Sa Fa Fa", true, true},
    {"cancelled without a start", "Ca", false, true},
};

TEST(DigOrder, HoldsPossibleWhatAClientMayStillWorkOn) {
    for (const Case& c : cases) {
        Story<DigOrder> story(754);
        for (size_t i = 0; i + 1 < c.actions.size(); i += 3) {
            const auto status = static_cast<uint8_t>(c.actions[i] == 'S'   ? Dig::Status::start
                                                     : c.actions[i] == 'C' ? Dig::Status::cancel
                                                                           : Dig::Status::finish);
            story.client(Dig{.status = status, .block = {c.actions[i + 1], 64, 0}, .face = 1});
        }
        EXPECT_EQ(story.confidence() >= acts_at, c.acts) << c.what;
        EXPECT_EQ(story.findings() > 0, c.written) << c.what;
    }
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
