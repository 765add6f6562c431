// Goal: whatever an operator orders stands in the log: who, what, and what came of it; what
// he asks does not, and no text of his makes a line of its own there.
// Method: a real Control on a real socket; its logger writes into a stream of ours.

#include <sstream>

#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include "control/control_test_support.h"
#include "control/log.h"
#include "control/order_desk.h"

namespace portcullis::control {
namespace {

using namespace testing;

class OrdersTest : public ControlTest {
protected:
    OrdersTest() {
        start_log({});  // Once a process: from here on Control leaves the logger alone.
        spdlog::set_default_logger(std::make_shared<spdlog::logger>(
            "orders", std::make_shared<spdlog::sinks::ostream_sink_mt>(said_)));
        start();
        write("", "level: info");  // For when it is reloaded.
        spdlog::set_level(spdlog::level::info);
    }
    ~OrdersTest() override {
        control_.reset();
        spdlog::set_default_logger(std::make_shared<spdlog::logger>("none"));
    }

    /// The lines about orders since the last call, without the time before them.
    std::vector<std::string> logged() {
        std::vector<std::string> lines;
        std::istringstream text(said_.str());
        for (std::string line; std::getline(text, line);) {
            const size_t at = line.find("admin: ");
            if (at != std::string::npos) lines.push_back(line.substr(at));
        }
        said_.str("");
        return lines;
    }
    std::string who() const {
        return "admin: process " + std::to_string(getpid()) + " of user " +
               std::to_string(getuid()) + " orders ";
    }

    std::ostringstream said_;
};

TEST_F(OrdersTest, EachIsLoggedWithWhoGaveItAndWhatCameOfIt) {
    wire_.tell(record(VerdictRecord::Kind::login, "Alice", 1));
    ASSERT_TRUE(wait_for([&] { return heard_.count() == 1; }));
    const struct {
        Json request;
        std::string outcome;
    } cases[] = {
        {{{"command", "block"}, {"prefix", "198.51.100.0/24"}}, R"({"ok":true,)"},
        {{{"command", "block"}, {"prefix", "all"}}, R"({"ok":false,"error":"prefix is )"},
        {{{"command", "unblock"}, {"prefix", "203.0.113.1"}}, R"({"ok":true,)"},
        {{{"command", "kick"}, {"player", "Alice"}}, R"({"ok":true,"result":{"ordered":true)"},
        {{{"command", "sever"}, {"player", "Nobody"}}, R"({"ok":false,"error":"no player )"},
        {{{"command", "trace"}, {"player", "Alice"}}, R"({"ok":true,)"},
        {{{"command", "reload"}}, R"({"ok":true,"result":{"file":)"},
    };
    for (const auto& c : cases) {
        (void)ask(c.request);
        const std::vector<std::string> lines = logged();
        ASSERT_EQ(lines.size(), 1u) << c.request;
        const std::string line = who() + c.request.dump() + ": " + c.outcome;
        EXPECT_TRUE(lines[0].starts_with(line)) << lines[0];
    }
}

TEST_F(OrdersTest, QuestionsAreNot) {
    for (const char* question : {"status", "wires", "health", "blocks", "config"}) {
        (void)ask({{"command", question}});
    }
    EXPECT_EQ(logged(), std::vector<std::string>());
}

TEST_F(OrdersTest, ALineOfTheLogIsOneOrder) {
    (void)ask({{"command", "kick"}, {"player", "A\nadmin: \u009b2J"}});
    const std::vector<std::string> lines = logged();
    ASSERT_EQ(lines.size(), 1u);
    EXPECT_NE(lines[0].find(R"("player":"A\nadmin: \u009b2J")"), std::string::npos) << lines[0];
    (void)ask({{"command", "kick"}, {"player", std::string(50'000, 'a')}});
    const std::vector<std::string> cut = logged();
    ASSERT_EQ(cut.size(), 1u);
    EXPECT_LT(cut[0].size(), 3'000u);
}

TEST(BlockBook, KnowsWhoIsOutAlsoWhenTheClockIsSet) {
    BlockBook book;
    verdicts::Order order;
    order.kind = verdicts::Order::Kind::block;
    order.prefix = *parse_prefix("203.0.113.1");
    order.lasts = 10s;
    book.heed(order, 1000s);
    book.shift(1h);
    book.forget_expired(1009s + Nanos(1h));
    EXPECT_EQ(book.blocks().size(), 1u);
    book.shift(-2h);
    book.forget_expired(1011s - Nanos(1h));
    EXPECT_TRUE(book.blocks().empty());
}

TEST_F(ControlTest, WhoComesWhenAllPlacesAreTakenReadsWhy) {
    start();
    asio::io_context loop;
    std::vector<asio::local::stream_protocol::socket> others;
    for (size_t i = 0; i < AdminServer::connections_max; ++i) {
        others.emplace_back(loop).connect(socket_.string());
    }
    asio::local::stream_protocol::socket late(loop);
    late.connect(socket_.string());
    std::string answer;
    asio::read_until(late, asio::dynamic_buffer(answer), '\n');
    EXPECT_TRUE(Json::parse(answer).at("error").get<std::string>().starts_with(
        "16 connections are open already"))
        << answer;
    others.clear();
    EXPECT_TRUE(wait_for([&] {
        try {
            return ask({{"command", "status"}}).at("ok").get<bool>();
        } catch (const std::exception&) {
            return false;  // Not all of them are gone yet.
        }
    }));
}

}  // namespace
}  // namespace portcullis::control
