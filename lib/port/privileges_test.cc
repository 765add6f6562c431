// Goal: after the drop no thread has more than what was kept, whether it ran before or
// began after, and nothing brings it back.
// Method: threads that wait in different ways, and what the kernel says of each.

#include "port/privileges.h"

#include <atomic>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <unistd.h>

namespace portcullis::port {
namespace {

constexpr Capabilities bit(int capability) { return Capabilities{1} << capability; }

TEST(Privileges, NamesWhatIsThere) {
    EXPECT_EQ(capabilities_text(0), "none");
    EXPECT_EQ(capabilities_text(bit(CAP_NET_ADMIN) | bit(CAP_NET_RAW)), "net_admin, net_raw");
    EXPECT_EQ(capabilities_text(bit(CAP_BPF) | bit(CAP_CHECKPOINT_RESTORE)),
              "bpf, checkpoint_restore");
}

// The last test of this process: there is no way back.
TEST(Privileges, AreTakenFromEveryThread) {
    constexpr Capabilities kept = bit(CAP_NET_RAW);
    const Capabilities before = effective_capabilities();
    if ((before & ~kept) == 0) GTEST_SKIP() << "this user has nothing to drop";
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    std::atomic<bool> done = false;
    std::vector<std::thread> threads;
    threads.emplace_back([&] {
        while (!done) {
        }
    });
    threads.emplace_back([&] {
        char byte;
        EXPECT_EQ(read(ends[0], &byte, 1), 1) << "a read was broken off";
    });
    threads.emplace_back([&] {
        while (!done) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    });
    while (effective_capabilities() != before) std::this_thread::yield();

    drop_capabilities(kept);
    EXPECT_EQ(effective_capabilities(), before & kept);
    EXPECT_EQ(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1);
    std::thread([&] { EXPECT_EQ(effective_capabilities(), before & kept); }).join();

    done = true;
    EXPECT_EQ(write(ends[1], "x", 1), 1);
    for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace portcullis::port
