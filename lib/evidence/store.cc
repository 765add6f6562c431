#include "evidence/store.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <filesystem>
#include <map>
#include <mutex>
#include <set>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/concat.h"
#include "base/setup_error.h"
#include "base/wall_clock.h"
#include "evidence/file.h"
#include "records/disk_wait.h"

namespace portcullis::evidence {

namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
using Milliseconds = std::chrono::milliseconds;
using verdicts::VerdictId;

constexpr std::string_view ending = ".pcapng";
constexpr std::string_view unnamed = "unnamed-";
/// What the thread gets beyond the limit to say that it is done.
constexpr std::chrono::milliseconds grace{500};
constexpr size_t committed_max = 65'536;  ///< Ids remembered for files yet to come.

/// Empty, or why not.
std::string write_file(const std::string& path, std::string_view bytes) {
    const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
    if (file < 0) return strerror(errno);
    std::string why;
    while (!bytes.empty() && why.empty()) {
        const ssize_t size = ::write(file, bytes.data(), bytes.size());
        if (size < 0) why = strerror(errno);
        if (size > 0) bytes.remove_prefix(static_cast<size_t>(size));
    }
    if (why.empty() && ::fsync(file) != 0) why = strerror(errno);
    ::close(file);
    return why;
}

/// A file under its names.
struct Kept {
    uint64_t bytes = 0;
    std::vector<std::string> paths;
    Nanos at{};  ///< Of its newest name.
};

/// As far as the disk tells.
std::vector<fs::path> paths_in(const std::string& directory) {
    std::vector<fs::path> paths;
    std::error_code failed;
    fs::directory_iterator at(directory, failed);
    for (; !failed && at != fs::directory_iterator(); at.increment(failed)) {
        paths.push_back(at->path());
    }
    return paths;
}

/// All that is kept, the oldest first.
std::vector<Kept> all_in(const std::string& directory) {
    std::map<uint64_t, Kept> by_inode;
    for (const fs::path& path : paths_in(directory)) {
        const std::string file = path.filename();
        if (!file.ends_with(ending)) continue;
        const auto id = verdicts::parse_id(file.substr(0, file.size() - ending.size()));
        struct stat status{};
        if (!id || ::stat(path.c_str(), &status) != 0) continue;
        Kept& kept = by_inode[status.st_ino];
        kept.bytes = static_cast<uint64_t>(status.st_size);
        kept.at = std::max<Nanos>(kept.at, Milliseconds(id->milliseconds()));
        kept.paths.push_back(path);
    }
    std::vector<Kept> all;
    for (auto& [inode, kept] : by_inode) all.push_back(std::move(kept));
    std::ranges::sort(all, {}, &Kept::at);
    return all;
}

}  // namespace

std::string path_of(const std::string& directory, const VerdictId& id) {
    return concat(directory, "/", to_string(id), ending);
}

void keep(const std::string& directory, stages::Capture& capture, const verdicts::Names& names,
          const Said& said) {
    decipher(capture);
    std::error_code failed;
    fs::create_directories(directory, failed);
    const std::string file = concat(directory, "/", unnamed, std::to_string(::getpid()));
    const std::string why = write_file(file, written(capture, names, said));
    if (!why.empty()) throw SetupError(concat(file, ": can not be written: ", why));
    for (const auto& proven : capture.verdicts()) {
        const std::string path = path_of(directory, {proven.record.id_high, proven.record.id_low});
        ::unlink(path.c_str());
        if (::link(file.c_str(), path.c_str()) != 0) {
            throw SetupError(concat(path, ": can not be written: ", strerror(errno)));
        }
    }
    ::unlink(file.c_str());
}

Store::Settings Store::settings(const config::Config& from) {
    const config::Evidence& evidence = from.verdict_log.evidence;
    Settings settings;
    settings.directory = from.verdict_log.evidence_path();
    settings.from = evidence.from;
    settings.retention = std::chrono::hours(24) * evidence.retention_days;
    settings.bytes_max = uint64_t{evidence.disk_mib} << 20;
    settings.signatures = from.signatures_text;
    settings.shadowland = shadowland_section(from);
    return settings;
}

class Store::Parts {
public:
    Parts(Settings given, std::span<const std::string_view> check_names,
          std::vector<std::string> service_names, std::vector<stages::EvidenceRecorder*> recorders)
        : settings_(std::move(given)),
          service_names_(std::move(service_names)),
          service_views_(service_names_.begin(), service_names_.end()),
          names_{check_names, service_views_},
          recorders_(std::move(recorders)) {
        remember(settings_.signatures);
        thread_ = std::thread([this] { run(); });
    }

    void await_open(Clock::time_point until) {
        if (!opening_.await(until)) spdlog::error("{}", does_not_answer());
    }

    void committed(std::span<const verdicts::VerdictRecord> records) {
        const std::lock_guard lock(mutex_);
        for (const verdicts::VerdictRecord& record : records) {
            if (record.kind != verdicts::VerdictRecord::Kind::verdict || !record.acts ||
                record.action < settings_.from) {
                continue;
            }
            const VerdictId id{record.id_high, record.id_low};
            if (committed_.insert(id).second) committed_order_.push_back(id);
        }
        while (committed_order_.size() > committed_max) {
            committed_.erase(committed_order_.front());
            committed_order_.pop_front();
        }
    }

    /// What was in force before may still be needed.
    void remember(const std::string& signatures) {
        const std::lock_guard lock(mutex_);
        std::erase(signatures_, signatures);
        signatures_.push_back(signatures);
        if (signatures_.size() > signatures_max) signatures_.pop_front();
    }

    control::SinkStatus status() const {
        control::SinkStatus status;
        const std::string trouble = opening_.has_ended() ? trouble_now() : does_not_answer();
        status.lag_s = std::chrono::duration<double>(Milliseconds(oldest_waits_)).count();
        status.conditions.push_back({"evidence", trouble.empty(), trouble});
        status.outcomes.push_back({"evidence", "stored", stored_});
        status.outcomes.push_back({"evidence", "lost", lost_});
        status.outcomes.push_back({"evidence", "without_verdict", without_verdict_});
        status.outcomes.push_back({"evidence", "removed", removed_});
        status.waiting = waiting_count_;
        return status;
    }

    void finish(std::chrono::milliseconds limit) {
        std::unique_lock lock(mutex_);
        if (stopping_) return;
        stopping_ = true;
        stop_at_ = Clock::now() + limit;
        wake_.notify_all();
        if (ended_.wait_until(lock, stop_at_ + grace, [this] { return has_ended_; })) {
            lock.unlock();
            thread_.join();
            return;
        }
        // It is stuck in the kernel, and nobody can end it.
        abandoned_ = true;
        lost_ += unsettled_;
        for (stages::EvidenceRecorder* recorder : recorders_) {
            while (const stages::Capture* left = recorder->take()) {
                lost_ += left->verdicts().size();
            }
        }
        thread_.detach();
    }

    void log_lags(Milliseconds lag) noexcept { log_lag_ = lag.count(); }

    /// True when the thread still uses this object.
    bool abandoned() const noexcept { return abandoned_; }

private:
    /// Written, but without the names of its verdicts yet.
    struct Waiting {
        std::string path;
        std::vector<VerdictId> ids;
        Clock::time_point since;
        uint64_t bytes;
    };

    /// On the thread, for the disk may not answer.
    void open() {
        const int error = find_directory();
        const bool refused = error == EACCES || error == ENOTDIR || error == EEXIST;
        if (!refused) {
            forget_unnamed();
            trim();
        }
        const bool late =
            opening_.ended(refused ? concat("evidence: ", trouble_now(),
                                            "; point verdict_log.path to where it can, or set "
                                            "verdict_log.evidence.players to 0")
                                   : "");
        if (late) spdlog::info("evidence: {} answers now", settings_.directory);
    }

    std::string does_not_answer() const {
        return concat("evidence: ", settings_.directory,
                      " does not answer since the start; what proves verdicts waits in memory "
                      "meanwhile, as much as `players` of it has room for");
    }

    void run() {
        open();
        auto next_trim = Clock::now() + settings_.trim_every;
        while (true) {
            if (!take_all()) return;
            name_all(false);
            if (Clock::now() >= next_trim) {
                if (!found_directory_) (void)find_directory();
                trim();
                next_trim = Clock::now() + settings_.trim_every;
            }
            waiting_count_ = waiting_.size();
            oldest_waits_ = waiting_.empty() ? 0 : age(waiting_.front()).count();
            std::unique_lock lock(mutex_);
            if (stopping_ && (waiting_.empty() || Clock::now() >= stop_at_)) break;
            wake_.wait_for(lock, settings_.look_every);
        }
        name_all(true);
        const std::lock_guard lock(mutex_);
        has_ended_ = true;
        ended_.notify_all();
    }

    /// 0, or the error.  Sets what is said of it.
    int find_directory() {
        std::error_code failed;
        fs::create_directories(settings_.directory, failed);
        int error = failed.value();
        if (error == 0 && ::access(settings_.directory.c_str(), W_OK | X_OK) != 0) error = errno;
        if (error == 0) ::chmod(settings_.directory.c_str(), 0750);
        found_directory_ = error == 0;
        const std::lock_guard lock(mutex_);
        trouble_ = error == 0
                       ? ""
                       : concat(settings_.directory, " can not be written (", strerror(error), ")");
        return error;
    }

    /// False once nobody waits for the thread any more: what recorders own may be gone.
    bool take_all() {
        for (stages::EvidenceRecorder* recorder : recorders_) {
            while (stages::Capture* capture = taken_from(*recorder)) {
                write(*capture);
                const std::lock_guard lock(mutex_);
                if (abandoned_) return false;
                recorder->give_back(capture);
            }
        }
        return !abandoned_;
    }

    stages::Capture* taken_from(stages::EvidenceRecorder& recorder) {
        const std::lock_guard lock(mutex_);
        return abandoned_ ? nullptr : recorder.take();
    }

    void write(stages::Capture& capture) {
        const DiskWait::Asking asking(disk_);
        decipher(capture);
        Waiting file{concat(settings_.directory, "/", unnamed, std::to_string(++files_)),
                     {},
                     Clock::now(),
                     0};
        for (const auto& proven : capture.verdicts()) {
            file.ids.push_back({proven.record.id_high, proven.record.id_low});
        }
        unsettled_ += file.ids.size();
        std::error_code ignored;
        fs::create_directories(settings_.directory, ignored);  // It may have been removed.
        const Said said{[this](uint64_t id) { return signatures_with(id); }, settings_.shadowland};
        const std::string bytes = written(capture, names_, said);
        file.bytes = bytes.size();
        const std::string why = write_file(file.path, bytes);
        {
            const std::lock_guard lock(mutex_);
            trouble_ =
                why.empty() ? "" : concat("evidence can not be written: ", file.path, ": ", why);
        }
        if (why.empty()) {
            waiting_bytes_ += file.bytes;
            waiting_.push_back(std::move(file));
            while (waiting_bytes_ > settings_.bytes_max) give_up_oldest();
        } else {
            lost_ += file.ids.size();
            unsettled_ -= file.ids.size();
            ::unlink(file.path.c_str());
        }
    }

    std::string signatures_with(uint64_t id) const {
        const std::lock_guard lock(mutex_);
        const auto at = std::ranges::find(signatures_, id, config::signatures_id);
        return at == signatures_.end() ? std::string() : *at;
    }

    static Milliseconds age(const Waiting& file) {
        return std::chrono::duration_cast<Milliseconds>(Clock::now() - file.since);
    }

    /// The log has not written anything for so long that no more has room.
    void give_up_oldest() {
        lost_ += waiting_.front().ids.size();
        leave(waiting_.front());
        waiting_.erase(waiting_.begin());
    }

    /// What waited has its names, or never will.
    void leave(const Waiting& file) {
        ::unlink(file.path.c_str());
        unsettled_ -= file.ids.size();
        waiting_bytes_ -= file.bytes;
    }

    /// What the log holds came later than this.
    bool is_hopeless(const Waiting& file) const {
        return age(file) - Milliseconds(log_lag_) >= settings_.patience;
    }

    /// Gives files the names of verdicts that are in the log; all of them, once they
    /// are, or those that are when no more can be hoped for.
    void name_all(bool last) {
        std::erase_if(waiting_, [&](const Waiting& file) {
            const auto known = [&](const VerdictId& id) {
                const std::lock_guard lock(mutex_);
                return committed_.contains(id);
            };
            const bool all = std::ranges::all_of(file.ids, known);
            if (!all && !last && !is_hopeless(file)) return false;
            const DiskWait::Asking asking(disk_);
            for (const VerdictId& id : file.ids) {
                if (!known(id)) {
                    ++without_verdict_;
                    continue;
                }
                const std::string path = path_of(settings_.directory, id);
                ++(::link(file.path.c_str(), path.c_str()) == 0 ? stored_ : lost_);
            }
            leave(file);
            return true;
        });
    }

    /// Left by a process that was killed: whose they are nobody knows.
    void forget_unnamed() {
        for (const fs::path& path : paths_in(settings_.directory)) {
            if (path.filename().string().starts_with(unnamed)) ::unlink(path.c_str());
        }
    }

    void trim() {
        const DiskWait::Asking asking(disk_);
        const std::vector<Kept> all = all_in(settings_.directory);
        move_floor(all);
        uint64_t total = 0;
        for (const Kept& kept : all) total += kept.bytes;
        for (const Kept& kept : all) {
            if (kept.at >= floor_ && total <= settings_.bytes_max) break;
            for (const std::string& path : kept.paths) ::unlink(path.c_str());
            total -= kept.bytes;
            removed_ += kept.paths.size();
        }
    }

    /// To where the retention has it, by now or by the newest, whichever is earlier; no
    /// clock that is wrong takes much with it.
    void move_floor(const std::vector<Kept>& all) {
        const auto passed = Clock::now() - std::exchange(trimmed_, Clock::now());
        if (all.empty()) return;
        if (floor_ == Nanos{}) floor_ = all.front().at;
        const Nanos wanted = std::min(wall_clock(), all.back().at) - settings_.retention;
        floor_ = std::min(wanted, floor_ + passed * settings_.forgets_faster);
    }

    std::string trouble_now() const {
        const std::string hangs = disk_.trouble(concat("evidence: ", settings_.directory));
        if (!hangs.empty()) return hangs;
        const std::lock_guard lock(mutex_);
        return trouble_;
    }

    const Settings settings_;
    const std::vector<std::string> service_names_;
    const std::vector<std::string_view> service_views_;
    const verdicts::Names names_;
    const std::vector<stages::EvidenceRecorder*> recorders_;
    // Of `thread_` alone.
    uint64_t files_ = 0;
    std::vector<Waiting> waiting_;
    bool found_directory_ = false;
    uint64_t waiting_bytes_ = 0;
    Nanos floor_{};  ///< What is older is forgotten; 0: nobody has looked yet.
    Clock::time_point trimmed_ = Clock::now();

    DiskWait disk_;
    std::atomic<Milliseconds::rep> log_lag_ = 0, oldest_waits_ = 0;
    Opening opening_;
    std::atomic<uint64_t> waiting_count_ = 0, unsettled_ = 0;  ///< Files; verdicts.
    std::atomic<uint64_t> stored_ = 0, lost_ = 0, without_verdict_ = 0, removed_ = 0;
    /// Never held while the disk is asked for something.
    mutable std::mutex mutex_;
    std::condition_variable wake_, ended_;
    std::set<VerdictId> committed_;
    std::deque<VerdictId> committed_order_;
    std::string trouble_;
    std::deque<std::string> signatures_;  ///< The newest last.
    bool stopping_ = false, has_ended_ = false;
    std::atomic<bool> abandoned_ = false;
    Clock::time_point stop_at_{};
    std::thread thread_;
};

Store::Store(Opening::Later, Settings settings, std::span<const std::string_view> check_names,
             std::vector<std::string> service_names,
             std::vector<stages::EvidenceRecorder*> recorders)
    : parts_(std::make_unique<Parts>(std::move(settings), check_names, std::move(service_names),
                                     std::move(recorders))) {}
Store::Store(Settings settings, std::span<const std::string_view> check_names,
             std::vector<std::string> service_names,
             std::vector<stages::EvidenceRecorder*> recorders)
    : Store(Opening::later, std::move(settings), check_names, std::move(service_names),
            std::move(recorders)) {
    await_open(Opening::deadline());
}
Store::~Store() {
    parts_->finish(std::chrono::seconds(1));
    // Better a few megabytes at the end of the process than a thread without them.
    if (parts_->abandoned()) (void)parts_.release();
}

void Store::log_lags(std::chrono::milliseconds lag) noexcept { parts_->log_lags(lag); }
void Store::await_open(Opening::Clock::time_point until) { parts_->await_open(until); }
void Store::committed(std::span<const verdicts::VerdictRecord> records) {
    parts_->committed(records);
}
control::SinkStatus Store::status() const { return parts_->status(); }
std::vector<std::string> Store::reloaded(const config::Config& config) noexcept {
    parts_->remember(config.signatures_text);
    return {};
}
void Store::finish(std::chrono::milliseconds limit) noexcept { parts_->finish(limit); }

}  // namespace portcullis::evidence
