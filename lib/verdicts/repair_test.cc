// Goal: a damaged log is never taken for an empty one and never overwritten; the wire does not
// wait for it, whoever meets it reads what to do, and doing that gives back what is not broken.
// Method: a log of known records, then one file of it removed, cut or bent.

#include "verdicts/repair.h"

#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <sstream>

#include <gtest/gtest.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include "base/setup_error.h"
#include "verdicts/log.h"
#include "verdicts/reader.h"

namespace portcullis::verdicts {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view checks[] = {"movement.fly"};
constexpr std::string_view services[] = {"survival"};
constexpr Names names{checks, services};
constexpr uint64_t records = 300;

class Damaged : public testing::Test {
protected:
    Damaged() {
        std::string pattern = (fs::temp_directory_path() / "portcullis-repair-XXXXXX").string();
        folder_ = mkdtemp(pattern.data());
        path_ = folder_ / "log";
        aside_ = path_of_damaged(path_);
        spdlog::set_default_logger(std::make_shared<spdlog::logger>(
            "repair", std::make_shared<spdlog::sinks::ostream_sink_mt>(said_)));
        Log log({.path = path_}, names);
        for (uint64_t i = 0; i < records; ++i) {
            VerdictRecord record;
            record.player.name.assign("Player" + std::to_string(i));
            record.time = std::chrono::system_clock::now().time_since_epoch();
            log.append({&record, 1});
            if (i % 50 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(60));
        }
        log.finish(std::chrono::seconds(10));
        EXPECT_EQ(log.counts().stored, records);
    }
    ~Damaged() override {
        spdlog::set_default_logger(std::make_shared<spdlog::logger>("none"));
        fs::remove_all(folder_);
    }

    fs::path one(const std::string& begins, const std::string& ends) const {
        for (const auto& file : fs::directory_iterator(path_)) {
            const std::string name = file.path().filename();
            if (name.starts_with(begins) && name.ends_with(ends)) return file.path();
        }
        ADD_FAILURE() << "no file " << begins << '*' << ends;
        return {};
    }
    static void bend(const fs::path& file, double where) {
        std::fstream bytes(file, std::ios::in | std::ios::out | std::ios::binary);
        const auto at = static_cast<std::streamoff>(where * double(fs::file_size(file)));
        bytes.seekg(at);
        std::string some(64, '\0');
        bytes.read(some.data(), 64);
        for (char& c : some) c = static_cast<char>(~c);
        bytes.seekp(at);
        bytes.write(some.data(), 64);
    }
    template <class Open>
    static std::string complaint(Open open) {
        try {
            open();
        } catch (const SetupError& error) {
            return error.what();
        }
        return "";
    }
    std::string of_log() const {
        std::string trouble;
        const auto open = [&] { trouble = Log({.path = path_}, names).trouble(); };
        return complaint(open) + trouble;
    }
    /// The damaged one, in place of what was begun without it.
    void take_back() const {
        fs::remove_all(path_);
        fs::rename(aside_, path_);
    }
    std::string of_reader() const {
        return complaint([&] { Reader reader(path_); });
    }
    uint64_t readable(const Query& query = {}) const {
        uint64_t count = 0;
        Reader(path_).each(query, [&](const Entry&) { return ++count > 0; });
        return count;
    }
    void expect_all() const {
        EXPECT_EQ(readable(), records);
        Query by_index;
        by_index.check = checks[0];
        EXPECT_EQ(readable(by_index), records);
        by_index = {};
        by_index.player = "player7";
        EXPECT_EQ(readable(by_index), 1u);
    }

    fs::path folder_;
    std::string path_, aside_;
    std::ostringstream said_;
};

TEST_F(Damaged, AWholeOneIsNotComplainedOf) {
    EXPECT_EQ(of_log(), "");
    expect_all();
    EXPECT_EQ(said_.str(), "");
}

TEST_F(Damaged, TheFirstFilesAreNeverMadeAnew) {
    const std::function<void()> damages[] = {
        [&] { fs::remove(path_ + "/CURRENT"); },
        [&] { std::ofstream(path_ + "/CURRENT") << "nonsense"; },
        [&] { fs::resize_file(path_ + "/CURRENT", 0); },
    };
    for (const auto& damage : damages) {
        damage();
        const std::string advice = "verdicts repair --log " + path_;
        EXPECT_NE(of_reader().find(advice), std::string::npos) << of_reader();
        const std::string said = of_log();
        EXPECT_NE(said.find("verdicts repair --log " + aside_), std::string::npos) << said;
        EXPECT_EQ(readable(), 0u) << "a new one";
        const Repaired repaired = repair(aside_);
        EXPECT_EQ(repaired.entries, records);
        take_back();
        EXPECT_EQ(of_log(), "");
        expect_all();
    }
}

TEST_F(Damaged, AListOfFilesThatIsBentIsMendedAsFarAsItGoes) {
    // Opened once more, so that what was written is in a table and not in the WAL alone.
    EXPECT_EQ(of_log(), "");
    bend(one("MANIFEST-", ""), 0.1);
    const std::string advice = "verdicts repair --log " + path_;
    EXPECT_NE(of_reader().find(advice), std::string::npos) << of_reader();
    EXPECT_NE(of_log(), "");
    EXPECT_EQ(repair(aside_).entries, records);
    take_back();
    EXPECT_EQ(of_log(), "");
    expect_all();
}

TEST_F(Damaged, WhatIsLostInTheMiddleIsSaid) {
    bend(one("", ".log"), 0.5);
    EXPECT_EQ(of_log(), "") << "the wire must start";
    EXPECT_LT(readable(), records);
    EXPECT_NE(said_.str().find("not all that stood there can be read"), std::string::npos);
}

// RocksDB writes its list of files before it names it.
TEST_F(Damaged, OneThatWasKilledWhileItWasMadeIsNone) {
    const std::string begun = folder_ / "begun";
    fs::create_directory(begun);
    std::ofstream(begun + "/MANIFEST-000001") << "begun";
    EXPECT_FALSE(lost_its_beginning(begun));
    EXPECT_TRUE(!complaint([&] { Reader reader(begun); }).empty());
    EXPECT_EQ(complaint([&] { Log log({.path = begun}, names); }), "");
}

TEST_F(Damaged, WhereThereIsNoLogNothingIsRepaired) {
    EXPECT_EQ(complaint([&] { (void)repair(folder_ / "none"); }),
              "there is no verdict log at " + (folder_ / "none").string());
    Log log({.path = path_}, names);
    EXPECT_NE(complaint([&] { (void)repair(path_); }).find("stop the appliance"),
              std::string::npos);
}

}  // namespace
}  // namespace portcullis::verdicts
