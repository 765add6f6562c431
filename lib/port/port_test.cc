// Goal: a port's link goes down and up as it is told, is told of truly, and a driver that can
// not do it says so.  Method: a ring and a null device, which want neither root nor a network.
#include "port/port.h"

#include <cerrno>

#include <gtest/gtest.h>

#include <rte_mbuf.h>

namespace portcullis::port {
namespace {

struct FreePool {
    void operator()(rte_mempool* pool) const noexcept { rte_mempool_free(pool); }
};
using Pool = std::unique_ptr<rte_mempool, FreePool>;

class Ports : public ::testing::Test {
protected:
    std::unique_ptr<Port> open(const std::string& device) {
        if (pool_ == nullptr) {
            pool_.reset(rte_pktmbuf_pool_create("ports", 2047, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, 0));
        }
        Profile profile;
        profile.rx_descriptors = profile.tx_descriptors = 64;
        return std::make_unique<Port>(Port::Request{
            .configured = {.device = device, .driver = "", .mark = {}},
            .profile = profile,
            .sets_link = true,
            .pool = pool_.get(),
        });
    }

private:
    Pool pool_;
};

TEST_F(Ports, SetTheirLinkDownAndUpAgain) {
    const auto port = open("net_ring0");
    EXPECT_TRUE(port->has_link());
    EXPECT_EQ(port->set_link(false), 0);
    EXPECT_FALSE(port->has_link());
    PortState state = port->state();
    EXPECT_TRUE(state.held);
    EXPECT_TRUE(state.present);
    EXPECT_FALSE(state.up);
    EXPECT_EQ(port->set_link(false), 0) << "again, since somebody else set it up";
    EXPECT_EQ(port->state().held_times, 1u);
    EXPECT_EQ(port->set_link(true), 0);
    state = port->state();
    EXPECT_FALSE(state.held);
    EXPECT_TRUE(state.up);
    EXPECT_EQ(state.held_times, 1u);
    EXPECT_EQ(state.hold_failures, 0u);
}

TEST_F(Ports, SayWhenTheyCanNot) {
    const auto port = open("net_null0");
    EXPECT_TRUE(port->has_link());
    EXPECT_EQ(port->set_link(false), -ENOTSUP);
    const PortState state = port->state();
    EXPECT_FALSE(state.held);
    EXPECT_TRUE(state.up);
    EXPECT_EQ(state.held_times, 0u);
    EXPECT_EQ(state.hold_failures, 1u);
}

TEST_F(Ports, ForgetAHoldWhenTheyAreOpenedAnew) {
    const auto port = open("net_ring1");
    ASSERT_EQ(port->set_link(false), 0);
    port->shut();
    EXPECT_FALSE(port->has_link());
    port->reopen();
    EXPECT_TRUE(port->has_link());
    const PortState state = port->state();
    EXPECT_FALSE(state.held);
    EXPECT_EQ(state.reopened, 1u);
    EXPECT_EQ(state.held_times, 1u);
}

}  // namespace
}  // namespace portcullis::port
