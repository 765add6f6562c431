// Goal: every alert ends as done, failed or expired; what is sent is what
// Discord takes; its limits are obeyed; the address is shown to nobody.
// Method: the sender against an HTTP server in this process that answers 204,
// 429, 4xx, 500, resets, is slow, or is not there.

#include "actions/webhook/sender.h"

#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <set>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#include "actions/secret.h"
#include "actions/testing/alert_entry.h"
#include "actions/testing/webhook_server.h"
#include "base/setup_error.h"
#include "verdicts/json.h"

namespace portcullis::actions::webhook {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using verdicts::Entry;
using verdicts::Outcome;
using verdicts::Result;
using Answer = TestServer::Answer;

class UrlFile {
public:
    explicit UrlFile(const std::string& url) {
        path_ = std::filesystem::temp_directory_path() / "portcullis-url-XXXXXX";
        close(mkstemp(path_.data()));
        write(url);
    }
    void write(const std::string& url) const { std::ofstream(path_) << url << '\n'; }
    UrlFile(const UrlFile&) = delete;
    UrlFile& operator=(const UrlFile&) = delete;
    ~UrlFile() { std::filesystem::remove(path_); }
    const std::string& path() const { return path_; }

private:
    std::string path_;
};

class Bench {
public:
    explicit Bench(const std::string& url, const std::function<void(Hook::Settings&)>& change = {})
        : url_(url) {
        Hook::Settings settings;
        settings.gather = 50ms;
        settings.backoff_first = 20ms;
        settings.backoff_max = 100ms;
        if (change) change(settings);
        Sender::Settings timeouts;
        timeouts.connect_timeout = 200ms;
        timeouts.timeout = 200ms;
        sender_ = std::make_unique<Sender>(
            std::vector<Sender::Target>{{settings, url_.path()}},
            [this](const Outcome& outcome) {
                const std::lock_guard lock(mutex_);
                outcomes_.push_back(outcome);
            },
            timeouts);
    }
    void add(const Entry& entry) { sender_->add(std::span(&entry, 1)); }
    std::vector<Outcome> outcomes() const {
        const std::lock_guard lock(mutex_);
        return outcomes_;
    }
    std::vector<Outcome> wait_for(size_t count) const {
        for (int i = 0; i < 2000 && outcomes().size() < count; ++i) {
            std::this_thread::sleep_for(5ms);
        }
        return outcomes();
    }
    Standing standing() const { return sender_->standings().at(0); }
    Sender& sender() { return *sender_; }
    void write_url(const std::string& url) const { url_.write(url); }

private:
    UrlFile url_;
    mutable std::mutex mutex_;
    std::vector<Outcome> outcomes_;
    std::unique_ptr<Sender> sender_;
};

/// Throws or fails unless Discord would take it.
void expect_discord_takes(const std::string& body) {
    const json message = json::parse(body);
    EXPECT_EQ(message.at("allowed_mentions").at("parse"), json::array());
    const std::string username = message.at("username");
    EXPECT_GE(username.size(), 1u);
    EXPECT_LE(username.size(), 80u);
    const json& embeds = message.at("embeds");
    EXPECT_GE(embeds.size(), 1u);
    EXPECT_LE(embeds.size(), 10u);
    size_t sum = 0;
    const auto count = [&](const std::string& text, size_t max) {
        EXPECT_GE(text.size(), 1u);
        EXPECT_LE(text.size(), max);
        sum += text.size();
    };
    for (const json& embed : embeds) {
        count(embed.at("title"), 256);
        count(embed.at("description"), 4096);
        count(embed.at("footer").at("text"), 2048);
        EXPECT_LE(embed.at("fields").size(), 25u);
        for (const json& field : embed.at("fields")) {
            count(field.at("name"), 256);
            count(field.at("value"), 1024);
        }
        EXPECT_TRUE(verdicts::parse_time(embed.at("timestamp").get<std::string>()));
        EXPECT_LE(embed.at("color").get<int>(), 0xffffff);
    }
    EXPECT_LE(sum, 6000u);
}

TEST(Webhook, TellsDiscordInOneMessageWhatComesTogether) {
    TestServer server;
    Bench bench(server.url());
    for (uint64_t i = 0; i < 6; ++i) bench.add(entry_of(i % 2 == 0 ? "Alice" : "Bob", i));
    const auto outcomes = bench.wait_for(6);
    ASSERT_EQ(outcomes.size(), 6u);
    std::set<uint64_t> spoken_of;
    for (const Outcome& outcome : outcomes) {
        EXPECT_EQ(outcome.result, Result::done);
        spoken_of.insert(outcome.verdict.low);
    }
    EXPECT_EQ(spoken_of.size(), 6u);
    const auto requests = server.requests();
    ASSERT_EQ(requests.size(), 1u);
    EXPECT_TRUE(requests[0].head.starts_with("POST /api/v10/webhooks/1/secret-token HTTP/1.1"));
    EXPECT_NE(requests[0].head.find("Content-Type: application/json"), std::string::npos);
    expect_discord_takes(requests[0].body);
    const json embeds = json::parse(requests[0].body).at("embeds");
    ASSERT_EQ(embeds.size(), 2u);
    EXPECT_EQ(embeds[0]["title"], "movement.no\\_fall: Alice");
    EXPECT_EQ(embeds[0]["description"], "1.42 against 0.71 blocks/tick\nand 2 more like it");
}

TEST(Webhook, TellsProgramsInTheWordsOfTheLog) {
    TestServer server;
    Bench bench(server.url(), [](auto& s) { s.kind = config::WebhookKind::json; });
    const Entry entry = entry_of("Alice", 7);
    bench.add(entry);
    ASSERT_EQ(bench.wait_for(1).size(), 1u);
    const auto requests = server.requests();
    ASSERT_EQ(requests.size(), 1u);
    EXPECT_TRUE(requests[0].head.starts_with("POST /api/webhooks/1/secret-token HTTP/1.1"));
    json told = json::parse(requests[0].body).at("verdicts").at(0);
    EXPECT_EQ(told.at("like_it"), 1);
    told.erase("like_it");
    std::string logged;
    verdicts::append_json(logged, entry.record, entry.check, entry.service);
    EXPECT_EQ(told, json::parse(logged));
}

TEST(Webhook, TellsOnlyOfWhatIsSureEnoughAndAnAlert) {
    TestServer server;
    Bench bench(server.url());
    bench.add(entry_of("Alice", 1, 0.94f));
    Entry logged = entry_of("Alice", 2);
    logged.record.action = policy::Action::log;
    bench.add(logged);
    bench.add(entry_of("Alice", 3, 0.95f));
    const auto outcomes = bench.wait_for(1);
    std::this_thread::sleep_for(100ms);
    ASSERT_EQ(bench.outcomes().size(), 1u);
    EXPECT_EQ(outcomes[0].verdict.low, 3u);
}

TEST(Webhook, WaitsAsLongAsItIsToldTo) {
    TestServer server([](size_t before) {
        // The body's figure is the finer one; the header's is whole seconds.
        return before == 0
                   ? Answer{.status = 429,
                            .headers = "Retry-After: 1\r\nX-RateLimit-Scope: shared\r\n",
                            .body = R"({"message":"slow","retry_after":0.4,"global":false})"}
                   : Answer{};
    });
    Bench bench(server.url());
    bench.add(entry_of("Alice", 1));
    const auto outcomes = bench.wait_for(1);
    ASSERT_EQ(outcomes.size(), 1u);
    EXPECT_EQ(outcomes[0].result, Result::done);
    EXPECT_EQ(outcomes[0].attempts, 2u);
    const auto requests = server.requests();
    ASSERT_EQ(requests.size(), 2u);
    EXPECT_GE(requests[1].time - requests[0].time, 400ms);
    EXPECT_EQ(requests[0].body, requests[1].body);
}

TEST(Webhook, WhatOneIsToldForAllHoldsForAllOfThatService) {
    const Answer for_all[] = {
        {.status = 429, .body = R"({"retry_after":0.5,"global":true})"},
        {.status = 429, .headers = "Retry-After: 1\r\nX-RateLimit-Global: true\r\n"},
        {.status = 429, .headers = "retry-after: 1\r\nx-ratelimit-scope: global\r\n"},
    };
    for (const Answer& answer : for_all) {
        TestServer server([&](size_t before) { return before == 0 ? answer : Answer{}; });
        TestServer elsewhere;
        const UrlFile first(server.url()), second(server.url()), third(elsewhere.url());
        Hook::Settings settings;
        settings.gather = 0ms;
        const std::vector<Sender::Target> targets = {
            {settings, first.path()}, {settings, second.path()}, {settings, third.path()}};
        Sender sender(targets, [](const Outcome&) {});
        // The three are sent side by side; the first two again, later, and by nobody before.
        const auto tell = [&](uint64_t number) {
            const Entry entry = entry_of("Alice", number);
            sender.add(std::span(&entry, 1));
        };
        const auto wait_for = [](const TestServer& which, size_t requests) {
            for (int i = 0; i < 1000 && which.requests().size() < requests; ++i) {
                std::this_thread::sleep_for(5ms);
            }
            return which.requests().size() >= requests;
        };
        tell(1);
        ASSERT_TRUE(wait_for(server, 2));
        ASSERT_TRUE(wait_for(elsewhere, 1));
        std::this_thread::sleep_for(100ms);
        tell(2);
        ASSERT_TRUE(wait_for(elsewhere, 2));
        ASSERT_TRUE(wait_for(server, 4));
        const auto requests = server.requests();
        EXPECT_GE(requests[2].time - requests[0].time, 450ms);
        EXPECT_LT(elsewhere.requests()[1].time - requests[0].time, 450ms);
    }
}

TEST(Webhook, StopsBeforeTheLimitIsBroken) {
    TestServer server([](size_t) {
        return Answer{.headers = "x-ratelimit-remaining: 0\r\nx-ratelimit-reset-after: 0.3\r\n"};
    });
    Bench bench(server.url());
    bench.add(entry_of("Alice", 1));
    ASSERT_EQ(bench.wait_for(1).size(), 1u);
    bench.add(entry_of("Bob", 2));
    ASSERT_EQ(bench.wait_for(2).size(), 2u);
    const auto requests = server.requests();
    ASSERT_EQ(requests.size(), 2u);
    EXPECT_GE(requests[1].time - requests[0].time, 300ms);
}

TEST(Webhook, TriesAgainAfterAFaultResetOrSilence) {
    TestServer server([](size_t before) -> Answer {
        switch (before) {
            case 0:
                return {.status = 500};
            case 1:
                return {.resets = true};
            case 2:
                return {.delay = 2s};
            case 3:
                return {.status = 429};  // Without a word on how long.
            default:
                return {.status = 200, .body = "{}"};
        }
    });
    Bench bench(server.url());
    bench.add(entry_of("Alice", 1));
    const auto outcomes = bench.wait_for(1);
    ASSERT_EQ(outcomes.size(), 1u);
    EXPECT_EQ(outcomes[0].result, Result::done);
    // One fewer than requests: libcurl itself repeats on a kept connection that was reset.
    EXPECT_GE(outcomes[0].attempts, 4u);
    EXPECT_EQ(server.requests().size(), 5u);
    EXPECT_TRUE(bench.standing().well);
}

TEST(Webhook, BothersNobodyWhoRefusesItsAddress) {
    for (const int status : {401, 403, 404, 410}) {
        TestServer server([&](size_t) { return Answer{.status = status}; });
        Bench bench(server.url());
        bench.add(entry_of("Alice", 1));
        ASSERT_EQ(bench.wait_for(1).size(), 1u);
        bench.add(entry_of("Bob", 2));
        const auto outcomes = bench.wait_for(2);
        ASSERT_EQ(outcomes.size(), 2u);
        for (const Outcome& outcome : outcomes) EXPECT_EQ(outcome.result, Result::failed);
        EXPECT_EQ(server.requests().size(), 1u);
        EXPECT_FALSE(bench.standing().well);
        EXPECT_NE(bench.standing().says.find(std::to_string(status)), std::string::npos);
        EXPECT_EQ(bench.standing().says.find("secret"), std::string::npos);
    }
}

TEST(Webhook, TriesAgainWhatWasRefusedOnceItsAddressIsReadAgain) {
    TestServer refuses([](size_t) { return Answer{.status = 403}; });
    TestServer takes;
    Bench bench(refuses.url());
    bench.add(entry_of("Alice", 1));
    ASSERT_EQ(bench.wait_for(1).size(), 1u);
    bench.write_url(takes.url());
    EXPECT_TRUE(bench.sender().reload().empty());
    EXPECT_TRUE(bench.standing().well);
    bench.add(entry_of("Bob", 2));
    ASSERT_EQ(bench.wait_for(2).size(), 2u);
    EXPECT_EQ(bench.outcomes()[1].result, Result::done);
    bench.write_url("nowhere");  // A slip of the hand ends nothing, and is said.
    const auto warnings = bench.sender().reload();
    ASSERT_EQ(warnings.size(), 1u);
    EXPECT_TRUE(warnings[0].ends_with("; webhook 0 keeps the address that it has")) << warnings[0];
    bench.add(entry_of("Carol", 3));
    ASSERT_EQ(bench.wait_for(3).size(), 3u);
    EXPECT_EQ(bench.outcomes()[2].result, Result::done);
    EXPECT_EQ(takes.requests().size(), 2u);
}

// systemd copies a credential at the start alone.
TEST(Webhook, WhoseAddressIsACredentialWantsARestart) {
    TestServer refuses([](size_t) { return Answer{.status = 404}; });
    for (const bool copied : {false, true}) {
        Bench bench(refuses.url(), [&](auto& settings) { settings.copied = copied; });
        bench.add(entry_of("Alice", 1));
        ASSERT_EQ(bench.wait_for(1).size(), 1u);
        const std::string says = bench.standing().says;
        EXPECT_EQ(says.contains("restart"), copied) << says;
        EXPECT_EQ(says.contains("reload"), !copied) << says;
        EXPECT_EQ(bench.sender().reload().size(), copied ? 1u : 0u);
    }
    EXPECT_TRUE(is_credential("/run/credentials/portcullis.service/discord.url"));
    EXPECT_FALSE(is_credential("/etc/portcullis/discord.url"));
}

// By fifteen minutes every action has ended; the log relies on it (verdicts::Log::Settings).
TEST(Webhook, DoesNotRepeatWhatIsNotUnderstood) {
    TestServer server([](size_t before) { return Answer{.status = before == 0 ? 400 : 204}; });
    Bench bench(server.url());
    bench.add(entry_of("Alice", 1));
    ASSERT_EQ(bench.wait_for(1).size(), 1u);
    EXPECT_TRUE(bench.standing().well) << "it was about the message, and nothing waits";
    bench.add(entry_of("Bob", 2));
    const auto outcomes = bench.wait_for(2);
    ASSERT_EQ(outcomes.size(), 2u);
    EXPECT_EQ(outcomes[0].result, Result::failed);
    EXPECT_EQ(outcomes[1].result, Result::done);
    EXPECT_EQ(server.requests().size(), 2u);
}

TEST(Webhook, IsDisabledWhenItUnderstandsNothing) {
    // One that was understood between them begins the count anew.
    TestServer server([](size_t before) { return Answer{.status = before == 2 ? 204 : 422}; });
    Bench bench(server.url());
    uint64_t sent = 0;
    const auto send_one = [&] {
        bench.add(entry_of("Player" + std::to_string(sent), sent + 1));
        bench.wait_for(++sent);
    };
    for (int i = 0; i < 5; ++i) send_one();
    EXPECT_EQ(bench.standing().says.find("disabled"), std::string::npos);
    send_one();
    EXPECT_NE(bench.standing().says.find("disabled"), std::string::npos);
    EXPECT_NE(bench.standing().says.find("422"), std::string::npos);
    send_one();
    EXPECT_EQ(bench.wait_for(sent).back().result, Result::failed);
    EXPECT_EQ(server.requests().size(), 6u);
}

TEST(Webhook, GivesUpWhatIsTooOld) {
    std::string url;
    {
        url = TestServer().url();
    }
    Bench bench(url, [](auto& s) { s.age_max = 300ms; });
    bench.add(entry_of("Alice", 1));
    Standing waiting;
    for (int i = 0; i < 200 && waiting.well; ++i) {
        std::this_thread::sleep_for(1ms);
        waiting = bench.standing();
    }
    EXPECT_FALSE(waiting.well);
    EXPECT_EQ(waiting.says.find("secret"), std::string::npos);
    const auto outcomes = bench.wait_for(1);
    ASSERT_EQ(outcomes.size(), 1u);
    EXPECT_EQ(outcomes[0].result, Result::expired);
    EXPECT_GE(outcomes[0].attempts, 2u);
    EXPECT_TRUE(bench.standing().well) << "nothing waits any more";
}

TEST(Webhook, AnswersForEveryAlertWhenTooManyWaitAndTheMildestGiveWay) {
    TestServer server([](size_t) { return Answer{.delay = 10s}; });
    Bench bench(server.url(), [](auto& s) {
        s.alerts_max = 20;
        s.gather = 10s;
    });
    // Ten make a message, which hangs; then twenty wait; then a flood.
    for (uint64_t i = 0; i < 10; ++i) bench.add(entry_of("First" + std::to_string(i), i));
    for (int i = 0; i < 500 && server.requests().empty(); ++i) std::this_thread::sleep_for(2ms);
    for (uint64_t i = 10; i < 60; ++i) {
        bench.add(entry_of("P" + std::to_string(i), i, i % 2 == 0 ? 1.0f : 0.96f));
    }
    const auto failed = bench.outcomes();
    EXPECT_GE(failed.size(), 20u);
    for (size_t i = 0; i < 20; ++i) EXPECT_EQ(failed[i].verdict.low % 2, 1u);
    bench.sender().finish(0ms);
    std::map<uint64_t, int> ends;
    for (const Outcome& outcome : bench.outcomes()) ++ends[outcome.verdict.low];
    EXPECT_EQ(ends.size(), 60u);
    for (const auto& [id, times] : ends) EXPECT_EQ(times, 1) << id;
}

TEST(Webhook, SendsWhatWaitsAtTheEnd) {
    TestServer server;
    Bench bench(server.url(), [](auto& s) { s.gather = 60s; });
    for (uint64_t i = 0; i < 35; ++i) bench.add(entry_of("P" + std::to_string(i), i));
    const auto start = TestServer::Clock::now();
    bench.sender().finish(5s);
    EXPECT_LT(TestServer::Clock::now() - start, 2s);
    EXPECT_EQ(bench.outcomes().size(), 35u);
    EXPECT_EQ(server.requests().size(), 4u);
    for (const auto& request : server.requests()) expect_discord_takes(request.body);
}

TEST(Webhook, SaysWhatIsWrongWithItsAddressWithoutSayingIt) {
    const UrlFile file("discord.com/secret-token");
    try {
        Sender sender({{Hook::Settings(), file.path()}}, {});
        FAIL();
    } catch (const SetupError& error) {
        EXPECT_NE(std::string(error.what()).find(file.path()), std::string::npos);
        EXPECT_EQ(std::string(error.what()).find("secret"), std::string::npos);
    }
    EXPECT_THROW(Sender({{Hook::Settings(), "/nonexistent/url"}}, {}), SetupError);
}

/// This thread, and those that it starts, ask a name server that never answers.
class MuteResolver {
public:
    MuteResolver() {
        socket_ = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(53);
        address.sin_addr.s_addr = inet_addr("127.53.53.53");
        const auto* const at = reinterpret_cast<const sockaddr*>(&address);
        there_ = bind(socket_, at, sizeof address) == 0 && unshare(CLONE_NEWNS) == 0 &&
                 mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
                 mount(file_.path().c_str(), "/etc/resolv.conf", nullptr, MS_BIND, nullptr) == 0;
    }
    MuteResolver(const MuteResolver&) = delete;
    MuteResolver& operator=(const MuteResolver&) = delete;
    ~MuteResolver() {
        if (there_) umount("/etc/resolv.conf");
        close(socket_);
    }
    bool there() const { return there_; }
    bool was_asked() const {
        char byte = 0;
        return recv(socket_, &byte, 1, MSG_DONTWAIT | MSG_PEEK) >= 0;
    }

private:
    UrlFile file_{"nameserver 127.53.53.53\noptions timeout:30 attempts:1"};
    int socket_ = -1;
    bool there_ = false;
};

TEST(Webhook, WhoseNameNobodyResolvesDelaysNeitherOthersNorTheEnd) {
    const MuteResolver resolver;
    if (!resolver.there()) GTEST_SKIP() << "wants root: a name server of its own";
    TestServer server;
    const UrlFile nowhere("http://hooks.example.org/api/webhooks/1/secret-token");
    const UrlFile here(server.url());
    Hook::Settings settings;
    settings.gather = 10ms;
    settings.backoff_first = 20ms;
    Sender::Settings timeouts;
    timeouts.connect_timeout = timeouts.timeout = 300ms;
    const auto since = [](auto began) { return std::chrono::steady_clock::now() - began; };
    auto began = std::chrono::steady_clock::now();
    {
        Sender sender(
            {{settings, nowhere.path()}, {settings, here.path()}}, [](const Outcome&) {}, timeouts);
        for (uint64_t i = 0; i < 10; ++i) {
            const Entry entry = entry_of("Alice", i);
            sender.add(std::span(&entry, 1));
            std::this_thread::sleep_for(100ms);
        }
        for (int i = 0; i < 100 && server.requests().size() < 5; ++i) {
            std::this_thread::sleep_for(10ms);
        }
        EXPECT_GE(server.requests().size(), 5u);
        EXPECT_LT(since(began), 3s) << "the other one's messages waited";
        EXPECT_TRUE(resolver.was_asked()) << "this test can not fail";
        began = std::chrono::steady_clock::now();
        sender.finish(200ms);
    }
    EXPECT_LT(since(began), 2s);
}

TEST(Message, KeepsDiscordsLimitsWhateverPlayersAreCalled) {
    for (const std::string& name :
         {std::string(32, '_'), std::string(32, '\xff'), std::string(32, '@'), std::string(),
          std::string("\n\n@everyone <@1> [x](http://y)"), std::string(32, '"')}) {
        std::vector<Alert> alerts;
        for (uint64_t i = 0; i < 30; ++i) {
            Entry entry = entry_of(name, i);
            entry.check = std::string(60, '_');
            entry.service = std::string(3000, '*');
            entry.record.note.assign(std::string(47, '`'));
            alerts.push_back({entry, std::vector<verdicts::VerdictId>(1'000 + i)});
        }
        size_t told = 0;
        while (told < alerts.size()) {
            const Message message = discord_message(std::span(alerts).subspan(told));
            ASSERT_GE(message.alerts, 1u);
            expect_discord_takes(message.body);
            told += message.alerts;
        }
    }
    EXPECT_EQ(escape_markdown("@everyone **x**\n"), "\\@everyone \\*\\*x\\*\\*");
}

}  // namespace
}  // namespace portcullis::actions::webhook
