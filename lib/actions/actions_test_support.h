#pragma once

// What tests of the whole sink stand on: a configuration in a directory of its own, verdicts,
// and a list of the Orders that were given.

#include <atomic>
#include <filesystem>
#include <fstream>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <stdlib.h>

#include "actions/actions.h"
#include "records/id.h"
#include "verdicts/entry.h"

namespace portcullis::actions::testing {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using policy::Action;
using verdicts::Order;
using verdicts::Result;
using verdicts::Target;
using verdicts::VerdictId;
using verdicts::VerdictRecord;

inline constexpr std::string_view checks[] = {"movement.speed", "combat.reach"};

inline Nanos now() { return std::chrono::system_clock::now().time_since_epoch(); }

class GivenOrders final : public control::Orders {
public:
    bool give(const Order& order) noexcept override {
        const std::lock_guard lock(mutex_);
        if (full) return false;
        given_.push_back(order);
        return true;
    }
    std::vector<Order> given() const {
        const std::lock_guard lock(mutex_);
        return given_;
    }
    std::atomic<bool> full{false};

private:
    mutable std::mutex mutex_;
    std::vector<Order> given_;
};

/// A directory with secrets and a configuration that points into it.
class Place {
public:
    Place() {
        std::string path = (fs::temp_directory_path() / "portcullis-actions-XXXXXX").string();
        if (mkdtemp(path.data()) == nullptr) throw std::runtime_error("mkdtemp");
        path_ = path;
        config.verdict_log.path = path_ / "log";
        config.verdict_log.flush_ms = 2;
        config::Service service;
        service.name = "survival";
        config.services = {service};
        config::Policy policy;
        policy.name = "default";
        policy.kick_message = "Unfair play ({check}).";
        config.policies = {policy};
    }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    ~Place() { fs::remove_all(path_); }

    std::string secret(const std::string& name, const std::string& text) const {
        std::ofstream(path_ / name) << text << '\n';
        return path_ / name;
    }
    void use_rcon(uint16_t port) {
        config::Rcon rcon;
        rcon.service = "survival";
        rcon.endpoint = {IpAddress::v4(0x7f000001), port};
        rcon.password_file = secret("password", "open sesame");
        config.rcon = {rcon};
    }
    void use_webhook(const std::string& url) {
        config::Webhook hook;
        hook.url_file = secret("url", url);
        config.webhooks = {hook};
    }
    std::string log() const { return path_ / "log"; }

    config::Config config;

private:
    fs::path path_;
};

inline VerdictRecord verdict_of(std::string_view player, Action action, uint32_t number) {
    VerdictRecord record;
    record.player.name.assign(player);
    record.action = action;
    record.acts = true;
    record.in_game = true;
    record.confidence = 1;
    record.time = now();
    const VerdictId id = verdicts::IdSource(1, number).next(record.time);
    record.id_high = id.high;
    record.id_low = id.low;
    record.client = *parse_endpoint("198.51.100.7:50122");
    record.server = *parse_endpoint("10.0.0.2:25565");
    return record;
}

/// A Worker's word on how a verdict ended on the wire.
inline VerdictRecord end_of(const VerdictRecord& verdict, Result result,
                            std::string_view how = "") {
    VerdictRecord end;
    end.kind = VerdictRecord::Kind::outcome;
    end.id_high = verdict.id_high;
    end.id_low = verdict.id_low;
    end.result = result;
    end.note.assign(how);
    return end;
}

inline void tell(Actions& actions, const VerdictRecord& record) {
    actions.take(std::span(&record, 1));
}

inline uint64_t count(const Actions& actions, const std::string& part, const std::string& outcome) {
    for (const control::Outcome& one : actions.status().outcomes) {
        if (one.part == part && one.outcome == outcome) return one.count;
    }
    return 0;
}

inline control::Condition condition(const Actions& actions, const std::string& part) {
    for (const control::Condition& one : actions.status().conditions) {
        if (one.part == part) return one;
    }
    return {"missing", false, "missing"};
}

inline bool eventually(const std::function<bool()>& done) {
    for (int i = 0; i < 2000; ++i) {
        if (done()) return true;
        std::this_thread::sleep_for(5ms);
    }
    return false;
}

}  // namespace portcullis::actions::testing
