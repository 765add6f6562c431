// Goal: a key handed over at the socket reaches the Workers as it was said; who may not
// speak is not heard; nothing that is refused is repeated.
// Method: a real socket on a loop of its own, over a fake packet side.

#include "control/key_feed.h"

#include <asio.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <thread>

#include <gtest/gtest.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pipeline/testing/fake_wire_side.h"

namespace portcullis::control {
namespace {

const std::string secret = "22973fca22624864ac8c3c8400e92676";
const std::string good = R"({"protocol":"minecraft","client":"198.51.100.7:50122",)"
                         R"("server":"10.0.0.2:25565","secret":")" +
                         secret + "\"}";

class KeyFeedTest : public testing::Test {
protected:
    KeyFeedTest() {
        char pattern[] = "/tmp/portcullis-keys-XXXXXX";
        folder_ = mkdtemp(pattern);
        path_ = folder_ / "keys.sock";
        spdlog::set_default_logger(std::make_shared<spdlog::logger>(
            "keys", std::make_shared<spdlog::sinks::ostream_sink_mt>(log_)));
        spdlog::set_level(spdlog::level::trace);
        feed_.emplace(loop_, path_.string(), wire_);
        thread_ = std::thread([this] { loop_.run(); });
    }
    ~KeyFeedTest() override {
        asio::post(loop_, [this] { feed_->stop(); });
        thread_.join();
        std::filesystem::remove_all(folder_);
    }

    /// Empty: not answered.
    std::string say(const std::string& line) {
        asio::io_context loop;
        asio::local::stream_protocol::socket socket(loop);
        socket.connect(path_.string());
        std::error_code error;
        asio::write(socket, asio::buffer(line + '\n'), error);
        std::string answer;
        asio::read_until(socket, asio::dynamic_buffer(answer), '\n', error);
        return answer;
    }

    std::filesystem::path folder_, path_;
    std::ostringstream log_;
    pipeline::FakeWireSide wire_{2};
    asio::io_context loop_;
    std::optional<KeyFeed> feed_;
    std::thread thread_;
};

TEST_F(KeyFeedTest, HandsKeysToTheWorkers) {
    EXPECT_EQ(say(good), "{\"ok\":true}\n");
    ASSERT_EQ(wire_.keys().size(), 1u);
    const auto key = std::get<keys::MinecraftKey>(wire_.keys()[0]);
    EXPECT_EQ(to_string(key.client), "198.51.100.7:50122");
    EXPECT_EQ(key.secret[0], std::byte{0x22});
    EXPECT_EQ(log_.str().find(secret.substr(0, 8)), std::string::npos);
}

TEST_F(KeyFeedTest, SaysWhatIsWrongAndNeverTheSecret) {
    const std::string answer = say(good.substr(0, good.size() - 4) + "zz\"}");
    EXPECT_FALSE(nlohmann::json::parse(answer).at("ok").get<bool>());
    EXPECT_NE(answer.find("secret"), std::string::npos);
    EXPECT_EQ(answer.find(secret.substr(0, 8)), std::string::npos);
    EXPECT_EQ(log_.str().find(secret.substr(0, 8)), std::string::npos);
    EXPECT_TRUE(wire_.keys().empty());
}

TEST_F(KeyFeedTest, AsksForPatienceWhenTheWorkersAreBusy) {
    wire_.rings_full(true);
    EXPECT_NE(say(good).find("again"), std::string::npos);
    wire_.rings_full(false);
    EXPECT_EQ(say(good), "{\"ok\":true}\n");
}

TEST_F(KeyFeedTest, IsNotForStrangers) {
    struct stat found{};
    ASSERT_EQ(stat(path_.c_str(), &found), 0);
    EXPECT_EQ(found.st_mode & 0777, 0660u);
    if (geteuid() != 0) GTEST_SKIP() << "only root can be somebody else";
    // Even where the file's permission has been loosened.
    chmod(path_.c_str(), 0666);
    chmod(folder_.c_str(), 0755);
    const pid_t stranger = fork();
    if (stranger == 0) {
        constexpr uid_t nobody = 65534;
        const bool became = setgid(nobody) == 0 && setuid(nobody) == 0;
        _exit(became && say(good).empty() ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(waitpid(stranger, &status, 0), stranger);
    EXPECT_EQ(status, 0);
    EXPECT_TRUE(wire_.keys().empty());
}

}  // namespace
}  // namespace portcullis::control
