// Goal: evidence on a disk that does not answer holds up neither the start nor the end, says
// so, and goes on once it answers.
// Method: the system call by which the Store asks for its directory, held back by this test.

#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <string>
#include <thread>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "evidence/store.h"

namespace {

std::mutex mutex;
std::condition_variable answers;
std::string hanging;  ///< What the disk does not answer about.

void let(const std::string& path) {
    const std::lock_guard lock(mutex);
    hanging = path;
    answers.notify_all();
}

}  // namespace

/// In place of the C library's.
extern "C" int access(const char* path, int mode) noexcept {
    {
        std::unique_lock lock(mutex);
        answers.wait(lock, [&] { return hanging != path; });
    }
    return static_cast<int>(syscall(SYS_faccessat, AT_FDCWD, path, mode));
}

namespace portcullis::evidence {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

class HangingEvidence : public testing::Test {
protected:
    HangingEvidence() {
        std::string pattern = (fs::temp_directory_path() / "portcullis-start-XXXXXX").string();
        folder_ = mkdtemp(pattern.data());
        settings_.directory = folder_ / "e";
        let(settings_.directory);
    }
    ~HangingEvidence() override {
        let("");
        std::this_thread::sleep_for(100ms);  // A thread that was left behind may go.
        fs::remove_all(folder_);
    }

    fs::path folder_;
    Store::Settings settings_;
};

TEST_F(HangingEvidence, GoesOnOnceItAnswers) {
    const auto start = Clock::now();
    Store store(Opening::later, settings_, {}, {"survival"}, {});
    store.await_open(start + 100ms);
    EXPECT_LT(Clock::now() - start, 2s);
    const auto condition = [&] { return store.status().conditions.at(0); };
    EXPECT_FALSE(condition().well);
    EXPECT_NE(condition().says.find("does not answer since the start"), std::string::npos)
        << condition().says;
    let("");
    for (int i = 0; i < 1000 && !condition().well; ++i) std::this_thread::sleep_for(5ms);
    EXPECT_TRUE(condition().well) << condition().says;
}

TEST_F(HangingEvidence, EndsWithoutIt) {
    const auto start = Clock::now();
    {
        Store store(Opening::later, settings_, {}, {"survival"}, {});
        store.await_open(start);
        store.finish(100ms);
    }
    EXPECT_LT(Clock::now() - start, 3s);
}

}  // namespace
}  // namespace portcullis::evidence
