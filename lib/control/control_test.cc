// Goal: Control takes every record to every sink, answers operators and
// Prometheus truthfully, exchanges the configuration whole or not at all, and at
// the end loses nothing that it was given.
// Method: a real Control on real sockets over a fake packet side; the sinks are
// recorders.  Times are waited for, never slept away.

#include "control/control_test_support.h"
#include "policy/rule_set.h"

namespace portcullis::control {
namespace {

using namespace testing;

TEST_F(ControlTest, RecordsReachSinksAndThePlayersAreListed) {
    start();
    wire_.tell(record(VerdictRecord::Kind::login, "Alice", 1));
    wire_.tell(record(VerdictRecord::Kind::login, "Bob", 2));
    VerdictRecord verdict = record(VerdictRecord::Kind::verdict, "Bob", 2);
    verdict.level = 7.5;
    verdict.repeats = 3;
    wire_.tell(verdict);
    wire_.tell(record(VerdictRecord::Kind::disconnect, "Alice", 1));
    ASSERT_TRUE(wait_for([&] { return heard_.count() == 4; }));
    const Json players = result({{"command", "players"}});
    ASSERT_EQ(players.at("players").size(), 1u) << players;
    EXPECT_EQ(players["players"][0]["name"], "Bob");
    EXPECT_EQ(players["players"][0]["service"], "survival");
    EXPECT_EQ(players["players"][0]["client"], "198.51.100.7:2");
    EXPECT_EQ(players["players"][0]["level"], 7.5);
    EXPECT_EQ(players["players"][0]["version"], 765);
    const Json bob = result({{"command", "player"}, {"player", "bob"}});
    ASSERT_EQ(bob.at("findings").size(), 1u);
    EXPECT_EQ(bob["findings"][0]["count"], 4) << "this one and three since the last record";
    EXPECT_EQ(error({{"command", "player"}, {"player", "Alice"}}),
              "no player named Alice is known to be here");
    const auto [code, text] = get("/metrics");
    EXPECT_EQ(code, 200);
    EXPECT_NE(text.find("portcullis_records_total{kind=\"login\"} 2\n"), std::string::npos) << text;
}

TEST_F(ControlTest, AsksTheWorkerAboutAPlayer) {
    start();
    wire_.tell(record(VerdictRecord::Kind::login, "Alice", 1));
    wire_.tell(record(VerdictRecord::Kind::login, "Bob", 2));
    wire_.tell(record(VerdictRecord::Kind::opaque, "Bob", 2));
    ASSERT_TRUE(wait_for([&] { return heard_.count() == 3; }));
    // The Worker of the fake answers as soon as it is asked.
    std::thread worker([&] {
        ASSERT_TRUE(wait_for([&] { return !wire_.orders().empty(); }));
        const verdicts::Order order = wire_.orders()[0];
        EXPECT_EQ(order.kind, verdicts::Order::Kind::describe);
        verdicts::PlayerContext context;
        context.client = order.client;
        context.server = order.server;
        context.placed = context.measured = context.alive = true;
        context.position = {1.5, 64, -3.25};
        context.mode = {protocol::GameMode::survival, protocol::GameMode::creative};
        context.effects[0] = {2, 2};
        context.latency = {30ms, 45ms};
        wire_.tell(context);
    });
    const Json alice = result({{"command", "player"}, {"player", "Alice"}});
    worker.join();
    const Json& context = alice.at("context");
    EXPECT_EQ(context["position"]["z"], -3.25) << context;
    EXPECT_EQ(context["game_mode"], (Json{{"low", "survival"}, {"high", "creative"}}));
    EXPECT_EQ(context["effects"], (Json{{"speed", 2}}));
    EXPECT_EQ(context["latency_ms"]["high"], 45);
    EXPECT_EQ(context["is"], Json::array({"alive"}));
    // Nobody can tell of what is encrypted, and a Worker that says nothing is not waited for long.
    EXPECT_TRUE(result({{"command", "player"}, {"player", "Bob"}}).at("context").is_null());
    EXPECT_TRUE(result({{"command", "player"}, {"player", "Alice"}}).at("context").is_null());
}

TEST_F(ControlTest, OrdersGoToWorkersAndAreRemembered) {
    start();
    wire_.tell(record(VerdictRecord::Kind::login, "Alice", 1));
    ASSERT_TRUE(wait_for([&] { return heard_.count() == 1; }));
    (void)result({{"command", "kick"}, {"player", "alice"}, {"reason", "enough"}});
    (void)result(
        {{"command", "sever"}, {"client", "198.51.100.7:1"}, {"server", "10.0.0.2:25565"}});
    (void)result({{"command", "block"}, {"prefix", "198.51.100.0/24"}, {"for_s", 60}});
    ASSERT_TRUE(wait_for([&] { return wire_.orders().size() == 3; }));

    const auto orders = wire_.orders();
    EXPECT_EQ(orders[0].kind, verdicts::Order::Kind::kick);
    EXPECT_EQ(to_string(orders[0].client), "198.51.100.7:1") << "Workers know flows, not names";
    EXPECT_EQ(to_string(orders[0].server), "10.0.0.2:25565");
    EXPECT_EQ(orders[0].reason.view(), "enough");
    EXPECT_EQ(orders[1].kind, verdicts::Order::Kind::sever);
    EXPECT_EQ(orders[1].client.port, 1);
    EXPECT_EQ(orders[2].prefix, *parse_prefix("198.51.100.0/24"));
    EXPECT_EQ(orders[2].lasts, 60s) << "a span: the clock may be set before a Worker hears it";
    EXPECT_EQ(heard_.orders.size(), 3u);

    EXPECT_EQ(result({{"command", "blocks"}}).at("blocks").size(), 1u);
    EXPECT_EQ(ask({{"command", "unblock"}, {"prefix", "198.51.100.7"}}).at("error"),
              "198.51.100.7/32 is blocked as a part of 198.51.100.0/24; unblock that one");
    EXPECT_EQ(result({{"command", "unblock"}, {"prefix", "203.0.113.1"}}).at("note"),
              "203.0.113.1/32 was in no list; the workers were told all the same");
    (void)result({{"command", "unblock"}, {"prefix", "198.51.100.0/24"}});
    ASSERT_TRUE(wait_for([&] { return wire_.orders().size() == 6; }));
    EXPECT_EQ(wire_.orders()[4].kind, verdicts::Order::Kind::unblock)
        << "what a Worker still holds must be lifted, whatever the book knows";
    EXPECT_TRUE(wait_for([&] { return result({{"command", "blocks"}}).at("blocks").empty(); }));
}

TEST_F(ControlTest, OrdersWaitForFullRings) {
    start();
    wire_.rings_full(true);
    ASSERT_TRUE(control_->orders().give({}));
    std::this_thread::sleep_for(20ms);
    EXPECT_TRUE(wire_.orders().empty());
    wire_.rings_full(false);
    EXPECT_TRUE(wait_for([&] { return wire_.orders().size() == 1; }));

    wire_.rings_full(true);
    size_t given = 0;
    while (control_->orders().give({})) ++given;
    EXPECT_GE(given, 65'536u);
    EXPECT_NE(get("/metrics").second.find("portcullis_orders_total{outcome=\"refused\"} 1\n"),
              std::string::npos);
}

TEST_F(ControlTest, RefusesWhatItDoesNotUnderstand) {
    start();
    const struct {
        Json request;
        std::string says;
    } cases[] = {
        {{{"command", "fly"}},
         "unknown command \"fly\"; allowed: status, health, wires, services, workers, flows, "
         "players, "
         "player, blocks, block, unblock, sever, kick, trace, traced, reload or config"},
        {{{"command", 5}}, "command must be a text"},
        {Json::array(),
         "unknown command \"\"; allowed: status, health, wires, services, workers, flows, players, "
         "player, blocks, block, unblock, sever, kick, trace, traced, reload or config"},
        {{{"command", "block"}, {"prefix", "everybody"}},
         "prefix is \"everybody\"; allowed: an address, or a prefix such as 10.0.0.0/8"},
        {{{"command", "block"}, {"prefix", "0.0.0.0/0"}},
         "prefix 0.0.0.0/0 is wider than /8 and would keep half the world out; block narrower "
         "ones"},
        {{{"command", "block"}, {"prefix", "::/0"}},
         "prefix ::/0 is wider than /16 and would keep half the world out; block narrower ones"},
        {{{"command", "block"}, {"prefix", "10.0.0.1"}, {"for_s", 0}},
         "for_s must be a whole number from 1 to 315360000"},
        {{{"command", "kick"}}, "player is missing: give a name"},
        {{{"command", "kick"}, {"player", "Nobody"}}, "no player named Nobody is known to be here"},
        {{{"command", "sever"}, {"client", "x"}}, "client and server must both be ADDRESS:PORT"},
        {{{"command", "players"}, {"service", "survivel"}},
         "no service is called \"survivel\" (did you mean \"survival\"?); allowed: survival"},
        {{{"command", "flows"}, {"state", "deaf"}},
         "no connection is in state \"deaf\" (did you mean \"dead\"?); allowed: inspected, bypass, "
         "opaque or dead"},
    };
    for (const auto& c : cases) EXPECT_EQ(error(c.request), c.says) << c.request;
    EXPECT_EQ(ask_line("{").at("error"), "a request is one JSON object on one line");
    EXPECT_TRUE(wire_.orders().empty());
}

TEST_F(ControlTest, ALineThatIsNoneIsAnsweredAndEndsTheConnection) {
    start();
    const auto said = [&](const std::string& line) {
        asio::io_context loop;
        asio::local::stream_protocol::socket socket(loop);
        socket.connect(socket_.string());
        std::error_code error;
        asio::write(socket, asio::buffer(line), error);
        socket.shutdown(asio::local::stream_protocol::socket::shutdown_send, error);
        std::string answer;
        asio::read(socket, asio::dynamic_buffer(answer), error);
        EXPECT_EQ(error, asio::error::eof) << error.message();
        return answer;
    };
    const std::string too_long =
        "{\"ok\":false,\"error\":\"a line has at most 65536 bytes, and this one is longer\"}\n";
    EXPECT_EQ(said(std::string(AdminServer::line_bytes_max + 1, 'a')), too_long);
    EXPECT_EQ(said(std::string(10 * AdminServer::line_bytes_max, 'a') + '\n'), too_long);
    EXPECT_EQ(said("{\"command\":\"status\"}"),
              "{\"ok\":false,\"error\":\"a request ends with a newline, and this one ended "
              "without\"}\n");
    EXPECT_EQ(said(""), "");
    EXPECT_EQ(result({{"command", "status"}}).at("status"), "starting");
}

TEST_F(ControlTest, HealthSaysWhatIsWrong) {
    start("", 300ms);
    EXPECT_EQ(get("/health").first, 503);
    EXPECT_EQ(Json::parse(get("/health").second).at("status"), "starting");

    // Workers turn as long as we say.
    std::atomic<bool> turning = true, done = false;
    std::thread workers([&] {
        while (!done) {
            if (turning) wire_.counting(0).progress.add();
            wire_.counting(1).progress.add();
            std::this_thread::sleep_for(1ms);
        }
    });
    control_->ready();
    const auto status_is = [&](const std::string& status, int code) {
        return wait_for([&] {
            const auto [answered, body] = get("/health");
            return answered == code && Json::parse(body).at("status") == status;
        });
    };
    EXPECT_TRUE(status_is("well", 200));

    wire_.link(0, false);
    EXPECT_TRUE(status_is("failing", 503));
    wire_.link(0, true);
    EXPECT_TRUE(status_is("well", 200));

    turning = false;
    EXPECT_TRUE(status_is("failing", 503));
    const Json stuck = Json::parse(get("/health").second);
    EXPECT_FALSE(stuck["workers"][0]["alive"]);
    EXPECT_TRUE(stuck["workers"][1]["alive"]);
    EXPECT_NE(get("/metrics").second.find("portcullis_worker_alive{worker=\"0\"} 0\n"),
              std::string::npos);
    turning = true;
    EXPECT_TRUE(status_is("well", 200));

    {
        const std::lock_guard lock(heard_.mutex);
        heard_.status.conditions = {{"rcon/survival", false, "connection refused"}};
        heard_.status.outcomes = {{"rcon", "failed", 2}};
    }
    EXPECT_TRUE(status_is("degraded", 200));
    EXPECT_NE(get("/health").second.find("connection refused"), std::string::npos);
    EXPECT_NE(get("/metrics")
                  .second.find("portcullis_outcomes_total{part=\"rcon\",outcome=\"failed\"} 2\n"),
              std::string::npos);
    EXPECT_EQ(get("/elsewhere").first, 404);
    done = true;
    workers.join();
}

TEST_F(ControlTest, ReloadsWholeOrNotAtAll) {
    start("policies: { default: { block_s: 60 } }\n");
    write("policies: { default: { block_s: 90 } }\nworkers: 2\n",
          "level: error, packets: true, packet_types: [position], trace_players: [Alice]");
    const Json answer = result({{"command", "reload"}});
    EXPECT_EQ(answer.at("needs_restart"), Json({"workers"}));
    EXPECT_EQ(answer.at("warnings"), Json::array());
    EXPECT_EQ(wire_.published(), 1);
    const std::string running = result({{"command", "config"}}).at("yaml");
    EXPECT_NE(running.find("block_s: 90"), std::string::npos) << running;
    EXPECT_NE(running.find("workers: 1"), std::string::npos) << running;
    EXPECT_NE(running.find("packets: true"), std::string::npos) << running;
    EXPECT_NE(running.find("Alice"), std::string::npos) << running;

    write("policies: { default: { block_s: never } }\n");
    EXPECT_EQ(error({{"command", "reload"}}),
              file() +
                  ":10:33: policies.default.block_s is \"never\"; allowed: a whole number "
                  "from 1 to 31536000");
    write("policies: { default: { checks: { movement.telepathy: { enabled: true } } } }\n");
    EXPECT_NE(error({{"command", "reload"}}).find(":10:34: "), std::string::npos);
    EXPECT_EQ(wire_.published(), 1);
    EXPECT_EQ(result({{"command", "config"}}).at("yaml"), running);
    EXPECT_NE(get("/metrics").second.find("portcullis_reloads_total{outcome=\"refused\"} 2\n"),
              std::string::npos);
}

/// Compiles when it is told to, and knows how often it was asked.
class SlowCompiler {
public:
    Control::Compile function() {
        return [shared = shared_](const config::Config& config) {
            const int mine = ++shared->asked;
            while (shared->allowed < mine) std::this_thread::sleep_for(1ms);
            return policy::RuleSet::compile(config);
        };
    }
    int asked() const { return shared_->asked; }
    void allow() { ++shared_->allowed; }

private:
    struct Shared {
        std::atomic<int> asked = 0, allowed = 0;
    };
    std::shared_ptr<Shared> shared_ = std::make_shared<Shared>();
};

TEST_F(ControlTest, TheLastOfTwoReloadsIsHonoured) {
    SlowCompiler compiler;
    compile_ = compiler.function();
    start("", 60s, true);
    write("policies: { default: { block_s: 70 } }\n");
    raise(SIGHUP);
    ASSERT_TRUE(wait_for([&] { return compiler.asked() == 1; }));
    write("policies: { default: { block_s: 80 } }\n");
    raise(SIGHUP);
    Json answer;
    std::thread asker([&] { answer = ask({{"command", "reload"}}); });
    std::this_thread::sleep_for(100ms);
    EXPECT_EQ(compiler.asked(), 1) << "one at a time";
    write("policies: { default: { block_s: 90 } }\n");
    compiler.allow();
    ASSERT_TRUE(wait_for([&] { return compiler.asked() == 2; }));
    EXPECT_EQ(heard_.block_s, 70u);
    compiler.allow();
    asker.join();
    EXPECT_TRUE(answer.at("ok").get<bool>()) << answer;
    EXPECT_EQ(heard_.block_s, 90u) << "what the file said when the first was over";
    EXPECT_EQ(wire_.published(), 2) << "two that wait are one";
}

TEST_F(ControlTest, NobodyWaitsForACompilationButWhoAskedForIt) {
    SlowCompiler compiler;
    compile_ = compiler.function();
    start();
    Json answer;
    std::thread asker([&] { answer = ask({{"command", "reload"}}); });
    ASSERT_TRUE(wait_for([&] { return compiler.asked() == 1; }));
    const int before = wire_.propagations();
    EXPECT_TRUE(wait_for([&] { return wire_.propagations() > before + 2; }));
    const auto began = steady_clock::now();
    control_->stop();
    EXPECT_LT(steady_clock::now() - began, 6s);
    EXPECT_TRUE(control_->compiling());
    asker.join();
    EXPECT_EQ(answer.value("error", ""), "the appliance stops");
    control_.reset();
    compiler.allow();  // The thread goes, and finds nobody.
    std::this_thread::sleep_for(50ms);
}

TEST_F(ControlTest, SaysOfABlockWhatCanNotBeKept) {
    start();
    const Json refused = {{"command", "block"}, {"prefix", "203.0.113.9"}};
    EXPECT_EQ(error(refused), "no room for him");
    EXPECT_TRUE(wire_.orders().empty());
    const Json block = {{"command", "block"}, {"prefix", "203.0.113.8"}};
    EXPECT_FALSE(result(block).contains("note"));
    {
        const std::lock_guard lock(heard_.mutex);
        heard_.status.conditions = {{"blocklist", false, "would not survive a restart"}};
    }
    EXPECT_EQ(result(block).at("note"), "would not survive a restart");
    ASSERT_TRUE(wait_for([&] { return wire_.orders().size() == 2; }));
    ASSERT_TRUE(wait_for([&] { return heard_.orders.size() == 2; }));
    EXPECT_TRUE(control_->orders().give({}));
    ASSERT_TRUE(wait_for([&] { return wire_.orders().size() == 3; }));
    EXPECT_EQ(heard_.orders.size(), 2u) << "what sinks order they know";
}

TEST_F(ControlTest, SaysWhatDidNotGoWithAReload) {
    start();
    {
        const std::lock_guard lock(heard_.mutex);
        heard_.warnings = {"one cannot be read"};
    }
    EXPECT_EQ(result({{"command", "reload"}}).at("warnings"), Json({"one cannot be read"}));
}

TEST_F(ControlTest, AnswersABlockOnceItWouldOutliveARestart) {
    heard_.kept = 0;
    start();
    const auto ordered = [this](size_t orders) {
        const std::lock_guard lock(heard_.mutex);
        return heard_.orders.size() == orders;
    };
    Json answer;
    std::atomic<bool> answered = false;
    const auto order = [&](const char* command) {
        answered = false;
        return std::thread([&, command] {
            answer = ask({{"command", command}, {"prefix", "203.0.113.8"}});
            answered = true;
        });
    };
    std::thread saved = order("block");
    ASSERT_TRUE(wait_for([&] { return ordered(1); }));
    std::this_thread::sleep_for(100ms);
    EXPECT_FALSE(answered);
    EXPECT_EQ(wire_.orders().size(), 1u) << "but Workers hold it at once";
    heard_.kept = 1;
    saved.join();
    EXPECT_FALSE(answer.at("result").contains("note")) << answer;

    // A disk that does not answer holds up nobody for ever, and nothing else at all.
    std::thread stuck = order("unblock");
    ASSERT_TRUE(wait_for([&] { return ordered(2); }));
    (void)result({{"command", "status"}});
    EXPECT_FALSE(answered);
    stuck.join();
    EXPECT_EQ(answer.at("result").at("note"),
              "this holds until the restart only: it is not on the disk after 3 s");

    std::thread last = order("block");
    ASSERT_TRUE(wait_for([&] { return ordered(3); }));
    control_->stop();
    last.join();
    EXPECT_TRUE(answer.at("result").contains("note")) << answer;
}

TEST_F(ControlTest, ModeAndSignaturesChangeLiveAndSinksAreTold) {
    const std::string signatures = folder_ / "signatures.yaml";
    const std::string named = "signatures: " + signatures + "\n";
    start();
    const std::string patterns = "signatures: [ { name: a, pattern: 'x+y' } ]\n";
    std::ofstream(signatures) << patterns;
    write(named + "mode: observe\npolicies: { default: { block_s: 90 } }\n");
    EXPECT_EQ(result({{"command", "reload"}}).at("needs_restart"), Json::array());
    EXPECT_EQ(wire_.published(), 1);
    EXPECT_EQ(result({{"command", "status"}}).at("mode"), "observe");
    EXPECT_EQ(heard_.reloads, 1);
    EXPECT_EQ(heard_.block_s, 90u);
    EXPECT_EQ(heard_.signatures, config::signatures_id(patterns));

    // Other patterns in it have another id: by it evidence knows what it was judged by.
    const std::string others = "signatures: [ { name: a, pattern: 'x+z' } ]\n";
    std::ofstream(signatures) << others;
    EXPECT_EQ(result({{"command", "reload"}}).at("needs_restart"), Json::array());
    EXPECT_EQ(wire_.published(), 2);
    EXPECT_EQ(heard_.signatures, config::signatures_id(others));

    // The same file, now with a pattern that is none.
    std::ofstream(signatures) << "signatures:\n  - { name: a, pattern: '(x' }\n";
    EXPECT_TRUE(error({{"command", "reload"}})
                    .starts_with(signatures + ":2:5: signature \"a\" has a pattern that can not"));
    EXPECT_EQ(wire_.published(), 2);
    EXPECT_EQ(heard_.reloads, 2);
}

TEST_F(ControlTest, AServiceMustKeepAPolicyOverAReload) {
    start();
    std::ofstream(file()) << "services: [ { name: other, protocol: minecraft, address: 10.0.0.9, "
                             "port: 1 } ]\n";
    const Json kept = result({{"command", "reload"}}).at("needs_restart");
    EXPECT_TRUE(std::ranges::count(kept, Json("services")) == 1) << kept;
    EXPECT_NE(result({{"command", "config"}}).at("yaml").get<std::string>().find("survival"),
              std::string::npos);
}

TEST_F(ControlTest, StopTakesTheLastRecordsBeforeTheSinksEnd) {
    start();
    constexpr size_t many = 5'000;
    for (size_t i = 0; i < many; ++i) {
        wire_.tell(record(VerdictRecord::Kind::login, "P", static_cast<uint16_t>(i)));
    }
    control_->stop();
    EXPECT_EQ(heard_.count(), many);
    EXPECT_EQ(heard_.finished, 1);
    EXPECT_FALSE(heard_.late);
    EXPECT_FALSE(std::filesystem::exists(socket_));
    control_->stop();  // A second time is nothing.
    EXPECT_EQ(heard_.finished, 1);
}

TEST_F(ControlTest, ADriverThatHangsKeepsNeitherLinksNorTheEnd) {
    start();
    wire_.hang_mending(true);
    wire_.pull(1);
    ASSERT_TRUE(wait_for([&] { return wire_.mendings_begun() == 1; }));
    const int looked = wire_.propagations();
    EXPECT_TRUE(wait_for([&] { return wire_.propagations() > looked + 3; }));

    const auto begun = steady_clock::now();
    control_->stop();
    EXPECT_LT(steady_clock::now() - begun, finish_limit + 2s);
    EXPECT_TRUE(control_->in_a_driver());
    EXPECT_EQ(heard_.finished, 1);
    control_.reset();
    // It comes back when nobody is there any more.
    wire_.hang_mending(false);
    ASSERT_TRUE(wait_for([&] { return wire_.mendings_ended() == 1; }));
    std::this_thread::sleep_for(10ms);
}

TEST_F(ControlTest, TheEndWaitsForADriverThatOnlyTakesItsTime) {
    start();
    wire_.hang_mending(true);
    wire_.pull(0);
    ASSERT_TRUE(wait_for([&] { return wire_.mendings_begun() == 1; }));
    std::thread later([&] {
        std::this_thread::sleep_for(200ms);
        wire_.hang_mending(false);
    });
    control_->stop();
    EXPECT_EQ(wire_.mendings_ended(), 1);
    EXPECT_FALSE(control_->in_a_driver());
    later.join();
}

TEST_F(ControlTest, SignalsReloadAndEndTheWait) {
    start("", 60s, true);
    raise(SIGHUP);
    EXPECT_TRUE(wait_for([&] { return wire_.published() == 1; }));
    raise(SIGTERM);
    control_->wait();
    control_->stop();
}

TEST_F(ControlTest, OnlyUserAndGroupMayConnect) {
    start();
    struct stat found{};
    ASSERT_EQ(stat(socket_.c_str(), &found), 0);
    EXPECT_EQ(found.st_mode & 0777, 0660u);
}

TEST_F(ControlTest, AnOccupiedSocketIsOneSentenceAndALeftOneIsReplaced) {
    start();
    const auto begin = [&](const std::string& path) -> std::string {
        config::Config config = config::load(file());
        config.admin_socket = path;
        config.metrics.reset();
        Control::Settings settings;
        settings.heed_signals = false;
        Control second(config, wire_, settings);
        try {
            second.start();
        } catch (const SetupError& error) {
            return error.what();
        }
        return "";
    };
    EXPECT_EQ(begin(socket_), "admin.socket: another appliance answers at " + socket_.string() +
                                  "; end it or configure another path");
    EXPECT_EQ(result({{"command", "status"}}).at("status"), "starting");  // The first still does.

    const std::string nowhere = folder_ / "none" / "admin.sock";
    EXPECT_EQ(begin(nowhere), "admin.socket: can not listen at " + nowhere +
                                  ": No such file or directory; make " +
                                  (folder_ / "none").string() +
                                  " writable for this user or configure another path");

    const std::string plain = folder_ / "plain";
    std::ofstream(plain) << "mine";
    EXPECT_EQ(begin(plain), "admin.socket: " + plain +
                                " is there and no socket; remove it or configure another path");
    EXPECT_TRUE(std::filesystem::exists(plain));

    const std::string left = folder_ / "left.sock";
    {
        asio::io_context loop;
        const asio::local::stream_protocol::acceptor acceptor(loop, left);
    }
    ASSERT_TRUE(std::filesystem::exists(left));
    EXPECT_EQ(begin(left), "");
}

}  // namespace
}  // namespace portcullis::control
