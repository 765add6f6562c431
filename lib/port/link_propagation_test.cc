// Goal: a break on one side of a wire is seen on the other, a whole wire is never held down,
// and no order of breaks and repairs makes two ports wait for each other.
// Method: two cables that are pulled and plugged, in stories and at random, with ports that
// take their time to find a link; the driver does what it is told, or not.
#include "port/link_propagation.h"

#include <cstdlib>
#include <random>
#include <string>

#include <gtest/gtest.h>

namespace portcullis::port {
namespace {

constexpr Side outside = Side::outside, inside = Side::inside;

/// A wire whose ports have a link `rise` after cable and driver allow it.
class Wire {
public:
    explicit Wire(Nanos rise = 0s) : rise_(rise) {}

    void plug(Side side, bool plugged) { of(side).plugged = plugged; }
    void driver_refuses(bool refuses) { refuses_ = refuses; }
    /// Somebody else sets a link, or opens the port anew.
    void set(Side side, bool up) { of(side).enabled = up; }

    void pass(Nanos time) {
        for (const Nanos until = now_ + time; now_ < until;) step();
    }
    void step() {
        now_ += 100ms;
        for (End& end : ends_) {
            if (!end.plugged || !end.enabled) end.found = now_ + rise_;
        }
        const auto change = links_.look({up(outside), up(inside)}, now_);
        if (!change) return;
        ++asked_;
        if (refuses_) return links_.refused(now_);
        set(change->side, change->up);
        links_.applied(*change, now_);
    }
    bool up(Side side) const {
        const End& end = ends_[static_cast<size_t>(side)];
        return end.plugged && end.enabled && now_ >= end.found;
    }
    bool enabled(Side side) const { return ends_[static_cast<size_t>(side)].enabled; }
    std::optional<Side> held() const { return links_.held(); }
    LinkPropagation& links() { return links_; }
    int asked() const { return asked_; }

private:
    struct End {
        bool plugged = true, enabled = true;
        Nanos found{};
    };
    End& of(Side side) { return ends_[static_cast<size_t>(side)]; }

    const Nanos rise_;
    LinkPropagation links_;
    std::array<End, 2> ends_;
    Nanos now_ = 1000s;
    bool refuses_ = false;
    int asked_ = 0;
};

TEST(LinkPropagation, ShowsABreakOnTheOtherSideAndItsRepair) {
    for (const Side broken : {outside, inside}) {
        Wire wire;
        wire.pass(1s);
        EXPECT_EQ(wire.held(), std::nullopt);
        wire.plug(broken, false);
        wire.pass(200ms);
        EXPECT_EQ(wire.held(), opposite(broken));
        EXPECT_FALSE(wire.up(opposite(broken)));
        wire.plug(broken, true);
        wire.pass(200ms);
        EXPECT_EQ(wire.held(), std::nullopt);
        EXPECT_TRUE(wire.up(outside) && wire.up(inside));
        EXPECT_EQ(wire.asked(), 2);
    }
}

TEST(LinkPropagation, GivesPortsTimeToFindTheirLinks) {
    Wire wire(3s);
    wire.plug(inside, false);
    wire.plug(outside, false);
    wire.pass(100ms);
    wire.plug(outside, true);
    wire.pass(LinkPropagation::rise_max - 1s);
    EXPECT_TRUE(wire.up(outside)) << "the inside port may still find its link";
    wire.pass(2s);
    EXPECT_EQ(wire.held(), outside);
    wire.plug(inside, true);
    wire.pass(4s);
    EXPECT_EQ(wire.held(), std::nullopt);
    wire.pass(4s);
    EXPECT_TRUE(wire.up(outside) && wire.up(inside));
}

TEST(LinkPropagation, FollowsABreakThatAHoldHid) {
    Wire wire;
    wire.pass(1s);
    wire.plug(outside, false);
    wire.pass(1s);
    wire.plug(inside, false);  // Nobody can see that now.
    wire.plug(outside, true);
    wire.pass(1s);
    EXPECT_EQ(wire.held(), std::nullopt) << "it is not known yet to be broken";
    wire.pass(LinkPropagation::rise_max);
    EXPECT_EQ(wire.held(), outside);
    wire.plug(inside, true);
    wire.pass(1s);
    EXPECT_TRUE(wire.up(outside) && wire.up(inside));
}

TEST(LinkPropagation, HoldsAnewWhatSomebodyElseHasSetUp) {
    Wire wire;
    wire.pass(1s);
    wire.plug(outside, false);
    wire.pass(1s);
    wire.set(inside, true);
    wire.pass(200ms);
    EXPECT_EQ(wire.held(), inside);
    EXPECT_FALSE(wire.enabled(inside));
}

TEST(LinkPropagation, AsksAgainWhenADriverRefusesAndNeverWhenItCanNot) {
    Wire wire;
    wire.pass(1s);
    wire.plug(outside, false);
    wire.driver_refuses(true);
    wire.pass(5s);
    EXPECT_GE(wire.asked(), 4);
    EXPECT_LE(wire.asked(), 6) << "once a second and not at every look";
    wire.driver_refuses(false);
    wire.pass(2s);
    EXPECT_EQ(wire.held(), inside);
    wire.driver_refuses(true);
    wire.plug(outside, true);
    wire.pass(2s);
    EXPECT_EQ(wire.held(), inside) << "still down, and still ours to set up";
    wire.driver_refuses(false);
    wire.pass(2s);
    EXPECT_TRUE(wire.up(inside));

    Wire unable;
    unable.links().impossible(inside);
    unable.pass(1s);
    unable.plug(outside, false);
    unable.pass(5s);
    EXPECT_EQ(unable.asked(), 0);
    unable.plug(outside, true);
    unable.plug(inside, false);
    unable.pass(1s);
    EXPECT_EQ(unable.held(), outside) << "the other one can";
}

TEST(LinkPropagation, NeverLeavesAWholeWireDown) {
    const char* given = std::getenv("PORTCULLIS_SEED");
    const unsigned long seed = given == nullptr ? std::random_device{}() : std::stoul(given);
    SCOPED_TRACE("PORTCULLIS_SEED=" + std::to_string(seed));
    std::mt19937_64 random(seed);
    const auto below = [&](unsigned n) { return std::uniform_int_distribution(0u, n - 1)(random); };
    for (int story = 0; story < 300; ++story) {
        const Nanos rise = below(9) * 1s;
        Wire wire(rise);
        for (int turn = 0; turn < 30; ++turn) {
            const Side side = below(2) == 0 ? outside : inside;
            if (below(4) == 0) {
                wire.set(side, true);
            } else {
                wire.plug(side, below(2) == 0);
            }
            wire.driver_refuses(below(4) == 0);
            for (unsigned steps = below(150); steps > 0; --steps) {
                wire.step();
                ASSERT_TRUE(wire.enabled(outside) || wire.enabled(inside));
            }
        }
        wire.driver_refuses(false);
        wire.plug(outside, true);
        wire.plug(inside, true);
        wire.pass(2 * LinkPropagation::rise_max + 2 * rise);
        ASSERT_TRUE(wire.up(outside) && wire.up(inside)) << "story " << story;
        const Side broken = below(2) == 0 ? outside : inside;
        wire.plug(broken, false);
        wire.pass(200ms);
        ASSERT_EQ(wire.held(), opposite(broken)) << "story " << story;
    }
}

}  // namespace
}  // namespace portcullis::port
