#pragma once

#include <array>
#include <cstdint>
#include <cstdio>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "stages/counters.h"
#include "stages/packet_observer.h"
#include "verdicts/json.h"

namespace portcullis::app {

enum class Format : uint8_t { text, jsonl };

/// What `inspect` prints: records as they come, and one summary at the end; for
/// people as a table, for programs one JSON object a line.
class InspectReport final : public stages::PacketObserver {
public:
    /// `packets`: names of game packets to print; one empty name means all, none
    /// means none.
    InspectReport(const config::Config& config, Format format, std::vector<std::string> packets);

    void on_record(const verdicts::VerdictRecord& record);
    void on_packet(const Flow& flow, const minecraft::Frame& frame, Nanos now) noexcept override;
    void on_message(const Flow& flow, const stages::ToldMessage& message,
                    Nanos now) noexcept override;
    const verdicts::Names& names() const noexcept { return names_; }
    bool wants_packets() const noexcept { return !packets_.empty(); }
    uint64_t verdicts() const noexcept { return verdicts_; }

    /// Adds up one capture's counts.  `frames_cut`: those it holds a part of only.
    void add(const stages::Counters& counters, uint64_t frames_cut);
    void summary(double elapsed_s);

private:
    void print_line();
    bool wants(std::string_view name) const;
    void summary_json(double elapsed_s);
    void summary_text(double elapsed_s);
    /// What was not believed, why, and what to do: a sentence each.
    std::vector<std::string> hints() const;
    void text_of(const Flow& flow, const minecraft::Frame& frame, Nanos now);
    void json_of(const Flow& flow, const minecraft::Frame& frame, Nanos now);

    const Format format_;
    std::vector<std::string> packets_;
    std::vector<std::string> service_storage_;
    std::vector<std::string_view> services_;
    verdicts::Names names_;
    std::string line_;

    uint64_t verdicts_ = 0, packet_count_ = 0, bytes_ = 0, flows_ = 0, players_ = 0;
    uint64_t frames_cut_ = 0;
    std::map<std::string, uint64_t, std::less<>> by_check_, drops_, notices_;
};

}  // namespace portcullis::app
