#pragma once

// A real Control on real sockets over a fake packet side, and a sink that keeps what it
// hears: what tests of Control stand on.

#include <asio.hpp>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/setup_error.h"
#include "control/admin_server.h"
#include "control/control.h"
#include "control/flow_inquiry.h"
#include "pipeline/testing/fake_wire_side.h"

namespace portcullis::control::testing {

using Json = nlohmann::json;
using verdicts::VerdictRecord;
using namespace std::chrono;

constexpr milliseconds finish_limit{1'000};

/// That a Worker has told all.
inline stages::FlowReport last_report(uint16_t worker) {
    stages::FlowReport r;
    r.worker = worker;
    r.last = true;
    return r;
}

/// What a recorder heard; outlives it, since Control owns the sinks.
struct Heard {
    std::mutex mutex;
    std::vector<VerdictRecord> records;
    std::vector<verdicts::Order> orders;
    SinkStatus status;
    std::vector<std::string> warnings;  ///< Of a reload.
    std::atomic<int> finished = 0;
    std::atomic<bool> late = false;
    std::atomic<uint64_t> kept = UINT64_MAX;  ///< Orders that would outlive a restart.
    std::atomic<int> reloads = 0;
    std::atomic<uint32_t> block_s = 0;     ///< Of the first policy, as last told.
    std::atomic<uint64_t> signatures = 0;  ///< `config::signatures_id` of what was last told.

    size_t count() {
        const std::lock_guard lock(mutex);
        return records.size();
    }
};

class Recorder final : public RecordSink {
public:
    explicit Recorder(Heard& heard) : heard_(heard) {}
    std::string_view name() const noexcept override { return "recorder"; }
    void take(std::span<const VerdictRecord> records) noexcept override {
        if (heard_.finished > 0) heard_.late = true;
        const std::lock_guard lock(heard_.mutex);
        heard_.records.insert(heard_.records.end(), records.begin(), records.end());
    }
    void ordered(const verdicts::Order& order) noexcept override {
        const std::lock_guard lock(heard_.mutex);
        heard_.orders.push_back(order);
    }
    std::vector<std::string> reloaded(const config::Config& config) noexcept override {
        ++heard_.reloads;
        heard_.block_s = config.policies.front().block_s;
        heard_.signatures = config::signatures_id(config.signatures_text);
        const std::lock_guard lock(heard_.mutex);
        return heard_.warnings;
    }
    uint64_t orders_kept() noexcept override { return heard_.kept; }
    std::string objection(const verdicts::Order& order) const override {
        return to_string(order.prefix) == "203.0.113.9/32" ? "no room for him" : "";
    }
    SinkStatus status() const override {
        const std::lock_guard lock(heard_.mutex);
        return heard_.status;
    }
    void finish(milliseconds) noexcept override { ++heard_.finished; }

private:
    Heard& heard_;
};

inline VerdictRecord record(VerdictRecord::Kind kind, std::string_view name, uint16_t port) {
    VerdictRecord r;
    r.kind = kind;
    r.player.name.assign(name);
    r.player.version = 765;
    r.client = {IpAddress::v4(0xc6336407), port};
    r.server = *parse_endpoint("10.0.0.2:25565");
    r.time = 1'700'000'000s;
    r.confidence = 0.5;
    r.in_game = true;
    return r;
}

inline bool wait_for(const std::function<bool()>& met) {
    const auto deadline = steady_clock::now() + 10s;
    while (!met()) {
        if (steady_clock::now() > deadline) return false;
        std::this_thread::sleep_for(1ms);
    }
    return true;
}

inline uint16_t free_port() {
    asio::io_context loop;
    const asio::ip::tcp::acceptor acceptor(loop, {asio::ip::address_v4::loopback(), 0});
    return acceptor.local_endpoint().port();
}

class ControlTest : public ::testing::Test {
protected:
    ControlTest() {
        char pattern[] = "/tmp/portcullis-control-XXXXXX";
        folder_ = mkdtemp(pattern);
        socket_ = folder_ / "admin.sock";
        port_ = free_port();
    }
    ~ControlTest() override {
        control_.reset();
        std::filesystem::remove_all(folder_);
    }

    std::string file() const { return folder_ / "portcullis.yaml"; }
    void write(const std::string& more, const std::string& logging = "level: error") const {
        std::ofstream(file()) << "wires:\n"
                                 "  - name: edge\n"
                                 "    outside: { device: net_null0, driver: test }\n"
                                 "    inside: { device: net_null1, driver: test }\n"
                                 "services:\n"
                                 "  - { name: survival, protocol: minecraft, address: 10.0.0.2, "
                                 "port: 25565 }\n"
                                 "logging: { "
                              << logging << " }\n"
                              << "admin: { socket: " << socket_.string() << " }\n"
                              << "metrics: { listen: '127.0.0.1:" << port_ << "' }\n"
                              << more;
    }

    void start(const std::string& more = "", milliseconds stall = 60s, bool signals = false) {
        write(more);
        Control::Settings settings;
        settings.heed_signals = signals;
        settings.drain = 1ms;
        settings.finish = finish_limit;
        settings.stall = stall;
        settings.compile = compile_;
        control_ = std::make_unique<Control>(config::load(file()), wire_, settings);
        control_->add(std::make_unique<Recorder>(heard_));
        control_->start();
    }

    Json ask(const Json& request) { return ask_line(request.dump()); }
    Json ask_line(const std::string& line) {
        asio::io_context loop;
        asio::local::stream_protocol::socket socket(loop);
        socket.connect(socket_.string());
        asio::write(socket, asio::buffer(line + '\n'));
        std::string answer;
        asio::read_until(socket, asio::dynamic_buffer(answer), '\n');
        return Json::parse(answer);
    }
    Json result(const Json& request) {
        const Json answer = ask(request);
        EXPECT_TRUE(answer.at("ok").get<bool>()) << answer;
        return answer.value("result", Json());
    }
    std::string error(const Json& request) { return ask(request).value("error", "none"); }

    std::pair<int, std::string> get(const std::string& path) {
        asio::io_context loop;
        asio::ip::tcp::socket socket(loop);
        socket.connect({asio::ip::address_v4::loopback(), port_});
        asio::write(socket, asio::buffer("GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n"));
        std::string reply;
        std::error_code ended;
        asio::read(socket, asio::dynamic_buffer(reply), ended);
        const size_t body = reply.find("\r\n\r\n");
        return {std::stoi(reply.substr(9, 3)), reply.substr(body + 4)};
    }

    std::filesystem::path folder_, socket_;
    uint16_t port_ = 0;
    pipeline::FakeWireSide wire_{2};
    Heard heard_;
    Control::Compile compile_;  ///< Given to Control when set before `start`.
    std::unique_ptr<Control> control_;
};

}  // namespace portcullis::control::testing
