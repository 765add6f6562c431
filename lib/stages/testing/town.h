#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "stages/detect/detect.h"
#include "stages/testing/game.h"

/// For tests of where connections come from.
namespace portcullis::stages::testing {

using policy::Action;

/// With what the client wants next: 1 status, 2 login.
inline std::string handshake(uint32_t next, uint32_t version = 47) {
    return packet(0x00, [=](Writer& w) {
        w.varint(version);
        text(w, "play.example.org");
        w.u16(25565);
        w.varint(next);
    });
}
inline std::string status_request() {
    return packet(0x00, [](Writer&) {});
}

/// A server, whoever connects to it, and a Worker's stages between them.
class Town : public TestWorker {
public:
    explicit Town(config::Config c = configuration(), uint32_t keys_max = 0)
        : TestWorker(std::move(c), {keys_max, false, false}) {}

    static config::Config configuration() {
        config::Config config = testing::configuration();
        config.limits.flows = 20'000;
        config.limits.players = 2'000;
        config.limits.sources = 8'192;
        config.limits.half_open = 8'192;
        return config;
    }
    /// With a last rung that keeps sources out.
    static config::Config blocking() {
        config::Config config = configuration();
        config.policies[0].ladder.push_back({20, Action::block});
        return config;
    }

    /// A new connection of this address; false when its SYN or all of it was refused.
    bool connects(const IpAddress& address) {
        at_ = {address, static_cast<uint16_t>(1024 + connections_++ % 60'000)};
        isn_ = 0;
        return opens();
    }
    /// The same client again, from the same port.
    bool reconnects() {
        isn_ += 1'000'000;
        return opens();
    }
    bool says(const std::string& bytes) {
        const bool passed = pass(true, tcp::psh | tcp::ack, bytes);
        to_server_ += static_cast<uint32_t>(bytes.size());
        return passed;
    }
    void server_says(const std::string& bytes) {
        pass(false, tcp::psh | tcp::ack, bytes);
        to_client_ += static_cast<uint32_t>(bytes.size());
    }
    /// True when all of it went on to the server.
    bool pings(const IpAddress& address) {
        return connects(address) && says(handshake(1)) && says(status_request()) && alive() &&
               closes();
    }
    bool logs_in(const IpAddress& address, const std::string& name) {
        if (!connects(address) || !says(handshake(2) + login_start(name)) || !alive()) return false;
        server_says(login_success(name));
        return true;
    }
    bool sends_a_syn(const IpAddress& address) {
        at_ = {address, static_cast<uint16_t>(1024 + connections_++ % 60'000)};
        to_server_ = to_client_ = isn_ = 0;
        return pass(true, tcp::syn, "");
    }
    bool closes() {
        pass(true, tcp::fin | tcp::ack, "");
        to_server_ += 1;
        pass(false, tcp::fin | tcp::ack, "");
        return true;
    }
    void resets() { pass(true, tcp::rst, ""); }
    void server_resets() { pass(false, tcp::rst | tcp::ack, ""); }
    /// Goes on with an earlier connection, as far as that was when it was the one at hand.
    struct Talk {
        Endpoint client;
        uint32_t isn, to_server, to_client;
    };
    Talk talk() const { return {at_, isn_, to_server_, to_client_}; }
    void go_on(const Talk& talk) {
        at_ = talk.client;
        isn_ = talk.isn;
        to_server_ = talk.to_server;
        to_client_ = talk.to_client;
    }
    const Endpoint& client() const { return at_; }
    const Endpoint& server() const { return server_; }
    Flow* flow() { return TestWorker::flow(at_, server_, ip_protocol_tcp); }
    /// The connection at hand has not been ended.
    bool alive() { return flow() != nullptr && flow()->state != FlowState::dead; }
    /// Somebody reads it.
    bool is_read() { return flow() != nullptr && flow()->session != Flow::none; }
    /// Whoever joined on the connection at hand.
    const Player& player() { return context.detect->watched(*flow()).player; }
    void wait(Nanos span, Nanos step = 1ms) {
        for (const Nanos until = now + span; now < until; now += step) keep_house(now);
    }

    std::vector<VerdictRecord> verdicts() {
        std::vector<VerdictRecord> all = told();
        std::erase_if(all, [](const auto& r) { return r.kind != VerdictRecord::Kind::verdict; });
        return all;
    }
    /// Of this check; the gravest action among them.
    std::optional<Action> gravest(std::string_view check) {
        std::optional<Action> action;
        for (const VerdictRecord& record : verdicts()) {
            if (checks::check_names[record.check] != check) continue;
            last = record;
            action = std::max(action.value_or(Action::log), record.action);
        }
        return action;
    }
    size_t drops = 0;
    VerdictRecord last;
    Nanos now = 1'795'000'000s;

private:
    bool opens() {
        to_server_ = to_client_ = 0;
        if (!pass(true, tcp::syn, "")) return false;
        to_server_ += 1;
        pass(false, tcp::syn | tcp::ack, "");
        to_client_ += 1;
        return pass(true, tcp::ack, "") && alive();
    }
    bool pass(bool up, uint8_t flags, const std::string& bytes) {
        const uint32_t of_client = isn_ + 100 + to_server_, of_server = isn_ + 900 + to_client_;
        const Seq seq(up ? of_client : of_server);
        const Seq ack((flags & tcp::ack) == 0 ? 0 : up ? of_server : of_client);
        const auto frame = PacketBuilder{}
                               .from(up ? at_ : server_)
                               .to(up ? server_ : at_)
                               .tcp(seq, ack, flags)
                               .payload(as_bytes(bytes));
        bool passed = false;
        put(frame, up ? Side::outside : Side::inside, now, [&](const Packet& packet) {
            passed = packet.alive();
            drops += packet.drop == DropReason::rate_limit ? 1 : 0;
        });
        return passed;
    }

    const Endpoint server_ = config().services[0].endpoint;
    Endpoint at_;
    uint32_t connections_ = 0;
    uint32_t isn_ = 0, to_server_ = 0, to_client_ = 0;
};

inline const IpAddress campus = *parse_address("198.51.100.7");

}  // namespace portcullis::stages::testing
