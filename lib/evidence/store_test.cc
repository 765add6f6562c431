// Goal: what proves a verdict is kept under its name once the log has the verdict, as long as
// was configured and no longer, whatever the disk, the log and the clock do.
// Method: suspects that are made up, and a Store over a directory of this test.

#include "evidence/store.h"

#include <fstream>
#include <initializer_list>
#include <iterator>

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/concat.h"
#include "base/setup_error.h"
#include "checks/all.h"
#include "evidence/evidence_test_support.h"
#include "evidence/file.h"
#include "records/disk_wait.h"

namespace portcullis::evidence {
namespace {

using namespace testing;

TEST(Store, GivesNamesOnlyToWhatTheLogKnows) {
    const TestDirectory directory;
    Crowd crowd(1);
    Store store(settings(directory / "e"), checks::check_names, {"survival"}, {&crowd.recorder()});
    const VerdictRecord known = crowd.one(), unknown = crowd.one();
    store.committed(std::span(&known, 1));
    EXPECT_TRUE(eventually([&] { return there(directory / "e", known); }));
    EXPECT_FALSE(there(directory / "e", unknown));
    EXPECT_TRUE(eventually([&] { return outcome(store, "without_verdict") == 1; }));
    EXPECT_FALSE(there(directory / "e", unknown));
    EXPECT_EQ(outcome(store, "stored"), 1u);
    EXPECT_EQ(std::distance(fs::directory_iterator(directory / "e"), {}), 1);
}

// The disk of the log is slow, and its verdicts are stored in the end: so is what proves them.
TEST(Store, WaitsForAVerdictAsLongAsTheLogHoldsIt) {
    const TestDirectory directory;
    Crowd crowd(1);
    Store store(settings(directory / "e"), checks::check_names, {"survival"}, {&crowd.recorder()});
    store.log_lags(1h);
    const VerdictRecord late = crowd.one(), never = crowd.one();
    std::this_thread::sleep_for(3 * settings("").patience);
    EXPECT_EQ(outcome(store, "without_verdict"), 0u);
    EXPECT_GT(store.status().lag_s, 0.2);
    store.committed(std::span(&late, 1));
    EXPECT_TRUE(eventually([&] { return there(directory / "e", late); }));
    store.log_lags(0ms);
    EXPECT_TRUE(eventually([&] { return outcome(store, "without_verdict") == 1; }));
    EXPECT_FALSE(there(directory / "e", never));
}

TEST(Store, HoldsNoMoreForALogThatStandsStillThanItMayKeep) {
    const TestDirectory directory;
    Crowd crowd(1);
    Store::Settings limits = settings(directory / "e");
    limits.bytes_max = 1;
    Store store(limits, checks::check_names, {"survival"}, {&crowd.recorder()});
    store.log_lags(1h);
    crowd.one();
    EXPECT_TRUE(eventually([&] { return outcome(store, "lost") == 1; }));
    EXPECT_TRUE(eventually([&] { return fs::is_empty(directory / "e"); }));
}

TEST(Store, WritesTheSignaturesThatWereInForceThen) {
    const TestDirectory directory;
    Store::Settings limits = settings(directory / "e");
    limits.signatures = advertising;
    config::Config config = with_signatures(advertising);
    Crowd crowd(1, config);
    Store store(limits, checks::check_names, {"survival"}, {&crowd.recorder()});
    for (size_t i = 0; i + 1 < Store::signatures_max; ++i) {
        (void)store.reloaded(with_signatures(concat("signatures: []  # ", i, "\n")));
    }
    const VerdictRecord record = crowd.one();
    store.committed(std::span(&record, 1));
    ASSERT_TRUE(eventually([&] { return there(directory / "e", record); }));
    const File file(path_of(directory / "e", {record.id_high, record.id_low}));
    EXPECT_EQ(file.signatures(file.capture().parts[0]), advertising);
}

TEST(Store, ForgetsTheOldestAndWhatIsTooOld) {
    const TestDirectory directory;
    fs::create_directories(directory / "e");
    verdicts::IdSource ids(0, 1);
    std::vector<VerdictId> all;
    for (int hours = 40; hours > 0; --hours) {
        all.push_back(ids.next(now() - hours * 1h));
        std::ofstream(path_of(directory / "e", all.back())) << std::string(1000, 'x');
    }
    // A second name of one file costs nothing.
    fs::create_hard_link(path_of(directory / "e", all[39]),
                         path_of(directory / "e", ids.next(now())));
    std::ofstream(directory / "e/unnamed-3") << "left by a crash";
    Store::Settings limits = settings(directory / "e");
    limits.retention = 20h;
    limits.bytes_max = 10'000;
    const Store store(limits, checks::check_names, {"survival"}, {});
    for (size_t i = 0; i < all.size(); ++i) {
        EXPECT_EQ(fs::exists(path_of(directory / "e", all[i])), i >= 30) << i;
    }
    EXPECT_EQ(outcome(store, "removed"), 30u);
    EXPECT_FALSE(fs::exists(directory / "e/unnamed-3"));
}

/// Empty files of evidence from so long ago; one for each.
void leave(const std::string& directory, std::initializer_list<Nanos> ages) {
    fs::create_directories(directory);
    verdicts::IdSource ids(0, 1);
    for (const Nanos age : ages) std::ofstream(path_of(directory, ids.next(now() - age)));
}

size_t files_in(const std::string& directory) {
    return static_cast<size_t>(std::distance(fs::directory_iterator(directory), {}));
}

TEST(Store, ForgetsByItsRetention) {
    const TestDirectory directory;
    leave(directory / "e", {50h, 21h, 19h, 0h});
    Store::Settings limits = settings(directory / "e");
    limits.retention = 20h;
    limits.trim_every = 0s;
    limits.forgets_faster = 100'000'000;
    const Store store(limits, checks::check_names, {"survival"}, {});
    EXPECT_TRUE(eventually([&] { return outcome(store, "removed") == 2; }));
    EXPECT_EQ(files_in(directory / "e"), 2u);
}

// The clock says that all of it is forty days old; what is written since may bring the oldest
// down, but no more of it than `forgets_faster` allows.
TEST(Store, LosesLittleToAClockThatIsAhead) {
    for (const bool wrote_since : {false, true}) {
        const TestDirectory directory;
        leave(directory / "e", {41 * 24h, 41 * 24h - 1h, 40 * 24h});
        if (wrote_since) leave(directory / "e", {0h});
        Store::Settings limits = settings(directory / "e");
        limits.trim_every = 0s;
        const Store store(limits, checks::check_names, {"survival"}, {});
        std::this_thread::sleep_for(100ms);
        EXPECT_EQ(outcome(store, "removed"), wrote_since ? 1u : 0u);
        EXPECT_EQ(files_in(directory / "e"), 3u);
    }
}

TEST(Store, CountsWhatADiskWillNotTakeAndSaysWhy) {
    const TestDirectory directory;
    Crowd crowd(1);
    Store store(settings(directory / "e"), checks::check_names, {"survival"}, {&crowd.recorder()});
    fs::remove_all(directory / "e");
    std::ofstream(directory / "e") << "in the way";
    crowd.one();
    EXPECT_TRUE(eventually([&] { return outcome(store, "lost") == 1; }));
    EXPECT_FALSE(store.status().conditions.at(0).well);
    EXPECT_NE(store.status().conditions.at(0).says.find(directory / "e"), std::string::npos);

    fs::remove(directory / "e");
    const VerdictRecord record = crowd.one();
    store.committed(std::span(&record, 1));
    EXPECT_TRUE(eventually([&] { return there(directory / "e", record); }));
    EXPECT_TRUE(store.status().conditions.at(0).well);
}

TEST(Store, StartsWithoutItsDiskAndFindsItLater) {
    const TestDirectory directory;
    Store::Settings settled = settings(directory / "e");
    settled.trim_every = 0s;
    fs::create_symlink("e", directory / "e");  // Leads nowhere, as a broken disk would.
    const Store store(settled, checks::check_names, {"survival"}, {});
    EXPECT_FALSE(store.status().conditions.at(0).well);
    fs::remove(directory / "e");
    EXPECT_TRUE(eventually([&] { return store.status().conditions.at(0).well; }));
    std::ofstream(directory / "file") << "no directory";
    EXPECT_THROW(Store(settings(directory / "file/e"), checks::check_names, {"survival"}, {}),
                 SetupError);
}

TEST(Store, EndsWhenItsDiskDoesNotAnswer) {
    const TestDirectory directory;
    const auto start = std::chrono::steady_clock::now();
    const std::string fifo = directory / "e/unnamed-1";
    {
        Crowd crowd(1);
        Store store(settings(directory / "e"), checks::check_names, {"survival"},
                    {&crowd.recorder()});
        ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);  // Whoever writes to it waits for a reader.
        crowd.one();
        EXPECT_TRUE(eventually([&] { return !store.status().conditions.at(0).well; }));
        EXPECT_NE(store.status().conditions.at(0).says.find("has not answered for"),
                  std::string::npos);
        crowd.one();
        store.finish(200ms);
        EXPECT_EQ(outcome(store, "lost"), 2u) << "one in hand, and one that nobody took";
    }
    EXPECT_LT(std::chrono::steady_clock::now() - start, DiskWait::patience + 5s);
    // The thread comes back, and what it took the capture from is gone.
    std::ifstream(fifo).ignore(1 << 30);
    std::this_thread::sleep_for(100ms);
}

}  // namespace
}  // namespace portcullis::evidence
