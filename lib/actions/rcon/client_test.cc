// Goal: every kick ends as done, failed or expired, exactly once a verdict,
// whatever the server does; and nothing that a player says becomes a command.
// Method: the client against a server in this process that behaves, splits,
// refuses, falls silent, hangs up, or is not there.

#include "actions/rcon/client.h"

#include <asio.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <mutex>
#include <thread>

#include <gtest/gtest.h>
#include <unistd.h>

#include "actions/rcon/command.h"
#include "actions/testing/rcon_server.h"
#include "base/setup_error.h"

namespace portcullis::actions::rcon {
namespace {

using namespace std::chrono_literals;
using verdicts::Outcome;
using verdicts::Result;
using verdicts::VerdictId;

class PasswordFile {
public:
    explicit PasswordFile(const std::string& password) {
        std::string path = std::filesystem::temp_directory_path() / "portcullis-rcon-XXXXXX";
        close(mkstemp(path.data()));
        path_ = path;
        std::ofstream(path_) << password << '\n';
    }
    PasswordFile(const PasswordFile&) = delete;
    PasswordFile& operator=(const PasswordFile&) = delete;
    ~PasswordFile() { std::filesystem::remove(path_); }
    std::string path() const { return path_; }

private:
    std::filesystem::path path_;
};

/// A client with its loop and everything it reported.
class Bench {
public:
    explicit Bench(uint16_t port, const std::string& password = "open sesame",
                   const std::function<void(Client::Settings&)>& change = {})
        : password_(password), work_(asio::make_work_guard(loop_)) {
        Client::Settings settings;
        settings.service = "survival";
        settings.endpoint = {IpAddress::v4(0x7f000001), port};
        settings.password_file = password_.path();
        settings.connect_timeout = 500ms;
        settings.answer_timeout = 300ms;
        settings.backoff_first = 20ms;
        settings.backoff_max = 100ms;
        settings.between_commands = 1ms;
        settings.age_max = 20s;
        if (change) change(settings);
        client_ = std::make_unique<Client>(loop_, settings, [this](const Outcome& outcome) {
            const std::lock_guard lock(mutex_);
            outcomes_.push_back(outcome);
        });
        thread_ = std::thread([this] { loop_.run(); });
    }
    Bench(const Bench&) = delete;
    Bench& operator=(const Bench&) = delete;
    ~Bench() { stop(); }

    void stop() {
        if (!thread_.joinable()) return;
        loop_.stop();
        thread_.join();
        client_.reset();
    }
    void kick(uint64_t id, std::string_view player, std::string_view reason = "speed") {
        client_->kick({1, id}, player, reason);
    }
    std::vector<Outcome> outcomes() const {
        const std::lock_guard lock(mutex_);
        return outcomes_;
    }
    /// The outcomes once there are `count`, or what there is after ten seconds.
    std::vector<Outcome> wait_for(size_t count) const {
        for (int i = 0; i < 2000 && outcomes().size() < count; ++i) {
            std::this_thread::sleep_for(5ms);
        }
        return outcomes();
    }
    bool wait_standing(bool well) const {
        for (int i = 0; i < 2000; ++i) {
            const Standing stands = client_->standing();
            if (stands.well == well && stands.says.find("not connected yet") == std::string::npos) {
                return true;
            }
            std::this_thread::sleep_for(5ms);
        }
        return false;
    }
    Client& client() { return *client_; }

private:
    PasswordFile password_;
    asio::io_context loop_;
    asio::executor_work_guard<asio::io_context::executor_type> work_;
    mutable std::mutex mutex_;
    std::vector<Outcome> outcomes_;
    std::unique_ptr<Client> client_;
    std::thread thread_;
};

using Manners = TestServer::Manners;

TEST(Rcon, KicksOverOneConnection) {
    TestServer server;
    Bench bench(server.port());
    for (uint64_t i = 0; i < 20; ++i) bench.kick(i, "Player" + std::to_string(i));
    const auto outcomes = bench.wait_for(20);
    ASSERT_EQ(outcomes.size(), 20u);
    for (const Outcome& outcome : outcomes) {
        EXPECT_EQ(outcome.result, Result::done);
        EXPECT_EQ(outcome.attempts, 1u);
    }
    EXPECT_EQ(outcomes[3].detail.view(), "Kicked kick Player3 speed");
    EXPECT_EQ(server.commands().at(7), "kick Player7 speed");
    EXPECT_EQ(server.logins(), 1u);
    EXPECT_EQ(server.bad_reads(), 0u);
}

TEST(Rcon, ReadsAnswersHoweverTheyAreSplit) {
    TestServer server;
    server.behave({.answer = std::string(10'000, 'x') + "{command}", .bytes_at_once = 7});
    Bench bench(server.port(), "open sesame", [](auto& s) { s.answer_timeout = 5s; });
    bench.kick(1, "Alice");
    bench.kick(2, "Bob");
    server.behave({.greets_first = true, .bytes_at_once = 1});
    bench.kick(3, "Carol");
    const auto outcomes = bench.wait_for(3);
    ASSERT_EQ(outcomes.size(), 3u);
    for (const Outcome& outcome : outcomes) EXPECT_EQ(outcome.result, Result::done);
    EXPECT_EQ(outcomes[2].verdict.low, 3u);
    EXPECT_EQ(outcomes[2].detail.view(), "Kicked kick Carol speed");
}

TEST(Rcon, SaysWhenTheServerKnowsNoSuchPlayer) {
    TestServer server;
    server.behave({.answer = "\xc2\xa7"
                             "cNo player was found"});
    Bench bench(server.port());
    bench.kick(1, "Alice");
    const auto outcomes = bench.wait_for(1);
    ASSERT_EQ(outcomes.size(), 1u);
    EXPECT_EQ(outcomes[0].result, Result::failed);
    EXPECT_EQ(outcomes[0].detail.view(), "No player was found");
}

TEST(Rcon, NeverSaysThePasswordAndGoesOnOnceItIsRight) {
    TestServer server;
    server.behave({.password = "another"});
    Bench bench(server.port());
    ASSERT_TRUE(bench.wait_standing(false));
    const std::string says = bench.client().standing().says;
    EXPECT_NE(says.find("password is refused"), std::string::npos);
    EXPECT_EQ(says.find("open sesame"), std::string::npos);
    bench.kick(1, "Alice");
    std::this_thread::sleep_for(200ms);
    EXPECT_TRUE(bench.outcomes().empty());
    server.behave({});
    const auto outcomes = bench.wait_for(1);
    ASSERT_EQ(outcomes.size(), 1u);
    EXPECT_EQ(outcomes[0].result, Result::done);
    EXPECT_TRUE(bench.wait_standing(true));
}

TEST(Rcon, TriesAMuteServerSoManyTimesAndNoMore) {
    TestServer server;
    server.behave({.mute = true});
    Bench bench(server.port(), "open sesame", [](auto& s) { s.answer_timeout = 50ms; });
    bench.kick(1, "Alice");
    const auto outcomes = bench.wait_for(1);
    ASSERT_EQ(outcomes.size(), 1u);
    EXPECT_EQ(outcomes[0].result, Result::failed);
    EXPECT_EQ(outcomes[0].attempts, 3u);
    EXPECT_EQ(outcomes[0].detail.view(), "no answer in time");
    EXPECT_EQ(server.commands().size(), 3u);
}

TEST(Rcon, AsksAgainAfterTheServerHungUp) {
    TestServer server;
    server.behave({.closes_on_command = true});
    Bench bench(server.port());
    ASSERT_TRUE(bench.wait_standing(true));
    bench.kick(1, "Alice");
    for (int i = 0; i < 1000 && server.commands().empty(); ++i) std::this_thread::sleep_for(1ms);
    server.behave({});
    const auto outcomes = bench.wait_for(1);
    ASSERT_EQ(outcomes.size(), 1u);
    EXPECT_EQ(outcomes[0].result, Result::done);
    EXPECT_EQ(outcomes[0].attempts, 2u);
}

TEST(Rcon, NoticesAnIdleServerThatGoesAwayAndComesBack) {
    auto server = std::make_unique<TestServer>();
    const uint16_t port = server->port();
    Bench bench(port);
    ASSERT_TRUE(bench.wait_standing(true));
    server.reset();
    ASSERT_TRUE(bench.wait_standing(false));
    bench.kick(1, "Alice");
    server = std::make_unique<TestServer>(port);
    const auto outcomes = bench.wait_for(1);
    ASSERT_EQ(outcomes.size(), 1u);
    EXPECT_EQ(outcomes[0].result, Result::done);
}

TEST(Rcon, LetsKicksExpireThatNobodyCouldBeAskedFor) {
    uint16_t port;
    {
        port = TestServer().port();
    }
    Bench bench(port, "open sesame", [](auto& s) { s.age_max = 200ms; });
    bench.kick(1, "Alice");
    const auto outcomes = bench.wait_for(1);
    ASSERT_EQ(outcomes.size(), 1u);
    EXPECT_EQ(outcomes[0].result, Result::expired);
    EXPECT_EQ(outcomes[0].attempts, 0u);
    EXPECT_NE(outcomes[0].detail.view().find("refused"), std::string_view::npos);
}

TEST(Rcon, LeavesAServerThatSpeaksSomethingElse) {
    TestServer server;
    server.behave({.speaks_garbage = true});
    Bench bench(server.port());
    ASSERT_TRUE(bench.wait_standing(false));
    EXPECT_NE(bench.client().standing().says.find("does not speak RCON"), std::string::npos);
}

TEST(Rcon, MakesOneCommandOfKicksThatWaitTogether) {
    TestServer server;
    server.behave({.delay = 100ms});
    Bench bench(server.port());
    for (uint64_t i = 0; i < 50; ++i) bench.kick(i, i % 2 == 0 ? "Alice" : "Bob");
    auto outcomes = bench.wait_for(50);
    ASSERT_EQ(outcomes.size(), 50u);
    EXPECT_EQ(server.commands().size(), 2u);
    // A straggler right after is the same kick.
    bench.kick(50, "Alice");
    outcomes = bench.wait_for(51);
    ASSERT_EQ(outcomes.size(), 51u);
    EXPECT_EQ(outcomes[50].result, Result::done);
    EXPECT_EQ(server.commands().size(), 2u);
}

TEST(Rcon, AnswersForEveryKickWhenTooManyWaitAndAtTheEnd) {
    uint16_t port;
    {
        port = TestServer().port();
    }
    Bench bench(port, "open sesame", [](auto& s) { s.kicks_max = 10; });
    for (uint64_t i = 0; i < 15; ++i) bench.kick(i, "Player" + std::to_string(i));
    EXPECT_EQ(bench.wait_for(5).size(), 5u);
    std::this_thread::sleep_for(50ms);
    bench.stop();
    std::map<Result, int> results;
    for (const Outcome& outcome : bench.outcomes()) ++results[outcome.result];
    EXPECT_EQ(results[Result::failed], 5);
    EXPECT_EQ(results[Result::expired], 10);
}

TEST(Rcon, AnswersForKicksThatItsLoopNeverSaw) {
    asio::io_context loop;  // Nobody runs it.
    const PasswordFile password("x");
    Client::Settings settings;
    settings.password_file = password.path();
    std::vector<Outcome> outcomes;
    {
        Client client(loop, settings, [&](const Outcome& outcome) { outcomes.push_back(outcome); });
        for (uint64_t i = 0; i < 3; ++i) client.kick({1, i}, "Alice", "enough");
    }
    ASSERT_EQ(outcomes.size(), 3u);
    for (const Outcome& outcome : outcomes) EXPECT_EQ(outcome.result, Result::expired);
}

TEST(Rcon, RefusesNamesThatCouldBeMore) {
    TestServer server;
    Bench bench(server.port());
    uint64_t id = 0;
    for (const char* name : {"", "Alice Bob", "@a", "*", "-all", "Alice\nop Bob", "/stop",
                             "name_of_17_letters", "Zo\xc3\xab"}) {
        bench.kick(id++, name);
    }
    const auto outcomes = bench.wait_for(id);
    ASSERT_EQ(outcomes.size(), id);
    for (const Outcome& outcome : outcomes) EXPECT_EQ(outcome.result, Result::failed);
    EXPECT_TRUE(server.commands().empty());
}

TEST(Rcon, NoticesAServerThatHangsAlsoWhileNobodyIsKicked) {
    TestServer server;
    Bench bench(server.port(), "open sesame", [](auto& s) { s.probe_every = 50ms; });
    ASSERT_TRUE(bench.wait_standing(true));
    // It answers: well it is and stays, over the one connection, and no command is run.
    for (int i = 0; i < 2000 && server.logins() < 5; ++i) std::this_thread::sleep_for(5ms);
    EXPECT_GE(server.logins(), 5u);
    EXPECT_TRUE(bench.client().standing().well);
    EXPECT_TRUE(server.commands().empty());
    bench.kick(1, "Alice");
    ASSERT_EQ(bench.wait_for(1).size(), 1u);
    EXPECT_EQ(bench.outcomes()[0].attempts, 1u);
    server.behave({.delay = 1'000ms});  // More than it has time for.
    EXPECT_TRUE(bench.wait_standing(false));
    server.behave({});
    EXPECT_TRUE(bench.wait_standing(true));
}

TEST(Rcon, SaysThatItsPasswordIsNotThere) {
    asio::io_context loop;
    Client::Settings settings;
    settings.password_file = "/nonexistent/password";
    EXPECT_THROW(Client(loop, settings, {}), SetupError);
}

// The server that all of the above rests on, judged by a client not of our making.
// It finds the end of a long answer by an empty command behind it.
TEST(TestServer, SatisfiesDebiansPythonClient) {
    if (std::system("/usr/bin/python3 -c 'import rcon.source' 2>/dev/null") != 0) {
        GTEST_SKIP() << "python3-rcon is not installed";
    }
    TestServer server;
    server.behave({.answer = std::string(9'000, 'x') + "{command}"});
    const auto run = [&](const std::string& password) {
        const std::string script =
            "from rcon.source import Client\n"
            "with Client('127.0.0.1', " +
            std::to_string(server.port()) + ", passwd='" + password +
            "', timeout=5) as c:\n"
            "    assert c.run('list') == 'x' * 9000 + 'list'\n"
            "    assert c.run('kick Alice why') == 'x' * 9000 + 'kick Alice why'\n";
        return std::system(("/usr/bin/python3 -c \"" + script + "\" 2>/dev/null").c_str());
    };
    EXPECT_EQ(run("open sesame"), 0);
    EXPECT_NE(run("wrong"), 0);
    EXPECT_EQ(server.commands(), (std::vector<std::string>{"list", "", "kick Alice why", ""}));
    EXPECT_EQ(server.refusals(), 1u);
}

TEST(Command, HoldsNothingThatEndsALine) {
    for (int c = 0; c < 256; ++c) {
        const std::string reason = std::string("a") + static_cast<char>(c) + "b";
        const auto command = command_for("kick {player} {reason}", "Alice", reason);
        ASSERT_TRUE(command);
        for (const char said : *command) EXPECT_GE(static_cast<uint8_t>(said), 0x20) << c;
    }
    EXPECT_EQ(command_for("kick {player} {reason}", "Alice",
                          "\xc2\xa7"
                          "cfast \r\n walk"),
              "kick Alice fast  walk");
    // Nothing in a reason is a mark of its own.
    EXPECT_EQ(command_for("kick {player} {reason}", "Alice", "{player}"), "kick Alice {player}");
    const auto longest = command_for("kick {player} {reason}", "Alice", std::string(5000, 'x'));
    EXPECT_LE(longest->size(), text_to_server_max);
}

TEST(Packet, IsCutWhereverTheBytesAre) {
    const std::string bytes = encode(1, Type::reply, "one") + encode(2, Type::reply, "");
    for (size_t at = 0; at <= bytes.size(); ++at) {
        Splitter splitter;
        std::string seen;
        for (const std::string_view part :
             {std::string_view(bytes).substr(0, at), std::string_view(bytes).substr(at)}) {
            splitter.add(part);
            while (const auto packet = splitter.next()) {
                seen += std::to_string(packet->id) + packet->text + ' ';
            }
        }
        EXPECT_EQ(seen, "1one 2 ");
    }
    EXPECT_EQ(encode(7, Type::login, "pw"),
              std::string("\x0c\0\0\0\x07\0\0\0\x03\0\0\0pw\0\0", 16));
}

}  // namespace
}  // namespace portcullis::actions::rcon
