// Goal: every profile that comes with the appliance can be read, and a wrong one says where it
// is wrong.  Method: all files of drivers-config/, then small files of our own.
#include "port/profile.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/concat.h"
#include "base/setup_error.h"

namespace portcullis::port {
namespace {

namespace fs = std::filesystem;

std::string source() {
    const char* folder = std::getenv("PORTCULLIS_SOURCE");
    return folder == nullptr ? "." : folder;
}

class Folder {
public:
    Folder() { fs::create_directories(path_ / "drivers-config"); }
    ~Folder() { fs::remove_all(path_); }
    std::string write(const std::string& name, const std::string& text) const {
        const fs::path file = path_ / name;
        std::ofstream(file) << text;
        return file.string();
    }
    std::string path() const { return path_.string(); }

private:
    fs::path path_ = fs::temp_directory_path() / concat("portcullis-profile-", getpid());
};

std::string complaint(const std::string& text) {
    const Folder folder;
    const std::string file = folder.write("drivers-config/wrong.yaml", text);
    try {
        read_profile(file);
    } catch (const UsageError& error) {
        std::string said = error.what();
        return said.substr(0, file.size()) == file ? said.substr(file.size()) : said;
    }
    return "no complaint";
}

TEST(Profiles, ThatComeWithTheApplianceCanBeRead) {
    int count = 0;
    for (const auto& file : fs::directory_iterator(source() + "/drivers-config")) {
        if (file.path().extension() != ".yaml") continue;
        SCOPED_TRACE(file.path());
        const Profile profile = read_profile(file.path());
        EXPECT_EQ(profile.name, file.path().stem());
        EXPECT_FALSE(profile.summary.empty());
        EXPECT_GE(profile.queues_max, 1);
        EXPECT_EQ(profile.spreading == Spreading::rss, profile.hash_functions != 0);
        ++count;
    }
    EXPECT_GE(count, 15);
}

TEST(Profiles, SayWhereTheyAreWrong) {
    EXPECT_EQ(complaint("tried: maybe\n"), ":1:8: tried must be true or false");
    EXPECT_EQ(complaint("queues_max: 70000\n"),
              ":1:13: queues_max must be a whole number from 0 to 65535");
    EXPECT_EQ(complaint("spreading: luck\n"),
              ":1:12: spreading must be one of: none, rss, rss_function, kernel");
    EXPECT_NE(complaint("\nhugepage: true\n").find(":2:1: unknown key \"hugepage\"; allowed:"),
              std::string::npos);
    EXPECT_NE(complaint("rx_offloads: [scatter, magic]\n").find(":1:24: unknown name \"magic\""),
              std::string::npos);
    EXPECT_EQ(complaint("[]\n"), ":1:1: a mapping of keys to values is expected here");
}

TEST(Profiles, OfTheSiteWinAndAMissingOneIsNamed) {
    const Folder folder;
    folder.write("drivers-config/null.yaml", "summary: ours\n");
    const std::string config = folder.path() + "/portcullis.yaml";
    const DataFiles files(config);
    config::Port port{"net_null0", "null", {3, 20}};
    EXPECT_EQ(find_profile(port, files, config).summary, "ours");
    port.driver = "nul";
    try {
        find_profile(port, files, config);
        FAIL() << "no complaint";
    } catch (const UsageError& error) {
        EXPECT_EQ(std::string(error.what()).find(config + ":3:20: no driver profile \"nul\""), 0u);
    }
}

TEST(Profiles, AddTheirArgumentsToADeviceUnlessGiven) {
    Profile profile;
    profile.device_arguments = {{"framecnt", "4096"}, {"qpairs", "{queues}"}};
    const config::Port port{"net_af_packet0,iface=a,framecnt=512", "af_packet", {}};
    EXPECT_EQ(device_string(port, profile, 3), "net_af_packet0,iface=a,framecnt=512,qpairs=3");
}

}  // namespace
}  // namespace portcullis::port
