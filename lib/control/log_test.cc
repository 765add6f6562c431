// Goal: for the journal each line of a message has its priority, so that none of them is
// filed under another.
// Method: a pipe that JOURNAL_STREAM names as systemd would.

#include "control/log.h"

#include <cstdlib>
#include <string>

#include <gtest/gtest.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

namespace portcullis::control {
namespace {

TEST(Log, EachLineForTheJournalHasItsPriority) {
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    const int terminal = dup(STDERR_FILENO);
    ASSERT_EQ(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
    close(ends[1]);
    struct stat file{};
    ASSERT_EQ(fstat(STDERR_FILENO, &file), 0);
    const std::string stream = std::to_string(file.st_dev) + ':' + std::to_string(file.st_ino);
    ASSERT_EQ(setenv("JOURNAL_STREAM", stream.c_str(), 1), 0);

    start_log({});
    spdlog::error("a.yaml:1:1: one\na.yaml:2:1: two");
    spdlog::info("well");
    spdlog::shutdown();
    EXPECT_EQ(journal_lines(LOG_WARNING, "a\nb"), "<4>a\n<4>b");

    dup2(terminal, STDERR_FILENO);
    close(terminal);
    std::string said;
    char some[256];
    for (ssize_t size; (size = read(ends[0], some, sizeof some)) > 0;) said.append(some, size);
    close(ends[0]);
    EXPECT_EQ(said, "<3>a.yaml:1:1: one\n<3>a.yaml:2:1: two\n<6>well\n");
}

}  // namespace
}  // namespace portcullis::control
