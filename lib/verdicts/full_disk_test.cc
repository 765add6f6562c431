// Goal: a full disk stops neither the log nor its counting, and when there is
// room again everything that was not counted as lost is there.
// Method: a small file system of our own, in a mount namespace of our own, that
// another file fills and leaves again.  Skipped where that needs more rights.

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <thread>

#include <gtest/gtest.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>

#include "verdicts/log.h"
#include "verdicts/reader.h"

namespace portcullis::verdicts {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

std::string disk;  ///< Where it is mounted.

constexpr std::string_view checks[] = {"movement.speed"};
constexpr std::string_view services[] = {"survival"};

bool eventually(const std::function<bool()>& done) {
    for (int i = 0; i < 2000; ++i) {
        if (done()) return true;
        std::this_thread::sleep_for(5ms);
    }
    return false;
}

/// Takes all the room that is left.
void fill(const std::string& path) {
    std::ofstream file(path, std::ios::binary);
    const std::string block(4096, 'x');
    while (file.write(block.data(), static_cast<std::streamsize>(block.size())).flush()) {
    }
}

void offer(Log& log, size_t records) {
    for (size_t i = 0; i < records; ++i) {
        VerdictRecord record;
        record.player.name.assign("Player" + std::to_string(i));
        record.time = std::chrono::system_clock::now().time_since_epoch();
        log.append(std::span(&record, 1));
    }
}

TEST(FullDisk, CostsOnlyWhatIsCounted) {
    Log::Settings settings;
    settings.path = disk + "/log";
    settings.flush = 2ms;
    settings.retry_first = 10ms;
    settings.retry_max = 50ms;
    settings.queue_max = 5'000;
    uint64_t told = 0;
    Log::Counts counts;
    {
        Log log(settings, {checks, services},
                [&](std::span<const VerdictRecord> records) { told += records.size(); });
        offer(log, 1'000);
        ASSERT_TRUE(eventually([&] { return log.counts().waiting == 0; }));

        fill(disk + "/filler");
        offer(log, 4'000);
        ASSERT_TRUE(eventually([&] { return !log.trouble().empty(); }));
        std::printf("%s\n", log.trouble().c_str());
        offer(log, 6'000);
        EXPECT_GE(log.counts().lost_verdicts, 1'000u);

        fs::remove(disk + "/filler");
        ASSERT_TRUE(eventually([&] { return log.counts().waiting == 0; }));
        EXPECT_EQ(log.trouble(), "");
        offer(log, 1'000);
        log.finish(10s);
        counts = log.counts();
    }
    EXPECT_EQ(counts.taken, 12'000u);
    EXPECT_EQ(counts.taken, counts.stored + counts.lost_verdicts);
    EXPECT_EQ(told, counts.stored);
    size_t held = 0;
    Reader(settings.path).each({}, [&](const Entry&) { return ++held, true; });
    EXPECT_EQ(held, counts.stored);
}

// Whoever was killed on a full disk must come back: the wire waits for nobody's log.
TEST(FullDisk, KeepsNobodyFromStarting) {
    Log::Settings settings;
    settings.path = disk + "/restarted";
    settings.flush = 2ms;
    settings.retry_first = 10ms;
    settings.retry_max = 50ms;
    {
        Log log(settings, {checks, services});
        offer(log, 1'000);
    }
    fill(disk + "/filler");
    {
        Log log(settings, {checks, services});
        EXPECT_NE(log.trouble().find("No space left on device"), std::string::npos)
            << log.trouble();
        fs::remove(disk + "/filler");
        EXPECT_TRUE(eventually([&] { return log.trouble().empty(); })) << "and no record came";
    }
    fill(disk + "/filler");
    Log log(settings, {checks, services});
    offer(log, 1'000);
    EXPECT_EQ(log.counts().stored, 0u);
    fs::remove(disk + "/filler");
    EXPECT_TRUE(eventually([&] { return log.counts().stored == 1'000; }));
    EXPECT_EQ(log.counts().lost_verdicts, 0u);
    size_t held = 0;
    Reader(settings.path).each({}, [&](const Entry&) { return ++held, true; });
    EXPECT_EQ(held, 2'000u);
}

}  // namespace
}  // namespace portcullis::verdicts

int main(int argc, char** argv) {
    constexpr int skipped = 77;  // As Meson understands it.
    testing::InitGoogleTest(&argc, argv);
    std::string path = (std::filesystem::temp_directory_path() / "portcullis-disk-XXXXXX").string();
    if (mkdtemp(path.data()) == nullptr) return 1;
    int result = skipped;
    if (unshare(CLONE_NEWNS) == 0 && mount("", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
        mount("tmpfs", path.c_str(), "tmpfs", 0, "size=8m") == 0) {
        portcullis::verdicts::disk = path;
        result = RUN_ALL_TESTS();
        umount2(path.c_str(), MNT_DETACH);
    } else {
        std::perror("no disk of our own");
    }
    std::filesystem::remove(path);
    return result;
}
