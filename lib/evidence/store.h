#pragma once

#include <chrono>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "evidence/file.h"
#include "records/id.h"
#include "records/opening.h"
#include "records/record_sink.h"
#include "stages/evidence/recorder.h"
#include "verdicts/json.h"

namespace portcullis::evidence {

/// Where the evidence of a verdict is, whether it is there or not.
std::string path_of(const std::string& directory, const verdicts::VerdictId& id);

/// Writes one Capture there at once, under the names of all its verdicts; for tools.
/// Throws SetupError.
void keep(const std::string& directory, stages::Capture& capture, const verdicts::Names& names,
          const Said& said);

/// Takes from the Workers what proves verdicts and keeps it as files, one name for
/// each verdict; verdicts of one Capture share a file.
///
/// A file is given its names only after the log has written the verdicts, so what
/// is found here after a crash belongs to a verdict that is known; a verdict may
/// be without evidence, and says so.  Names sort by time: the oldest give way when
/// they are older than `retention` or all are larger than `bytes_max`.
class Store final : public control::RecordSink {
public:
    struct Settings {
        std::string directory;
        policy::Action from = policy::Action::alert;
        std::chrono::hours retention{30 * 24};
        uint64_t bytes_max = 1024ull << 20;
        std::chrono::milliseconds look_every{20};
        /// A verdict that the log has not written by then, and does not hold any more, never
        /// will be.
        std::chrono::milliseconds patience{10'000};
        std::chrono::seconds trim_every{60};
        /// In an hour what as many hours wrote may be forgotten: what a clock far ahead can do
        /// until somebody sets it.
        uint32_t forgets_faster = 24;
        std::string signatures;  ///< In force: what stands in the operator's file.
        std::string shadowland;  ///< As `Said` has it.
    };
    /// Files of signatures remembered for what is yet to be written; the oldest gives way.
    static constexpr size_t signatures_max = 64;
    static Settings settings(const config::Config& from);

    /// Throws SetupError: the directory cannot be made or written.  Does not wait longer than
    /// Opening::patience for its disk.  `check_names` and the recorders outlive this object,
    /// which is their only taker.
    Store(Settings settings, std::span<const std::string_view> check_names,
          std::vector<std::string> service_names, std::vector<stages::EvidenceRecorder*> recorders);
    /// The same, but begins only.
    Store(Opening::Later, Settings settings, std::span<const std::string_view> check_names,
          std::vector<std::string> service_names, std::vector<stages::EvidenceRecorder*> recorders);
    ~Store() override;
    Store(const Store&) = delete;
    Store& operator=(const Store&) = delete;

    /// Waits until it is open, no longer than until then.  Throws as the constructor does.
    void await_open(Opening::Clock::time_point until);

    /// The log has written these; any thread.
    void committed(std::span<const verdicts::VerdictRecord> records);
    /// How old the oldest is that the log has still to write, whenever that changed; any thread.
    void log_lags(std::chrono::milliseconds lag) noexcept;

    std::string_view name() const noexcept override { return "evidence"; }
    void take(std::span<const verdicts::VerdictRecord>) noexcept override {}
    std::vector<std::string> reloaded(const config::Config& config) noexcept override;
    control::SinkStatus status() const override;
    void finish(std::chrono::milliseconds limit) noexcept override;

private:
    class Parts;
    std::unique_ptr<Parts> parts_;
};

}  // namespace portcullis::evidence
