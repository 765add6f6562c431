// Goal: a log on a disk that does not answer at the start holds nobody up, says so, keeps what
// comes meanwhile as far as there is room, and goes on by itself; nor does it hold up the end.
// Method: a pipe in place of a file that RocksDB opens to read: whoever does so waits until
// somebody writes.

#include <atomic>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <thread>

#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "verdicts/log.h"
#include "verdicts/reader.h"

namespace portcullis::verdicts {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr std::string_view checks[] = {"movement.fly"};
constexpr std::string_view services[] = {"survival"};
constexpr Names names{checks, services};

/// A log of one verdict that nothing came of, on a disk that may stop to answer.
class HangingLog : public testing::Test {
protected:
    HangingLog() {
        // RocksDB opens the pipe once only to see that it is there, and may have left it before
        // anything is written.
        signal(SIGPIPE, SIG_IGN);
        std::string pattern = (fs::temp_directory_path() / "portcullis-start-XXXXXX").string();
        folder_ = mkdtemp(pattern.data());
        settings_.path = folder_ / "log";
        settings_.flush = 2ms;
        settings_.queue_max = 100;
        Log log(settings_, names);
        add(log, 1);
    }
    ~HangingLog() override { fs::remove_all(folder_); }

    fs::path current() const { return fs::path(settings_.path) / "CURRENT"; }
    fs::path real() const { return folder_ / "CURRENT"; }

    void hang() const {
        fs::rename(current(), real());
        ASSERT_EQ(mkfifo(current().c_str(), 0600), 0);
    }
    void answer() const {
        std::ifstream file(real());
        const std::string text(std::istreambuf_iterator<char>(file), {});
        std::ofstream waiting(current());
        fs::rename(real(), current());
        waiting << text;
    }
    static void add(Log& log, int count) {
        VerdictRecord record;
        record.time = std::chrono::system_clock::now().time_since_epoch();
        record.action = policy::Action::alert;
        for (int i = 0; i < count; ++i) log.append({&record, 1});
    }
    static bool eventually(const std::function<bool()>& done) {
        for (int i = 0; i < 1000 && !done(); ++i) std::this_thread::sleep_for(10ms);
        return done();
    }

    fs::path folder_;
    Log::Settings settings_;
};

TEST_F(HangingLog, KeepsWhatComesUntilItAnswers) {
    hang();
    Log log(Opening::later, settings_, names);
    const auto start = Clock::now();
    log.await_open(start + 200ms);
    EXPECT_LT(Clock::now() - start, 2s);
    EXPECT_NE(log.trouble().find("does not answer since the start"), std::string::npos)
        << log.trouble();
    add(log, 130);
    EXPECT_EQ(log.counts().waiting, 100u);
    EXPECT_EQ(log.counts().lost_verdicts, 30u);
    EXPECT_GT(log.counts().lag.count(), -1);

    answer();
    EXPECT_TRUE(eventually([&] { return log.trouble().empty(); })) << log.trouble();
    EXPECT_TRUE(eventually([&] { return log.counts().stored == 100; }));
    uint64_t entries = 0;
    Reader(settings_.path).each({}, [&](const Entry&) { return ++entries > 0; });
    EXPECT_EQ(entries, 101u);
}

TEST_F(HangingLog, HoldsUpNoStartByItself) {
    hang();
    const auto start = Clock::now();
    Log log(settings_, names);
    EXPECT_LT(Clock::now() - start, Opening::patience + 2s);
    answer();
    EXPECT_TRUE(eventually([&] { return log.trouble().empty(); })) << log.trouble();
}

// The thread comes back when all that it was given is gone.
TEST_F(HangingLog, EndsAndTouchesNothingAfterwards) {
    hang();
    const auto gone = std::make_shared<std::atomic<bool>>(false);
    const auto told = std::make_shared<std::atomic<int>>(0);
    {
        const auto own = std::make_unique<std::string>("a service of a long name, on the heap");
        const std::string_view service = *own;
        Log log(
            Opening::later, settings_, {checks, {&service, 1}},
            [gone, told](std::span<const VerdictRecord>) { *told += *gone ? 1 : 0; },
            [gone, told](const Entry&, std::span<const Outcome>) {
                *told += *gone ? 1 : 0;
                return std::vector<Outcome>();
            });
        log.await_open(Clock::now());
        add(log, 10);
        const auto start = Clock::now();
        log.finish(200ms);
        EXPECT_LT(Clock::now() - start, 2s);
        EXPECT_EQ(log.counts().lost_verdicts, 10u);
        EXPECT_EQ(log.counts().waiting, 0u);
    }
    *gone = true;
    answer();
    // Another one gets it once that thread has let go.
    EXPECT_TRUE(eventually([&] {
        try {
            Log next(settings_, names);
            return next.trouble().empty();
        } catch (const SetupError&) {
            return false;
        }
    }));
    EXPECT_EQ(*told, 0);
}

}  // namespace
}  // namespace portcullis::verdicts
