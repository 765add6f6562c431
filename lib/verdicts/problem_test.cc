// Goal: what is wrong with a log is known by its kind, whatever its path and the words for it
// are: settings refuse a start, damage is put aside, and files that a user may not read are
// never taken for broken ones.
// Method: a log in a directory of its own that somebody else holds, damages or keeps from us;
// as root, another user is played.

#include <filesystem>
#include <fstream>
#include <functional>

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/setup_error.h"
#include "verdicts/log.h"
#include "verdicts/reader.h"
#include "verdicts/repair.h"
#include "verdicts/store.h"

namespace portcullis::verdicts {
namespace {

namespace fs = std::filesystem;
using Kind = Problem::Kind;

constexpr std::string_view checks[] = {"movement.fly"};
constexpr std::string_view services[] = {"survival"};
constexpr Names names{checks, services};

class Problems : public testing::Test {
protected:
    Problems() {
        std::string pattern = (fs::temp_directory_path() / "portcullis-problem-XXXXXX").string();
        folder_ = mkdtemp(pattern.data());
        fs::permissions(folder_, fs::perms(0755));
        // Words of RocksDB in a path say nothing.
        path_ = folder_ / "lock hold by current process" / "log";
    }
    ~Problems() override { fs::remove_all(folder_); }

    void begin_log() const {
        Log log({.path = path_}, names);
        VerdictRecord record;
        record.time = std::chrono::system_clock::now().time_since_epoch();
        log.append({&record, 1});
    }
    void damage() const {
        for (const auto& file : fs::directory_iterator(path_)) {
            if (!file.path().filename().string().starts_with("MANIFEST-")) continue;
            std::fstream(file.path(), std::ios::in | std::ios::out | std::ios::binary).seekp(20)
                << "damage";
        }
    }
    static Kind kind_at(const std::string& path) {
        const auto store = Store::open(path);
        if (!store) return store.error().kind;
        ADD_FAILURE() << path << " was opened";
        return Kind::other;
    }
    static std::string complaint(const std::function<void()>& act) {
        try {
            act();
        } catch (const SetupError& error) {
            return error.what();
        }
        return "none";
    }

    fs::path folder_;
    std::string path_;
};

/// Somebody who owns nothing here; this process until the end of the scope.
class Nobody {
public:
    Nobody() : changed_(geteuid() == 0 && seteuid(65'534) == 0) {}
    Nobody(const Nobody&) = delete;
    Nobody& operator=(const Nobody&) = delete;
    ~Nobody() {
        if (changed_ && seteuid(0) != 0) std::abort();
    }

private:
    bool changed_;
};

TEST_F(Problems, NoDirectoryCanBeThere) {
    std::ofstream(folder_ / "file") << "no directory";
    fs::create_symlink("turn", folder_ / "turn");
    EXPECT_EQ(kind_at(folder_ / "file"), Kind::refused);
    EXPECT_EQ(kind_at(folder_ / "file/log"), Kind::refused);
    EXPECT_EQ(kind_at(folder_ / "turn/log"), Kind::refused);
    EXPECT_EQ(kind_at("/proc/none/log"), Kind::refused);
    EXPECT_EQ(kind_at(folder_ / std::string(300, 'x')), Kind::refused);
}

TEST_F(Problems, SomebodyWritesToIt) {
    const Log log({.path = path_}, names);
    EXPECT_EQ(kind_at(path_), Kind::held);
}

TEST_F(Problems, ItIsDamaged) {
    begin_log();
    damage();
    EXPECT_EQ(kind_at(path_), Kind::damaged);
    fs::remove(path_ + "/CURRENT");
    EXPECT_EQ(kind_at(path_), Kind::damaged);
}

TEST_F(Problems, DamageIsPutAsideWhateverThePathIsCalled) {
    begin_log();
    damage();
    EXPECT_EQ(complaint([&] { begin_log(); }), "none");
    EXPECT_TRUE(fs::exists(path_of_damaged(path_)));
}

TEST_F(Problems, ItIsNotThisUsers) {
    begin_log();
    for (const auto& [what, mode] : std::initializer_list<std::pair<std::string, int>>{
             {path_, 0555}, {path_, 0000}, {path_ + "/LOCK", 0444}, {path_ + "/CURRENT", 0000}}) {
        fs::permissions(path_, fs::perms(0777));
        for (const auto& file : fs::directory_iterator(path_)) {
            fs::permissions(file, fs::perms(0666));
        }
        fs::permissions(what, fs::perms(mode));
        const Nobody nobody;
        EXPECT_EQ(kind_at(path_), Kind::refused) << what << ' ' << mode;
        EXPECT_NE(complaint([&] { begin_log(); }).find("writable for this user"),
                  std::string::npos);
    }
}

TEST_F(Problems, WhoMayNotReadItRepairsNothing) {
    begin_log();
    fs::permissions(path_, fs::perms(0777));
    for (const auto& file : fs::directory_iterator(path_)) {
        const bool list = file.path().filename().string().starts_with("MANIFEST-");
        fs::permissions(file, fs::perms(list ? 0000 : 0666));
    }
    {
        const Nobody nobody;
        EXPECT_NE(complaint([&] { repair(path_); }).find("as the user that it belongs to"),
                  std::string::npos);
        EXPECT_NE(complaint([&] { Reader reader(path_); }).find("may not read it"),
                  std::string::npos);
    }
    EXPECT_FALSE(fs::exists(path_ + "/lost"));
    uint64_t entries = 0;
    Reader(path_).each({}, [&](const Entry&) { return ++entries > 0; });
    EXPECT_EQ(entries, 1u);
}

}  // namespace
}  // namespace portcullis::verdicts
