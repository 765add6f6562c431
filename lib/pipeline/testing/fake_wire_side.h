#pragma once

#include <atomic>
#include <chrono>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "pipeline/wire_side.h"
#include "policy/rule_set.h"

namespace portcullis::pipeline {

/// A packet side without packets, for tests of the slow side: what Workers
/// would count and tell is put in by hand, and what they are told can be read.
class FakeWireSide : public WireSide {
public:
    explicit FakeWireSide(uint16_t workers)
        : counters_(std::make_unique<stages::Counters[]>(workers)), workers_(workers) {
        for (const Side side : {Side::outside, Side::inside}) {
            ports_.push_back({.wire = "edge", .side = side, .device = "net_null0", .up = true});
        }
    }

    stages::Counters& counting(uint16_t worker) { return counters_[worker]; }
    void tell(const verdicts::VerdictRecord& record) {
        const std::lock_guard lock(mutex_);
        records_.push_back(record);
    }
    void link(size_t port, bool up) {
        const std::lock_guard lock(mutex_);
        ports_[port].up = up;
    }
    /// Full rings take no order.
    void rings_full(bool full) {
        const std::lock_guard lock(mutex_);
        full_ = full;
    }
    std::vector<verdicts::Order> orders() const {
        const std::lock_guard lock(mutex_);
        return orders_;
    }
    int published() const {
        const std::lock_guard lock(mutex_);
        return published_;
    }

    uint16_t workers() const override { return workers_; }
    const stages::Counters& counters(uint16_t worker) const override { return counters_[worker]; }
    std::vector<PortStatus> ports() const override {
        const std::lock_guard lock(mutex_);
        return ports_;
    }
    const std::vector<std::string>& stages() const override { return stages_; }
    size_t take_records(std::span<verdicts::VerdictRecord> out) override {
        const std::lock_guard lock(mutex_);
        size_t taken = 0;
        for (; taken < out.size() && !records_.empty(); ++taken) {
            out[taken] = records_.front();
            records_.pop_front();
        }
        return taken;
    }
    void tell(const verdicts::PlayerContext& context) {
        const std::lock_guard lock(mutex_);
        contexts_.push_back(context);
    }
    size_t take_contexts(std::span<verdicts::PlayerContext> out) override {
        const std::lock_guard lock(mutex_);
        size_t taken = 0;
        for (; taken < out.size() && !contexts_.empty(); ++taken) {
            out[taken] = contexts_.front();
            contexts_.pop_front();
        }
        return taken;
    }
    /// What Workers answer to a question about flows; told once it is asked.
    void will_report(std::vector<stages::FlowReport> reports) {
        const std::lock_guard lock(mutex_);
        reports_ = std::move(reports);
    }
    void pull(size_t port) {
        const std::lock_guard lock(mutex_);
        ports_[port].present = ports_[port].up = false;
    }
    void plug(size_t port) {
        const std::lock_guard lock(mutex_);
        plugged_ = port;
    }

    size_t take_reports(std::span<stages::FlowReport> out) override {
        const std::lock_guard lock(mutex_);
        size_t taken = 0;
        for (; taken < out.size() && !answers_.empty(); ++taken) {
            out[taken] = answers_.front();
            answers_.pop_front();
        }
        return taken;
    }
    std::vector<RingStatus> rings(uint16_t) const override { return {{"records", 3, 8'192}}; }
    BufferStatus buffers() const override { return {100, 8'192}; }
    /// A driver that does not come back from opening a port until it may.
    void hang_mending(bool hang) { hanging_ = hang; }
    int mendings_begun() const { return mendings_begun_; }
    int mendings_ended() const { return mendings_ended_; }
    std::vector<std::string> mend_ports() override {
        ++mendings_begun_;
        while (hanging_) std::this_thread::sleep_for(std::chrono::milliseconds(1));
        ++mendings_ended_;
        const std::lock_guard lock(mutex_);
        if (!plugged_) return {};
        PortStatus& port = ports_[*plugged_];
        plugged_.reset();
        port.present = port.up = true;
        ++port.reopened;
        return {"port " + port.device + " is back"};
    }
    void hold(size_t port, bool held) {
        const std::lock_guard lock(mutex_);
        ports_[port].held = held;
        ports_[port].up = !held;
        if (held) ++ports_[port].held_times;
    }
    std::vector<std::string> propagate_links() override {
        const std::lock_guard lock(mutex_);
        ++propagations_;
        return {};
    }
    int propagations() const {
        const std::lock_guard lock(mutex_);
        return propagations_;
    }
    void show(const verdicts::PacketRecord& packet) {
        const std::lock_guard lock(mutex_);
        packets_.push_back(packet);
    }
    size_t take_packets(std::span<verdicts::PacketRecord> out) override {
        const std::lock_guard lock(mutex_);
        size_t taken = 0;
        for (; taken < out.size() && !packets_.empty(); ++taken) {
            out[taken] = packets_.front();
            packets_.pop_front();
        }
        return taken;
    }
    std::vector<keys::Key> keys() const {
        const std::lock_guard lock(mutex_);
        return keys_;
    }
    bool give_key(const keys::Key& key) override {
        const std::lock_guard lock(mutex_);
        if (!full_) keys_.push_back(key);
        return !full_;
    }
    bool give(const verdicts::Order& order) override {
        const std::lock_guard lock(mutex_);
        if (full_) return false;
        orders_.push_back(order);
        if (order.kind == verdicts::Order::Kind::list_flows) answer(order.question);
        return true;
    }
    void publish(std::unique_ptr<const policy::RuleSet>) override {
        const std::lock_guard lock(mutex_);
        ++published_;
    }
    double tsc_hz() const override { return 1e9; }

private:
    void answer(uint32_t question) {
        for (stages::FlowReport report : reports_) {
            report.question = question;
            answers_.push_back(report);
        }
    }

    std::unique_ptr<stages::Counters[]> counters_;
    uint16_t workers_;
    mutable std::mutex mutex_;
    std::vector<PortStatus> ports_;
    std::vector<std::string> stages_ = {"parse", "track"};
    std::deque<verdicts::VerdictRecord> records_;
    std::deque<verdicts::PlayerContext> contexts_;
    std::deque<verdicts::PacketRecord> packets_;
    std::vector<verdicts::Order> orders_;
    std::vector<keys::Key> keys_;
    std::vector<stages::FlowReport> reports_;
    std::deque<stages::FlowReport> answers_;
    std::optional<size_t> plugged_;
    std::atomic<bool> hanging_ = false;
    std::atomic<int> mendings_begun_ = 0, mendings_ended_ = 0;
    bool full_ = false;
    int published_ = 0, propagations_ = 0;
};

}  // namespace portcullis::pipeline
