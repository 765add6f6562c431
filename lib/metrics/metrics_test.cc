// Goal: what is scraped is what was counted, named as documented, whole at any
// moment; and whoever asks badly is answered and let go.
// Method: a fake packet side with known counts, its text read back as Prometheus
// would; Workers that count while we read; a real HTTP client on loopback; the
// files in deploy/ against the rows.

#include <asio.hpp>
#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <sstream>
#include <thread>

#include <gtest/gtest.h>

#include "base/setup_error.h"
#include "metrics/http_server.h"
#include "metrics/wire_metrics.h"
#include "pipeline/testing/fake_wire_side.h"
#include "pipeline/wire_totals.h"

namespace portcullis::metrics {
namespace {

using pipeline::FakeWireSide;

const std::vector<config::Wire> wires = {{"edge", {}, {}}};
const std::vector<std::string_view> checks = {"combat.reach", "movement.speed"};

std::vector<config::Service> services() {
    config::Service survival;
    survival.name = "survival";
    return {survival};
}

/// Series → value; a line that is no comment and no sample fails the test.
std::map<std::string, double> samples(const std::string& text) {
    std::map<std::string, double> values;
    static const std::regex sample(R"(([a-z_]+(?:\{[^}]*\})?) ([-+0-9.eE]+))");
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) {
        if (line.starts_with("# HELP ") || line.starts_with("# TYPE ")) continue;
        std::smatch match;
        EXPECT_TRUE(std::regex_match(line, match, sample)) << line;
        if (!match.empty()) {
            EXPECT_TRUE(values.emplace(match[1], std::stod(match[2])).second) << line;
        }
    }
    return values;
}

std::string scrape(const pipeline::WireSide& wire_side) {
    const auto all = services();
    Exposition out;
    add_wire_side(wire_side, {wires, all, checks}, out);
    return out.text();
}

TEST(Metrics, SaysWhatWasCounted) {
    FakeWireSide fake(2);
    stages::Counters& first = fake.counting(0);
    first.wire[0].side[0].rx_packets.add(10);
    first.wire[0].side[0].rx_bytes.add(640);
    first.wire[0].side[1].tx_packets.add(7);
    first.wire[0].drops[static_cast<size_t>(DropReason::conflicting_overlap)].add(2);
    first.wire[0].injected.add(1);
    first.wire[0].in_flight.set(2);
    first.service[0].logins.add(3);
    fake.counting(1).service[0].logins.add(4);
    first.findings[1].add(5);
    first.actions[static_cast<size_t>(policy::Action::kick)].add(1);
    first.stage_cycles[1].add(2'000'000'000);
    // The shortest place, one in between, and what is longer than any bound.
    first.stage_times[1].add(127);
    fake.counting(1).stage_times[1].add(128, 3);
    first.latencies.add(1'000, 5);
    first.latencies.add(3'600'000'000'000);
    first.latency_ns.add(5'000);
    fake.link(1, false);

    const auto values = samples(scrape(fake));
    const std::map<std::string, double> expected = {
        {R"(portcullis_received_packets_total{wire="edge",port="outside",worker="0"})", 10},
        {R"(portcullis_received_packets_total{wire="edge",port="outside",worker="1"})", 0},
        {R"(portcullis_received_bytes_total{wire="edge",port="outside",worker="0"})", 640},
        {R"(portcullis_transmitted_packets_total{wire="edge",port="inside",worker="0"})", 7},
        {R"(portcullis_dropped_packets_total{wire="edge",worker="0",reason="conflicting_overlap"})",
         2},
        {R"(portcullis_injected_packets_total{wire="edge",worker="0"})", 1},
        {R"(portcullis_in_flight_packets{wire="edge"})", 2},
        {R"(portcullis_queued_packets{wire="edge"})", 2},
        {R"(portcullis_port_up{wire="edge",port="outside"})", 1},
        {R"(portcullis_port_up{wire="edge",port="inside"})", 0},
        {R"(portcullis_logins_total{service="survival",protocol="minecraft"})", 7},
        {R"(portcullis_findings_total{check="movement.speed"})", 5},
        {R"(portcullis_actions_total{action="kick"})", 1},
        {R"(portcullis_stage_seconds_total{stage="track"})", 2},
        {R"(portcullis_stage_burst_seconds_bucket{stage="track",le="1.28e-07"})", 1},
        {R"(portcullis_stage_burst_seconds_bucket{stage="track",le="2.56e-07"})", 4},
        {R"(portcullis_stage_burst_seconds_count{stage="track"})", 4},
        {R"(portcullis_stage_burst_seconds_sum{stage="track"})", 2},
        {R"(portcullis_latency_seconds_bucket{worker="0",le="5.12e-07"})", 0},
        {R"(portcullis_latency_seconds_bucket{worker="0",le="1.024e-06"})", 5},
        {R"(portcullis_latency_seconds_bucket{worker="0",le="0.033554432"})", 5},
        {R"(portcullis_latency_seconds_bucket{worker="0",le="+Inf"})", 6},
        {R"(portcullis_latency_seconds_count{worker="0"})", 6},
        {R"(portcullis_latency_seconds_sum{worker="0"})", 5e-06},
        {R"(portcullis_latency_seconds_count{worker="1"})", 0},
        {R"(portcullis_ring_entries{ring="records",worker="1"})", 3},
        {R"(portcullis_ring_entries_max{ring="records",worker="1"})", 8192},
        {R"(portcullis_packet_buffers_used)", 100},
        {R"(portcullis_port_present{wire="edge",port="inside"})", 1},
    };
    for (const auto& [series, value] : expected) {
        ASSERT_TRUE(values.contains(series)) << series;
        EXPECT_EQ(values.at(series), value) << series;
    }
    EXPECT_FALSE(values.contains(
        R"(portcullis_dropped_packets_total{wire="edge",worker="0",reason="none"})"));
}

TEST(Metrics, NoPacketIsMissingWhileWorkersCount) {
    // One Worker receives, the other sends what was handed over, as fast as they
    // can: whenever we look, what has left never exceeds what has come.
    FakeWireSide fake(2);
    std::atomic<bool> done = false;
    std::atomic<uint64_t> handed = 0;
    std::thread receiver([&] {
        while (!done) {
            fake.counting(0).wire[0].side[0].rx_packets.add();
            handed.fetch_add(1, std::memory_order_release);
        }
    });
    std::thread sender([&] {
        for (uint64_t sent = 0; !done;) {
            if (handed.load(std::memory_order_acquire) == sent) continue;
            ++sent;
            fake.counting(1).wire[0].side[1].tx_packets.add();
        }
    });
    while (pipeline::wire_totals(fake, 0).transmitted < 1'000) std::this_thread::yield();
    for (int i = 0; i < 200'000; ++i) EXPECT_GE(pipeline::wire_totals(fake, 0).in_flight(), 0);
    done = true;
    receiver.join();
    sender.join();
}

class Http : public testing::Test {
protected:
    void SetUp() override {
        thread_ = std::thread([this] { loop_.run(); });
    }
    void TearDown() override {
        asio::post(loop_, [this] {
            server_.stop();
            work_.reset();
        });
        thread_.join();
    }
    std::string ask(const std::string& request) {
        asio::io_context loop;
        asio::ip::tcp::socket socket(loop);
        socket.connect({asio::ip::address_v4::loopback(), server_.port()});
        std::error_code error;
        asio::write(socket, asio::buffer(request), error);
        std::string reply;
        asio::read(socket, asio::dynamic_buffer(reply), error);
        return reply;
    }

    asio::io_context loop_;
    asio::executor_work_guard<asio::io_context::executor_type> work_{loop_.get_executor()};
    HttpServer server_{loop_, *parse_endpoint("127.0.0.1:0"), [](std::string_view path) {
                           if (path == "/metrics") return HttpReply{200, "text/plain", "good\n"};
                           return HttpReply{404, "text/plain", "no\n"};
                       }};
    std::thread thread_;
};

TEST_F(Http, AnswersWhoAsksWellAndBadly) {
    const struct {
        std::string request, status, body;
    } cases[] = {
        {"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", "200 OK", "good\n"},
        {"GET /metrics?name=x HTTP/1.0\r\n\r\n", "200 OK", "good\n"},
        {"HEAD /metrics HTTP/1.1\r\n\r\n", "200 OK", ""},
        {"GET /other HTTP/1.1\r\n\r\n", "404 Not Found", "no\n"},
        {"POST /metrics HTTP/1.1\r\n\r\n", "405 Method Not Allowed", "GET or HEAD\n"},
        {"\r\n\r\n", "400 Bad Request", "not HTTP/1\n"},
        {"GET\r\n\r\n", "400 Bad Request", "not HTTP/1\n"},
        {"GET /" + std::string(9'000, 'a'), "431 Request Header Fields Too Large", "too long\n"},
    };
    for (const auto& c : cases) {
        const std::string reply = ask(c.request);
        EXPECT_TRUE(reply.starts_with("HTTP/1.1 " + c.status + "\r\n"))
            << c.request.substr(0, 40) << " → " << reply;
        const size_t end = reply.find("\r\n\r\n");
        ASSERT_NE(end, std::string::npos) << reply;
        EXPECT_EQ(reply.substr(end + 4), c.body);
    }
}

TEST_F(Http, SilentClientsTakeNoPlaceFromOthersForLong) {
    // More silent clients than there are places: those over it are closed at once.
    asio::io_context loop;
    std::vector<asio::ip::tcp::socket> silent;
    for (size_t i = 0; i < HttpServer::connections_max + 4; ++i) {
        silent.emplace_back(loop).connect({asio::ip::address_v4::loopback(), server_.port()});
    }
    char byte;
    std::error_code error;
    silent.back().read_some(asio::buffer(&byte, 1), error);
    EXPECT_EQ(error, asio::error::eof);
    silent.clear();  // And leaving frees the places.
    std::string reply;
    for (int tries = 0; tries < 100 && reply.empty(); ++tries) {
        reply = ask("GET /metrics HTTP/1.1\r\n\r\n");
        if (reply.empty()) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    EXPECT_TRUE(reply.ends_with("good\n")) << reply;
}

TEST_F(Http, AnOccupiedAddressIsOneSentence) {
    asio::io_context loop;
    const Endpoint taken{IpAddress::v4(0x7f000001), server_.port()};
    try {
        const HttpServer second(loop, taken, {});
        FAIL() << "listens where another does";
    } catch (const SetupError& error) {
        EXPECT_EQ(std::string(error.what()),
                  "metrics.listen: can not listen on " + to_string(taken) +
                      ": Address already in use; end what listens there, or configure another "
                      "address");
    }
}

std::filesystem::path root() {
    const char* source = std::getenv("PORTCULLIS_SOURCE_ROOT");
    return source == nullptr ? "." : source;
}

std::string read(const std::filesystem::path& file) {
    std::ifstream in(root() / file);
    EXPECT_TRUE(in) << file;
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

TEST(MetricsDocumentation, IsWhatTheRowsSay) {
    EXPECT_TRUE(read("docs/METRICS.md") == documentation())
        << "docs/METRICS.md is stale: run `ninja -C build metrics-docs`";
}

TEST(MetricsDeploy, DashboardsAndAlertsAskForMetricsAndLabelsThatExist) {
    std::map<std::string, std::set<std::string>> known;
    for (size_t i = 0; i < static_cast<size_t>(Metric::count); ++i) {
        const MetricRow& row = row_of(static_cast<Metric>(i));
        std::set<std::string> labels;
        std::istringstream in{std::string(row.labels)};
        for (std::string label; std::getline(in, label, ',');) labels.insert(label);
        known.emplace(row.name, labels);
        if (row.kind != Kind::histogram) continue;
        known.erase(std::string(row.name));
        for (const char* part : {"_bucket", "_sum", "_count"}) {
            known.emplace(std::string(row.name) + part, labels);
        }
    }
    std::vector<std::string> queries = {read("deploy/prometheus/alerts.yaml")};
    const auto dashboard = nlohmann::json::parse(read("deploy/grafana/portcullis.json"));
    for (const auto& panel : dashboard.at("panels")) {
        for (const auto& target : panel.value("targets", nlohmann::json::array())) {
            queries.push_back(target.at("expr"));
        }
    }
    EXPECT_GT(queries.size(), 10u);
    static const std::regex metric(R"(portcullis_[a-z_]+(\{([a-z]+))?)");
    size_t seen = 0;
    for (const std::string& query : queries) {
        for (std::sregex_iterator at(query.begin(), query.end(), metric), end; at != end; ++at) {
            const std::string whole = (*at)[0];
            const std::string name = whole.substr(0, whole.find('{'));
            ++seen;
            ASSERT_TRUE(known.contains(name)) << name << " in " << query;
            const std::string label = (*at)[2];
            EXPECT_TRUE(label.empty() || known.at(name).contains(label)) << whole;
        }
    }
    EXPECT_GT(seen, 20u);
}

}  // namespace
}  // namespace portcullis::metrics
