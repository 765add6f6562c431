// Goal: a port's link goes down and up as it is told, is told of truly, and a driver that can
// not do it says so.  Method: a ring and a null device, which want neither root nor a network.
#include "port/port.h"

#include <array>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <thread>

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <rte_mbuf.h>

namespace portcullis::port {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

struct FreePool {
    void operator()(rte_mempool* pool) const noexcept { rte_mempool_free(pool); }
};
using Pool = std::unique_ptr<rte_mempool, FreePool>;

/// An empty one, which net_pcap reads; or a pipe in its place, whose reader waits for a writer.
class Capture {
public:
    Capture() {
        std::string pattern = (fs::temp_directory_path() / "portcullis-port-XXXXXX").string();
        folder_ = mkdtemp(pattern.data());
        answer();
    }
    Capture(const Capture&) = delete;
    Capture& operator=(const Capture&) = delete;
    ~Capture() { fs::remove_all(folder_); }

    std::string path() const { return folder_ / "empty.pcap"; }
    void hang() const {
        fs::remove(path());
        ASSERT_EQ(mkfifo(path().c_str(), 0600), 0);
    }
    void answer() const {
        const std::array<uint32_t, 6> head = {0xa1b2c3d4, 2 | 4 << 16, 0, 0, 65'535, 1};
        std::ofstream(path(), std::ios::binary)
            .write(reinterpret_cast<const char*>(head.data()), sizeof head);
    }

private:
    fs::path folder_;
};

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

// As a driver that does not come back from bringing up a card.
TEST_F(Ports, AreNotWaitedForWhileADriverReopensThem) {
    const Capture capture;
    const auto port = open("net_pcap0,rx_pcap=" + capture.path());
    EXPECT_TRUE(port->has_link());
    capture.hang();
    port->shut();
    std::thread reopening([&] { port->reopen(); });
    while (port->state().present) std::this_thread::sleep_for(1ms);
    EXPECT_FALSE(port->has_link());
    EXPECT_EQ(port->set_link(true), -ENODEV);
    capture.answer();
    reopening.join();
    EXPECT_TRUE(port->state().present);
    EXPECT_TRUE(port->has_link());
}

}  // namespace
}  // namespace portcullis::port
