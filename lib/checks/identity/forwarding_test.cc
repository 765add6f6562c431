// Goal: who pretends to be a proxy is found for sure; what may be a matter of set-up is
// never acted upon.
// Method: each way to be refused.

#include "checks/identity/forwarding.h"

#include <gtest/gtest.h>

#include "checks/story.h"

namespace portcullis::checks {
namespace {

using protocol::ForwardingRefused;
using Why = ForwardingRefused::Why;

struct Case {
    Why why;
    bool acts;
};
constexpr Case cases[] = {
    {Why::forged, true},      {Why::stranger, true},    {Why::missing, false},
    {Why::unreadable, false}, {Why::unexpected, false},
};
static_assert(std::size(cases) == static_cast<size_t>(Why::count));

TEST(Forwarding, ActsOnForgersAndStrangersAlone) {
    for (const Case& c : cases) {
        Story<Forwarding> story(767);
        story.client(ForwardingRefused{c.why});
        ASSERT_EQ(story.findings(), 1u);
        // Each connection says it once, so one has to be enough, as only certainty is
        // (policy/tally.h).
        const float least = c.acts ? 1 : 0, most = c.acts ? 1 : acts_at - 0.01f;
        EXPECT_GE(story.confidence(), least) << story.said[0].evidence.note;
        EXPECT_LE(story.confidence(), most) << story.said[0].evidence.note;
        EXPECT_EQ(story.said[0].evidence.note,
                  protocol::forwarding_refused_names[static_cast<size_t>(c.why)]);
    }
}

TEST(Forwarding, HasNothingToSayOfWhoIsBelieved) {
    Story<Forwarding> story(767);
    story.client(protocol::LoginStart{"Alice"});
    EXPECT_EQ(story.findings(), 0u);
}

}  // namespace
}  // namespace portcullis::checks
