// Goal: whatever the wall clock said meanwhile, the log hides and loses nothing, and is not
// blind to what comes next.
// Method: logs that are opened, written and trimmed all the time by a clock of ours.

#include <chrono>
#include <filesystem>
#include <thread>

#include <gtest/gtest.h>
#include <stdlib.h>

#include "verdicts/log.h"
#include "verdicts/reader.h"

namespace portcullis::verdicts {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

constexpr std::string_view checks[] = {"movement.speed"};
constexpr std::string_view services[] = {"survival"};
constexpr Names names{checks, services};

Nanos off;  ///< How wrong the clock is.
Nanos clock_says() { return std::chrono::system_clock::now().time_since_epoch() + off; }

bool add(Log& log, std::string_view player) {
    VerdictRecord record;
    record.player.name.assign(player);
    record.time = clock_says();
    log.append(std::span(&record, 1));
    for (int i = 0; i < 2000 && log.counts().waiting > 0; ++i) std::this_thread::sleep_for(5ms);
    return log.counts().waiting == 0;
}

size_t found(const std::string& path, const std::string& player) {
    size_t count = 0;
    Reader(path).each({.player = player}, [&](const Entry&) { return ++count, true; });
    return count;
}

// A dead clock battery, a resumed machine, a slip of the hand: NTP mends it later.
TEST(Clock, HidesNothingWhateverItSaidMeanwhile) {
    for (const Nanos wrong : {Nanos(60 * 24h), Nanos(-60 * 24h)}) {
        std::string folder = (fs::temp_directory_path() / "portcullis-clock-XXXXXX").string();
        ASSERT_NE(mkdtemp(folder.data()), nullptr);
        Log::Settings settings;
        settings.path = folder + "/log";
        settings.flush = 2ms;
        settings.trim_every = 0s;
        settings.wall_clock = clock_says;
        // Whether it is set between two starts or while it runs.
        for (const Nanos at_start : {Nanos(), wrong, Nanos()}) {
            off = at_start;
            Log log(settings, names);
            for (const Nanos later : {at_start, wrong, Nanos()}) {
                off = later;
                ASSERT_TRUE(add(log, "Alice"));
            }
            std::this_thread::sleep_for(1100ms);  // It trims once more without a record.
        }
        EXPECT_EQ(found(settings.path, "Alice"), 9u);
        EXPECT_EQ(found(settings.path, ""), 9u);
        {
            Log log(settings, names);
            ASSERT_TRUE(add(log, "Bob"));
            EXPECT_EQ(found(settings.path, "Bob"), 1u);
        }
        fs::remove_all(folder);
    }
}

}  // namespace
}  // namespace portcullis::verdicts
