#include "verdicts/log.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <future>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include <spdlog/spdlog.h>

#include "base/setup_error.h"
#include "base/wall_clock.h"
#include "records/disk_wait.h"
#include "verdicts/repair.h"
#include "verdicts/store.h"

namespace portcullis::verdicts {

namespace {

using Clock = std::chrono::steady_clock;
using Milliseconds = std::chrono::milliseconds;

/// What the thread gets beyond the limit to say that it is done.
constexpr Milliseconds grace{100};

bool is_verdict(const VerdictRecord& record) noexcept {
    return record.kind == VerdictRecord::Kind::verdict;
}

/// What no later try would mend: settings, and another writer.
bool is_fault_of_settings(const Problem& problem) noexcept {
    return problem.kind == Problem::Kind::held || problem.kind == Problem::Kind::refused;
}

/// What is wrong, and what can be done about it where there is something.
std::string sentence(const Problem& problem, const std::string& path) {
    switch (problem.kind) {
        case Problem::Kind::held:
            return problem.says +
                   "; another appliance writes to it: stop that one, or give this one another "
                   "verdict_log.path";
        case Problem::Kind::refused:
            return problem.says +
                   "; make the directory writable for this user, or set verdict_log.path to one "
                   "that is";
        case Problem::Kind::damaged:
            return problem.says + "; " + damage_advice(path);
        case Problem::Kind::other:
            break;
    }
    return problem.says;
}

/// The damaged log is kept as it is, under another name, and a new one can be begun.
/// False: it could not be moved, or one lies there already.
bool put_aside(const std::string& path) {
    std::error_code failed;
    if (std::filesystem::exists(path_of_damaged(path), failed) || failed) return false;
    std::filesystem::rename(path, path_of_damaged(path), failed);
    return !failed;
}

/// For a thread that may outlive whoever gave them.
class KeptNames {
public:
    explicit KeptNames(const Names& from)
        : checks_(from.checks.begin(), from.checks.end()),
          services_(from.services.begin(), from.services.end()),
          check_views_(checks_.begin(), checks_.end()),
          service_views_(services_.begin(), services_.end()) {}
    KeptNames(const KeptNames&) = delete;
    KeptNames& operator=(const KeptNames&) = delete;
    Names names(const Asking* asking) const noexcept {
        return {check_views_, service_views_, asking};
    }

private:
    const std::vector<std::string> checks_, services_;
    const std::vector<std::string_view> check_views_, service_views_;
};

}  // namespace

class Log::Writer final : private Asking {
public:
    Writer(Settings settings, const Names& names, Committed committed, Unended unended)
        : settings_(std::move(settings)),
          kept_names_(names),
          asking_(names.asking),
          names_(kept_names_.names(asking_ != nullptr ? this : nullptr)),
          committed_(std::move(committed)),
          unended_(std::move(unended)),
          ids_(IdSource::control, random_run()) {
        waiting_.reserve(settings_.queue_max);
        group_.reserve(settings_.queue_max);
        thread_ = std::thread([this] { run(); });
    }
    Writer(const Writer&) = delete;
    Writer& operator=(const Writer&) = delete;
    ~Writer() override = default;

    void append(std::span<const VerdictRecord> records) noexcept {
        if (records.empty()) return;
        {
            const std::lock_guard lock(mutex_);
            for (const VerdictRecord& record : records) append_one(record);
        }
        work_.notify_one();
    }

    void append(const Outcome& outcome) noexcept {
        {
            const std::lock_guard lock(mutex_);
            if (ending_ || outcomes_.size() >= settings_.queue_max) {
                ++counts_.outcomes_lost;
                return;
            }
            note_arrival();
            outcomes_.push_back(outcome);
        }
        work_.notify_one();
    }

    void finish(Milliseconds limit) noexcept {
        {
            const std::lock_guard lock(mutex_);
            if (ending_) return;
            ending_ = true;
            give_up_at_ = Clock::now() + limit;
        }
        work_.notify_one();
        std::unique_lock lock(mutex_);
        if (ended_.wait_until(lock, give_up_at_ + grace, [this] { return has_ended_; })) {
            lock.unlock();
            thread_.join();
            return;
        }
        lock.unlock();
        abandon();
    }

    /// True when the thread never came back from the disk: it still uses this object.
    bool abandoned() const noexcept { return abandoned_; }

    Counts counts() const {
        const std::lock_guard lock(mutex_);
        Counts counts = counts_;
        counts.waiting = waiting_.size() + in_hand_;
        if (counts.waiting > 0) {
            counts.lag = std::chrono::duration_cast<Milliseconds>(
                Clock::now() - (in_hand_ > 0 ? in_hand_since_ : oldest_));
        }
        return counts;
    }

    void await_open(Clock::time_point until) {
        if (!opening_.await(until)) spdlog::error("{}", does_not_answer());
    }

    std::string trouble() const {
        if (!opening_.has_ended()) return does_not_answer();
        const std::string hangs = disk_.trouble("verdict log " + settings_.path);
        if (!hangs.empty()) return hangs + "; records wait in memory meanwhile";
        const std::lock_guard lock(mutex_);
        return trouble_.empty() ? damage_ : trouble_;
    }

private:
    /// On the thread: whatever is wrong with the disk, the wire must not wait for it.
    void open_first() {
        auto opened = open();
        const bool damaged = !opened && opened.error().kind == Problem::Kind::damaged;
        if (damaged && !abandoned_ && put_aside(settings_.path)) {
            spdlog::error("verdict log {}: {}", settings_.path,
                          sentence(opened.error(), settings_.path));
            opened = open();
        }
        const bool fault = !opened && is_fault_of_settings(opened.error());
        if (!opened && !fault) failed(opened.error());
        look_for_damaged();
        const bool late = opening_.ended(fault ? "verdict log " + settings_.path + ": " +
                                                     sentence(opened.error(), settings_.path)
                                               : "");
        if (late && fault) failed(opened.error());
        if (late && opened) spdlog::info("verdict log {} answers now", settings_.path);
    }

    std::vector<Asked> asked(const VerdictRecord& record) const override {
        const std::lock_guard telling(telling_);
        return abandoned_ ? std::vector<Asked>() : asking_->asked(record);
    }

    std::string does_not_answer() const {
        return "verdict log " + settings_.path +
               " does not answer since the start: its disk hangs, or it is being recovered; "
               "records wait in memory meanwhile";
    }

    std::expected<void, Problem> open() {
        auto store = Store::open(settings_.path);
        if (!store) return std::unexpected(store.error());
        store_ = std::move(*store);
        return {};
    }

    /// Once, before this run's own verdicts stand there.
    void look_back() {
        if (!store_ || std::exchange(looked_back_, true) || !unended_) return;
        const auto look = [this](const Entry& entry, std::span<const Outcome> outcomes) {
            const std::lock_guard telling(telling_);
            if (abandoned_) return;
            const std::vector<Outcome> lacking = unended_(entry, outcomes);
            const std::lock_guard lock(mutex_);
            for (const Outcome& outcome : lacking) {
                const bool room = outcomes_.size() < settings_.queue_max;
                room ? outcomes_.push_back(outcome) : void(++counts_.outcomes_lost);
            }
        };
        store_->each_late(settings_.unended, settings_.unended_max, look);
    }

    /// Said until somebody has taken it away.
    void look_for_damaged() {
        const std::string aside = path_of_damaged(settings_.path);
        std::error_code failed;
        const bool there = std::filesystem::exists(aside, failed);
        const std::lock_guard lock(mutex_);
        damage_ = there ? "a damaged verdict log was put aside to " + aside +
                              " and a new one begun: `portcullis verdicts repair --log " + aside +
                              "` makes it readable; move it away to end this message"
                        : "";
    }

    void append_one(const VerdictRecord& record) noexcept {
        ++counts_.taken;
        const size_t room = is_verdict(record) ? settings_.queue_max : settings_.queue_max / 2;
        if (ending_ || waiting_.size() >= room) {
            ++(is_verdict(record) ? counts_.lost_verdicts : counts_.lost_others);
            return;
        }
        note_arrival();
        waiting_.push_back(record);
        VerdictRecord& taken = waiting_.back();
        if (taken.id_high == 0 && taken.id_low == 0) {
            const VerdictId id = ids_.next(taken.time);
            taken.id_high = id.high;
            taken.id_low = id.low;
        }
    }

    /// The thread is stuck in the kernel, on a disk that does not answer.  Nobody
    /// can end it; all that it holds is as good as lost.
    void abandon() noexcept {
        const std::scoped_lock lock(telling_, mutex_);
        abandoned_ = true;
        const auto verdicts = static_cast<size_t>(std::ranges::count_if(waiting_, is_verdict));
        counts_.lost_verdicts += in_hand_verdicts_ + verdicts;
        counts_.lost_others += in_hand_ - in_hand_verdicts_ + waiting_.size() - verdicts;
        counts_.outcomes_lost += outcomes_in_hand_ + outcomes_.size();
        in_hand_ = 0;
        waiting_.clear();
        outcomes_.clear();
        thread_.detach();
    }

    void note_arrival() noexcept {
        if (waiting_.empty() && outcomes_.empty()) oldest_ = Clock::now();
    }

    void run() {
        open_first();
        auto trim_at = Clock::now(), open_at = trim_at + settings_.retry_max;
        do {
            look_back();
            if (!group_.empty() || !group_outcomes_.empty()) write_group();
            if (Clock::now() >= open_at) {
                // It may have been closed since the start, and no record has come.
                if (!store_ && open()) recovered();
                look_for_damaged();
                open_at = Clock::now() + settings_.retry_max;
            }
            if (Clock::now() >= trim_at && store_) {
                start_trim();
                trim_at = Clock::now() + settings_.trim_every;
            }
        } while (take_group());
        stop_trim();
        store_.reset();
        const std::lock_guard lock(mutex_);
        has_ended_ = true;
        ended_.notify_one();
    }

    /// Waits until a group is due and takes it in hand.  False at the end.
    bool take_group() {
        std::unique_lock lock(mutex_);
        const auto something = [this] {
            return ending_ || !waiting_.empty() || !outcomes_.empty();
        };
        work_.wait_for(lock, std::chrono::seconds(1), something);
        work_.wait_until(lock, oldest_ + settings_.flush, [this] {
            return ending_ || waiting_.size() >= settings_.group_max ||
                   (waiting_.empty() && outcomes_.empty());
        });
        if (ending_ && waiting_.empty() && outcomes_.empty()) return false;
        group_.swap(waiting_);
        group_outcomes_.swap(outcomes_);
        in_hand_ = group_.size();
        in_hand_verdicts_ = static_cast<size_t>(std::ranges::count_if(group_, is_verdict));
        outcomes_in_hand_ = group_outcomes_.size();
        in_hand_since_ = oldest_;
        return true;
    }

    /// In pieces of `group_max`, each tried until it is on the disk.
    void write_group() {
        std::span<const VerdictRecord> records = group_;
        std::span<const Outcome> outcomes = group_outcomes_;
        while (!records.empty() || !outcomes.empty()) {
            const auto some = records.first(std::min(records.size(), settings_.group_max));
            const auto others = outcomes.first(std::min(outcomes.size(), settings_.group_max));
            records = records.subspan(some.size());
            outcomes = outcomes.subspan(others.size());
            const bool stored = write_patiently(some, others);
            const std::lock_guard telling(telling_);
            if (abandoned_) return;
            settle(some, others.size(), stored);
            if (stored && committed_ && !some.empty()) committed_(some);
        }
        group_.clear();
        group_outcomes_.clear();
    }

    /// False when the end came first.
    bool write_patiently(std::span<const VerdictRecord> records,
                         std::span<const Outcome> outcomes) {
        Milliseconds pause = settings_.retry_first;
        while (true) {
            const auto done = write_once(records, outcomes);
            if (done) {
                recovered();
                return true;
            }
            failed(done.error());
            std::unique_lock lock(mutex_);
            const auto until = Clock::now() + pause;
            work_.wait_until(lock, until, [this] { return ending_; });
            if (ending_) {
                if (Clock::now() >= give_up_at_) return false;
                lock.unlock();
                std::this_thread::sleep_until(std::min(until, give_up_at_));
            }
            pause = std::min(pause * 2, settings_.retry_max);
        }
    }

    std::expected<void, Problem> write_once(std::span<const VerdictRecord> records,
                                            std::span<const Outcome> outcomes) {
        if (!store_) {
            if (const auto opened = open(); !opened) return opened;
            look_back();
        }
        const DiskWait::Asking asking(disk_);
        auto done = store_->write(records, outcomes, names_);
        if (!done) {
            stop_trim();
            store_.reset();
        }
        return done;
    }

    void settle(std::span<const VerdictRecord> records, size_t outcomes, bool stored) {
        const auto verdicts = static_cast<size_t>(std::ranges::count_if(records, is_verdict));
        const std::lock_guard lock(mutex_);
        in_hand_ -= records.size();
        in_hand_verdicts_ -= verdicts;
        outcomes_in_hand_ -= outcomes;
        if (stored) {
            ++counts_.groups;
            counts_.stored += records.size();
            counts_.outcomes_stored += outcomes;
        } else {
            counts_.lost_verdicts += verdicts;
            counts_.lost_others += records.size() - verdicts;
            counts_.outcomes_lost += outcomes;
        }
    }

    void failed(const Problem& problem) {
        const std::string said = "verdict log " + settings_.path +
                                 " cannot be written: " + sentence(problem, settings_.path) +
                                 "; records wait in memory meanwhile";
        const std::lock_guard lock(mutex_);
        ++counts_.failures;
        if (trouble_.empty()) spdlog::error("{}", said);
        trouble_ = said;
    }

    void recovered() {
        const std::lock_guard lock(mutex_);
        if (trouble_.empty()) return;
        trouble_.clear();
        spdlog::info("verdict log {} is written again; {} verdicts and {} other records lost",
                     settings_.path, counts_.lost_verdicts, counts_.lost_others);
    }

    /// Beside the writing: compaction takes seconds, a group must not wait for it.
    void start_trim() {
        if (trim_.valid() && trim_.wait_for(Milliseconds(0)) != std::future_status::ready) return;
        const auto passed = Clock::now() - std::exchange(trimmed_, Clock::now());
        const Nanos forgotten_max = passed * settings_.forgets_faster;
        trim_ = std::async(std::launch::async, [this, forgotten_max] {
            const Nanos now = settings_.wall_clock();
            const auto done =
                store_->trim({now, settings_.retention, forgotten_max, settings_.size_bytes_max});
            if (!done) spdlog::warn("verdict log: old records stay for now: {}", done.error().says);
        });
    }

    void stop_trim() {
        if (!trim_.valid()) return;
        if (store_) store_->stop_trimming();
        trim_.wait();
    }

    const Settings settings_;
    const KeptNames kept_names_;
    const Asking* const asking_;  ///< Not after `abandon`.
    const Names names_;
    const Committed committed_;
    const Unended unended_;
    std::unique_ptr<Store> store_;      ///< The thread's own; null while it cannot be opened.
    std::vector<VerdictRecord> group_;  ///< In hand: the thread's own.
    std::vector<Outcome> group_outcomes_;
    std::future<void> trim_;
    bool looked_back_ = false;  ///< The thread's own.
    Clock::time_point trimmed_ = Clock::now();

    Opening opening_;
    DiskWait disk_;
    /// Held while others are told; taken before `mutex_`.
    mutable std::mutex telling_;
    std::atomic<bool> abandoned_{false};

    mutable std::mutex mutex_;
    std::condition_variable work_;
    IdSource ids_;
    std::vector<VerdictRecord> waiting_;
    std::vector<Outcome> outcomes_;
    Clock::time_point oldest_;  ///< When the oldest that waits came.
    size_t in_hand_ = 0, in_hand_verdicts_ = 0, outcomes_in_hand_ = 0;
    Clock::time_point in_hand_since_;
    bool ending_ = false, has_ended_ = false;
    std::condition_variable ended_;
    Clock::time_point give_up_at_;
    Counts counts_;
    std::string trouble_;
    std::string damage_;  ///< Of an earlier log, put aside.
    std::thread thread_;  ///< Last: it uses all of the above.
};

Log::Log(Opening::Later, Settings settings, const Names& names, Committed committed,
         Unended unended)
    : writer_(std::make_unique<Writer>(std::move(settings), names, std::move(committed),
                                       std::move(unended))) {}
Log::Log(Settings settings, const Names& names, Committed committed, Unended unended)
    : Log(Opening::later, std::move(settings), names, std::move(committed), std::move(unended)) {
    await_open(Opening::deadline());
}
Log::~Log() {
    writer_->finish(std::chrono::seconds(1));
    // A few megabytes at the end of the process, against a thread using them.
    if (writer_->abandoned()) (void)writer_.release();
}

void Log::await_open(Opening::Clock::time_point until) { writer_->await_open(until); }
void Log::append(std::span<const VerdictRecord> records) noexcept { writer_->append(records); }
void Log::append(const Outcome& outcome) noexcept { writer_->append(outcome); }
void Log::finish(std::chrono::milliseconds limit) noexcept { writer_->finish(limit); }
Log::Counts Log::counts() const { return writer_->counts(); }
std::string Log::trouble() const { return writer_->trouble(); }

}  // namespace portcullis::verdicts
