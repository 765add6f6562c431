// Goal: a block outlives a restart, no longer than it should, and a disk that
// fails keeps nobody in or out, nor the appliance from starting and ending.
// Method: a list in a directory of its own, opened again and again; the
// directory taken away; an `fsync` of the test's own, which may take its time.

#include "actions/blocklist/blocklist.h"

#include <filesystem>
#include <fstream>
#include <map>
#include <thread>

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "actions/testing/slow_disk.h"
#include "base/clock_steps.h"
#include "base/concat.h"
#include "records/disk_wait.h"

namespace portcullis::actions {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using Added = Blocklist::Added;

class TestDirectory {
public:
    TestDirectory() {
        std::string path = (fs::temp_directory_path() / "portcullis-blocks-XXXXXX").string();
        if (mkdtemp(path.data()) == nullptr) throw std::runtime_error("mkdtemp");
        path_ = path;
    }
    TestDirectory(const TestDirectory&) = delete;
    TestDirectory& operator=(const TestDirectory&) = delete;
    ~TestDirectory() { fs::remove_all(path_); }
    std::string file() const { return path_ / "sub" / "blocks"; }

private:
    fs::path path_;
};

Block block_of(const char* prefix, Nanos until) { return {*parse_prefix(prefix), until, "speed"}; }

TEST(Blocklist, OutlivesARestart) {
    const TestDirectory directory;
    {
        Blocklist list(directory.file());
        EXPECT_EQ(list.add(block_of("198.51.100.7", 1000s)), Added::new_block);
        EXPECT_EQ(list.add(block_of("2001:db8::/32", 2000s)), Added::new_block);
        EXPECT_EQ(list.add(block_of("203.0.113.0/24", 3000s)), Added::new_block);
        EXPECT_EQ(list.add(block_of("198.51.100.7", 1005s)), Added::no_news);
        EXPECT_EQ(list.add(block_of("198.51.100.7", 1500s)), Added::longer);
        EXPECT_TRUE(list.remove(*parse_prefix("203.0.113.0/24")));
        EXPECT_FALSE(list.remove(*parse_prefix("203.0.113.0/24")));
    }
    {
        Blocklist list(directory.file());
        const auto blocks = list.blocks();
        ASSERT_EQ(blocks.size(), 2u);
        EXPECT_EQ(to_string(blocks[0].prefix), "198.51.100.7/32");
        EXPECT_EQ(blocks[0].until, Nanos(1500s));
        EXPECT_EQ(blocks[0].reason, "speed");
        list.expire(1500s);
        EXPECT_EQ(list.blocks().size(), 1u);
    }
    EXPECT_EQ(Blocklist(directory.file()).blocks().size(), 1u);
}

TEST(Blocklist, LastsAsLongAsItWasToWhenTheClockIsSet) {
    const TestDirectory directory;
    ClockSteps steps(Nanos(1000s), Nanos(5s));
    {
        Blocklist list(directory.file());
        EXPECT_EQ(list.add(block_of("198.51.100.7", 1600s)), Added::new_block);
        // Ten seconds later somebody has set the clock back by an hour and forward by two.
        list.shift(steps.look(Nanos(1010s) - 1h, Nanos(15s)));
        EXPECT_EQ(list.add(block_of("198.51.100.7", 1610s - Nanos(1h))), Added::no_news);
        EXPECT_EQ(list.add(block_of("198.51.100.7", 1700s - Nanos(1h))), Added::longer);
        list.shift(steps.look(Nanos(1020s) + 1h, Nanos(25s)));
        list.expire(Nanos(1020s) + 1h);
        EXPECT_EQ(steps.look(Nanos(1030s) + 1h, Nanos(35s)), Nanos{});
    }
    Blocklist list(directory.file());
    ASSERT_EQ(list.blocks().size(), 1u);
    EXPECT_EQ(list.blocks()[0].until, Nanos(1700s) + 1h);
}

TEST(ClockSteps, AreNoDrift) {
    ClockSteps steps(Nanos(0), Nanos(0));
    Nanos wall{}, found{};
    for (Nanos steady{}; steady < Nanos(1h); steady += 1s) {
        wall += Nanos(1s) + 500us;  // 500 ppm, the most that clocks are slewed by.
        const Nanos step = steps.look(wall, steady + 1s);
        EXPECT_TRUE(step == Nanos{} || step >= ClockSteps::smallest);
        found += step;
    }
    EXPECT_LT(1800ms - found, ClockSteps::smallest) << "it adds up until it is one";
}

TEST(Blocklist, AnOperatorMayShortenWhatVerdictsOnlyLengthen) {
    const TestDirectory directory;
    {
        Blocklist list(directory.file());
        EXPECT_EQ(list.add(block_of("198.51.100.7", 9000s)), Added::new_block);
        EXPECT_TRUE(list.set(block_of("198.51.100.7", 1000s)));
    }
    const auto blocks = Blocklist(directory.file()).blocks();
    ASSERT_EQ(blocks.size(), 1u);
    EXPECT_EQ(blocks[0].until, Nanos(1000s));
}

TEST(Blocklist, AnEntryIsThePrefixWithoutItsHostBits) {
    const TestDirectory directory;
    Blocklist list(directory.file());
    EXPECT_EQ(list.add(block_of("10.77.9.9/16", 1000s)), Added::new_block);
    EXPECT_TRUE(list.remove(*parse_prefix("10.77.0.0/16")));
}

TEST(Blocklist, WhenFullTheOneThatEndsFirstGivesWayAndNoOperators) {
    const TestDirectory directory;
    const auto numbered = [](uint32_t i) { return IpPrefix{IpAddress::v4(i), 128}; };
    Blocklist list(directory.file());
    for (uint32_t i = 0; i + 1 < Blocklist::blocks_max; ++i) {
        ASSERT_EQ(list.add({numbered(i), 1000s + i * 1s, ""}), Added::new_block);
    }
    EXPECT_TRUE(list.standing().well);
    EXPECT_TRUE(list.set({numbered(1'000'000), 10s, "mine", true}));
    EXPECT_FALSE(list.standing().well);
    EXPECT_EQ(list.add({numbered(1'000'001), 999s, ""}), Added::full);
    EXPECT_TRUE(list.take_displaced().empty());
    EXPECT_EQ(list.add({numbered(5), 20'000s, ""}), Added::longer);

    EXPECT_EQ(list.add({numbered(1'000'002), 1001s, ""}), Added::new_block);
    EXPECT_EQ(list.take_displaced(), std::vector{numbered(0)});
    // An operator's finds room however soon it ends.
    EXPECT_TRUE(list.set({numbered(1'000'003), 10s, "mine", true}));
    EXPECT_EQ(list.take_displaced().size(), 1u);
    EXPECT_EQ(list.blocks().size(), Blocklist::blocks_max);
}

TEST(Blocklist, SaysWhenOnlyOperatorsBlocksAreLeft) {
    const TestDirectory directory;
    Blocklist list(directory.file());
    for (uint32_t i = 0; i < Blocklist::blocks_max; ++i) {
        ASSERT_TRUE(list.set({{IpAddress::v4(i), 128}, 1000s, "", true}));
    }
    const Block another{*parse_prefix("198.51.100.7"), 5000s, "", true};
    EXPECT_FALSE(list.has_room_for_operator(another.prefix));
    EXPECT_TRUE(list.has_room_for_operator({IpAddress::v4(5), 128}));
    EXPECT_FALSE(list.set(another));
    EXPECT_EQ(list.add({another.prefix, 5000s, ""}), Added::full);
}

TEST(Blocklist, KnowsAfterARestartWhatIsAnOperators) {
    const TestDirectory directory;
    {
        Blocklist list(directory.file());
        EXPECT_TRUE(list.set({*parse_prefix("198.51.100.7"), 1000s, "", true}));
        EXPECT_EQ(list.add(block_of("198.51.100.7", 2000s)), Added::longer) << "and stays his";
        EXPECT_EQ(list.add(block_of("198.51.100.8", 1000s)), Added::new_block);
    }
    const auto blocks = Blocklist(directory.file()).blocks();
    ASSERT_EQ(blocks.size(), 2u);
    EXPECT_TRUE(blocks[0].by_operator);
    EXPECT_FALSE(blocks[1].by_operator);
}

TEST(Blocklist, KnowsWhatWouldOutliveACrash) {
    const TestDirectory directory;
    SlowDisk disk("portcullis-blocks-");
    disk.hold();
    Blocklist list(directory.file());
    EXPECT_EQ(list.changes(), 0u);
    EXPECT_EQ(list.add(block_of("198.51.100.7", 1000s)), Added::new_block);
    ASSERT_TRUE(disk.wait_for_asked(1));
    // Of many meanwhile one save is enough.
    for (uint32_t i = 0; i < 100; ++i) {
        EXPECT_TRUE(list.set({{IpAddress::v4(i), 128}, 1000s, "", true}));
    }
    EXPECT_TRUE(list.remove(*parse_prefix("198.51.100.7")));
    EXPECT_EQ(list.changes(), 102u);
    EXPECT_EQ(list.saved(), 0u);
    disk.let_go();
    for (int i = 0; i < 5000 && list.saved() < 102; ++i) std::this_thread::sleep_for(1ms);
    EXPECT_EQ(list.saved(), 102u);
    EXPECT_EQ(disk.asked(), 4u) << "twice the file and then the directory that names it";
    EXPECT_TRUE(disk.last_was_directory());
}

TEST(Blocklist, GoesOnWithoutItsDisk) {
    const TestDirectory directory;
    const fs::path parent = fs::path(directory.file()).parent_path();
    std::ofstream(parent) << "in the way";
    Blocklist list(directory.file());
    EXPECT_EQ(list.add(block_of("198.51.100.7", 1000s)), Added::new_block);
    for (int i = 0; i < 1000 && list.standing().well; ++i) std::this_thread::sleep_for(1ms);
    EXPECT_FALSE(list.standing().well);
    EXPECT_NE(list.standing().says.find("would not survive"), std::string::npos);
    EXPECT_EQ(list.blocks().size(), 1u);
}

TEST(Blocklist, EndsWhenItsDiskDoesNotAnswer) {
    const TestDirectory directory;
    fs::create_directories(fs::path(directory.file()).parent_path());
    const std::string fresh = directory.file() + ".new";
    ASSERT_EQ(mkfifo(fresh.c_str(), 0600), 0);  // Whoever writes to it waits for a reader.
    const auto start = std::chrono::steady_clock::now();
    {
        Blocklist list(directory.file());
        EXPECT_EQ(list.add(block_of("198.51.100.7", 1000s)), Added::new_block);
        for (int i = 0; i < 1000 && list.standing().well; ++i) std::this_thread::sleep_for(10ms);
        EXPECT_NE(list.standing().says.find("has not answered for"), std::string::npos);
        list.finish(200ms);
    }
    EXPECT_LT(std::chrono::steady_clock::now() - start, DiskWait::patience + 2s);
    std::ifstream(fresh).ignore(1 << 30);  // The thread may go.
}

/// A list that an earlier run left, on a disk that does not answer until it is told to.
class HangingList {
public:
    explicit HangingList(const std::string& file) : file_(file) {
        fs::create_directories(fs::path(file).parent_path());
        if (mkfifo(file.c_str(), 0600) != 0) throw std::runtime_error("mkfifo");
    }
    void answer(const std::string& text) const { std::ofstream(file_) << text; }

private:
    std::string file_;
};

std::string line(const char* prefix, int until_s, const char* more = "") {
    return concat(R"({"prefix":")", prefix, R"(","until_ns":)", until_s, R"(000000000,"reason":"")",
                  more, "}\n");
}

TEST(Blocklist, WhatWasSaidHoldsWhenItsDiskAnswersLate) {
    const TestDirectory directory;
    const HangingList disk(directory.file());
    {
        Blocklist list(Opening::later, directory.file());
        const auto start = std::chrono::steady_clock::now();
        list.await_open(start + 100ms);
        EXPECT_LT(std::chrono::steady_clock::now() - start, 2s);
        EXPECT_NE(list.standing().says.find("does not answer since the start"), std::string::npos);
        EXPECT_FALSE(list.standing().well);
        EXPECT_FALSE(list.take_read());

        EXPECT_TRUE(list.set({*parse_prefix("10.0.0.1"), 100s, "", true}));
        EXPECT_EQ(list.add(block_of("10.0.0.2", 2000s)), Added::new_block);
        EXPECT_EQ(list.add(block_of("10.0.0.3", 100s)), Added::new_block);
        (void)list.remove(*parse_prefix("10.0.0.4"));
        (void)list.remove(*parse_prefix("10.0.0.5"));
        EXPECT_EQ(list.add(block_of("10.0.0.5", 50s)), Added::new_block);
        list.shift(7s);
        std::string left;
        for (int last = 1; last <= 6; ++last) {
            left += line(concat("10.0.0.", last).c_str(), 1000,
                         last == 2 ? R"(,"by_operator":true)" : "");
        }
        disk.answer(left);
        for (int i = 0; i < 1000 && !list.standing().well; ++i) std::this_thread::sleep_for(5ms);
        EXPECT_TRUE(list.standing().well) << list.standing().says;
        EXPECT_TRUE(list.take_read());
        EXPECT_FALSE(list.take_read());
    }
    std::map<std::string, std::pair<Nanos, bool>> held;
    for (const Block& block : Blocklist(directory.file()).blocks()) {
        held[to_string(block.prefix)] = {block.until, block.by_operator};
    }
    const std::map<std::string, std::pair<Nanos, bool>> expected = {
        {"10.0.0.1/32", {107s, true}},    // An operator's word is the last,
        {"10.0.0.2/32", {2007s, true}},   // also that of an earlier run, and the longer holds.
        {"10.0.0.3/32", {1007s, false}},  // Of verdicts the longer holds.
        {"10.0.0.5/32", {57s, false}},    // Let in, and blocked again.
        {"10.0.0.6/32", {1007s, false}},  // The clock was set, whenever it was read.
    };
    EXPECT_EQ(held, expected);
}

TEST(Blocklist, EndsWhenItsDiskNeverAnswered) {
    const TestDirectory directory;
    const HangingList disk(directory.file());
    const auto start = std::chrono::steady_clock::now();
    {
        Blocklist list(Opening::later, directory.file());
        list.await_open(start);
        EXPECT_EQ(list.add(block_of("198.51.100.7", 1000s)), Added::new_block);
        list.finish(200ms);
    }
    EXPECT_LT(std::chrono::steady_clock::now() - start, 2s);
    disk.answer("");
}

TEST(Blocklist, HoldsWhatCanBeReadOfADamagedFile) {
    const TestDirectory directory;
    const std::string file = directory.file(), aside = file + ".damaged";
    fs::create_directories(fs::path(file).parent_path());
    for (const char* line : {"x", "{}", R"({"prefix":"1.2.3.4/99","until_ns":1,"reason":""})",
                             R"({"prefix":"1.2.3.4","until_ns":"1","reason":""})"}) {
        std::ofstream(file) << line << '\n'
                            << R"({"prefix":"1.2.3.4","until_ns":1,"reason":""})" << '\n';
        Blocklist list(file);
        EXPECT_EQ(list.blocks().size(), 1u) << line;
        EXPECT_NE(list.standing().says.find("line 1 is no entry"), std::string::npos)
            << list.standing().says;
        EXPECT_FALSE(list.standing().well);
        EXPECT_EQ(list.add(block_of("198.51.100.7", 1000s)), Added::new_block);
    }
    EXPECT_EQ(Blocklist(file).blocks().size(), 2u);
    EXPECT_TRUE(Blocklist(file).standing().well);
    std::string kept;
    std::getline(std::ifstream(aside) >> std::ws, kept);
    EXPECT_EQ(kept, R"({"prefix":"1.2.3.4","until_ns":"1","reason":""})");
}

}  // namespace
}  // namespace portcullis::actions
