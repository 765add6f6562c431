#include "verdicts/store.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include <rocksdb/convenience.h>
#include <rocksdb/write_batch.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include "verdicts/database.h"
#include "verdicts/repair.h"

namespace portcullis::verdicts {

namespace {

/// Of a database that was open: whoever waits tries again, whatever it is.
std::unexpected<Problem> problem(const rocksdb::Status& status) {
    return std::unexpected(Problem{Problem::Kind::other, status.ToString()});
}

rocksdb::DBOptions options_for(const std::string& path) {
    rocksdb::DBOptions options = database_options();
    options.info_log = std::make_shared<Losses>([path](const std::string& line) {
        spdlog::error(
            "verdict log {}: not all that stood there can be read, as after a loss "
            "of power or on a bad disk: {}",
            path, line);
    });
    options.info_log->SetInfoLogLevel(options.info_log_level);
    return options;
}

/// Nothing, or why there is none.
std::optional<Problem> make_directory(const std::string& path) {
    std::error_code error, failed;
    std::filesystem::create_directories(path, error);
    if (!error) return std::nullopt;
    // What is missing although all above it was to be made is where nothing can be.
    const bool nowhere = error.value() == ENOENT && !std::filesystem::exists(path, failed);
    constexpr std::array settled = {EACCES, EEXIST, ELOOP, ENAMETOOLONG, ENOTDIR, EPERM};
    const bool refused = nowhere || std::ranges::find(settled, error.value()) != settled.end();
    return Problem{refused ? Problem::Kind::refused : Problem::Kind::other, error.message()};
}

using Milliseconds = std::chrono::milliseconds;

/// Of a moment or span; 0 before the epoch.
uint64_t in_ms(Nanos time) noexcept {
    return static_cast<uint64_t>(std::max<int64_t>(time / Milliseconds(1), 0));
}

/// Which file this is, whatever its name says.
struct FileIdentity {
    dev_t device = 0;
    ino_t inode = 0;
    bool operator==(const FileIdentity&) const = default;
};

FileIdentity identity(const std::string& path) noexcept {
    struct stat status{};
    if (stat(path.c_str(), &status) != 0) return {};
    return {status.st_dev, status.st_ino};
}

std::string id_key(const VerdictId& id) {
    std::string key;
    append_id(key, id);
    return key;
}

}  // namespace

class Store::Database {
public:
    static std::expected<std::unique_ptr<Database>, Problem> open(const std::string& path) {
        if (auto refused = make_directory(path)) return std::unexpected(*refused);
        if (lost_its_beginning(path)) {
            return std::unexpected(
                Problem{Problem::Kind::damaged, "its file CURRENT is not there"});
        }
        auto database = std::make_unique<Database>();
        database->path_ = path;
        rocksdb::DB* db = nullptr;
        const auto status =
            rocksdb::DB::Open(options_for(path), path, family_descriptors(database->filters_),
                              &database->open_.families, &db);
        database->open_.db.reset(db);
        if (!status.ok()) return std::unexpected(problem_of(status, path, R_OK | W_OK));
        database->directory_ = identity(path);
        database->read_floor();
        return database;
    }

    Database() {
        filters_.push_back(std::make_unique<AgeFilter>(floor_ms_, false));  // records
        filters_.push_back(std::make_unique<AgeFilter>(floor_ms_, true));   // index
        filters_.push_back(std::make_unique<AgeFilter>(floor_ms_, false));  // outcomes
    }

    void put(rocksdb::WriteBatch& batch, const VerdictRecord& record, const Names& names) {
        const VerdictId id{record.id_high, record.id_low};
        const std::string key = id_key(id);
        value_.clear();
        encode(value_, record, names.check(record), names.service(record), names.asked(record));
        batch.Put(open_.family(Family::records), key, value_);
        lowest_put_ms_ = std::min(lowest_put_ms_, id.milliseconds());
        index(record, names.check(record), key);
    }

    /// Where who asks for a player, a check or an address finds the record.
    void index(const VerdictRecord& record, std::string_view check, const std::string& key) {
        if (!record.player.name.empty()) {
            index_.push_back(player_prefix(record.player.name.view()) += key);
        }
        if (record.player.uuid != protocol::Uuid{}) {
            index_.push_back(uuid_prefix(record.player.uuid) += key);
        }
        if (record.kind == VerdictRecord::Kind::verdict) {
            index_.push_back(check_prefix(check) += key);
        }
        index_.push_back(address_prefix(record.client.address) += key);
        if (record.player.address_told() && record.player.address != record.client.address) {
            index_.push_back(address_prefix(record.player.address) += key);
        }
    }

    /// All index rows of the batch in their order: each then finds its place in
    /// RocksDB's skip list from the one before, at a third of the cost.
    void put_index(rocksdb::WriteBatch& batch) {
        std::ranges::sort(index_);
        for (const std::string& key : index_) {
            batch.Put(open_.family(Family::index), key, rocksdb::Slice());
        }
        index_.clear();
    }

    std::expected<void, Problem> index_all() {
        constexpr size_t rows_max = 100'000;  ///< In one batch.
        const std::unique_ptr<rocksdb::Iterator> all(
            open_.db->NewIterator({}, open_.family(Family::records)));
        bool more = true;
        for (all->SeekToFirst(); more; all->Valid() ? all->Next() : void()) {
            more = all->Valid();
            if (more && all->key().size() == id_size) {
                const std::string_view key = view(all->key());
                const auto entry = decode_entry(id_at(key, 0), as_bytes(view(all->value())));
                if (entry) index(entry->record, entry->check, std::string(key));
            }
            if (more && index_.size() < rows_max) continue;
            rocksdb::WriteBatch batch;
            put_index(batch);
            if (const auto done = commit(batch); !done) return done;
        }
        if (!all->status().ok()) return problem(all->status());
        return {};
    }

    void put(rocksdb::WriteBatch& batch, const Outcome& outcome) {
        std::string key = id_key(outcome.verdict);
        key.push_back(static_cast<char>(outcome.target));
        key.push_back(static_cast<char>(outcome.place));
        value_.clear();
        encode(value_, outcome);
        batch.Put(open_.family(Family::outcomes), key, value_);
    }

    std::expected<void, Problem> commit(rocksdb::WriteBatch& batch) {
        rocksdb::WriteOptions options;
        options.sync = true;
        if (const auto status = open_.db->Write(options, &batch); !status.ok()) {
            return problem(status);
        }
        if (!in_place()) {
            return std::unexpected(
                Problem{Problem::Kind::other, "its directory was removed or replaced"});
        }
        return {};
    }

    /// What is written now must be found, also when the clock was ahead once.  Before the
    /// batch is committed.
    std::expected<void, Problem> make_room_below_floor() {
        const uint64_t lowest = std::exchange(lowest_put_ms_, UINT64_MAX);
        return lowest < floor_ms_.load() ? set_floor(lowest) : std::expected<void, Problem>();
    }

    /// Where the floor is to be by age.  Comes down with the clock, and rises by
    /// `forgotten_max` at most.
    uint64_t floor_by_age(const Store::Limits& limits) const {
        const std::unique_ptr<rocksdb::Iterator> all(
            open_.db->NewIterator({}, open_.family(Family::records)));
        all->SeekToLast();
        if (!all->Valid()) return floor_ms_.load();
        const Nanos newest = Milliseconds(id_at(view(all->key()), 0).milliseconds());
        all->SeekToFirst();
        const Nanos oldest = Milliseconds(id_at(view(all->key()), 0).milliseconds());
        const uint64_t wanted = in_ms(std::min(limits.now, newest) - limits.retention);
        uint64_t begin = floor_ms_.load();
        if (begin == 0) begin = in_ms(oldest - limits.retention);  // The first time.
        return std::min(wanted, begin + in_ms(limits.forgotten_max));
    }

    std::expected<void, Problem> raise_floor(uint64_t floor_ms) {
        return floor_ms <= floor_ms_.load() ? std::expected<void, Problem>() : set_floor(floor_ms);
    }

    std::expected<void, Problem> set_floor(uint64_t floor_ms) {
        if (floor_ms == floor_ms_.load()) return {};
        std::string value;
        append_big_endian(value, floor_ms);
        const auto status = open_.db->Put({}, open_.family(Family::about), slice(floor_key), value);
        if (!status.ok()) return problem(status);
        floor_ms_.store(floor_ms);
        return {};
    }

    void each_late(Nanos before, size_t records_max,
                   const std::function<void(const Entry&, std::span<const Outcome>)>& found) const {
        const std::unique_ptr<rocksdb::Iterator> all(
            open_.db->NewIterator({}, open_.family(Family::records)));
        all->SeekToLast();
        if (!all->Valid()) return;
        const uint64_t before_ms = in_ms(before);
        uint64_t unreadable = 0;  // Whoever reads the log is told.
        const uint64_t newest = id_at(view(all->key()), 0).milliseconds();
        for (; all->Valid() && records_max > 0; all->Prev(), --records_max) {
            const VerdictId id = id_at(view(all->key()), 0);
            if (id.milliseconds() + before_ms < newest) return;
            const auto entry = decode_entry(id, as_bytes(view(all->value())));
            if (!entry || entry->record.kind != VerdictRecord::Kind::verdict ||
                entry->record.action < policy::Action::alert) {
                continue;
            }
            found(*entry, outcomes_of(open_, id, unreadable));
        }
    }

    /// Drops whole files that lie below the floor; the rest goes by compaction.
    std::expected<void, Problem> drop_files_below_floor() {
        const std::string end = id_key({floor_ms_.load() << 16, 0});
        const rocksdb::Slice until = end;
        for (const Family family : {Family::records, Family::outcomes}) {
            const auto status = rocksdb::DeleteFilesInRange(open_.db.get(), open_.family(family),
                                                            nullptr, &until, false);
            if (!status.ok()) return problem(status);
        }
        return {};
    }

    std::expected<void, Problem> compact() {
        rocksdb::CompactRangeOptions options;
        options.exclusive_manual_compaction = false;
        options.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForce;
        options.canceled = &trimming_stopped_;
        for (const Family family : {Family::records, Family::index, Family::outcomes}) {
            const auto status =
                open_.db->CompactRange(options, open_.family(family), nullptr, nullptr);
            if (!status.ok()) return problem(status);
        }
        return {};
    }

    /// The moment before which about `share` of the records' bytes lie.
    uint64_t ms_at_share(double share) const {
        const std::unique_ptr<rocksdb::Iterator> all(
            open_.db->NewIterator({}, open_.family(Family::records)));
        all->SeekToFirst();
        if (!all->Valid()) return 0;
        uint64_t low = id_at(view(all->key()), 0).milliseconds();
        const std::string first = id_key({low << 16, 0});
        all->SeekToLast();
        uint64_t high = id_at(view(all->key()), 0).milliseconds() + 1;
        const double wanted = share * static_cast<double>(bytes_between(first, high));
        while (low + 1 < high) {
            const uint64_t middle = low + (high - low) / 2;
            (static_cast<double>(bytes_between(first, middle)) < wanted ? low : high) = middle;
        }
        return high;
    }

    uint64_t size_bytes() const {
        uint64_t files = 0, memory = 0;
        open_.db->GetAggregatedIntProperty("rocksdb.total-sst-files-size", &files);
        open_.db->GetAggregatedIntProperty("rocksdb.cur-size-all-mem-tables", &memory);
        return files + memory;
    }

    std::atomic<bool>& trimming_stopped() noexcept { return trimming_stopped_; }

private:
    bool in_place() const {
        if (directory_ != identity(path_) || identity(path_ + "/CURRENT") == FileIdentity{}) {
            return false;
        }
        std::unique_ptr<rocksdb::LogFile> wal;
        return open_.db->GetCurrentWalFile(&wal).ok() &&
               identity(path_ + wal->PathName()) != FileIdentity{};
    }

    void read_floor() {
        std::string value;
        const auto status =
            open_.db->Get({}, open_.family(Family::about), slice(floor_key), &value);
        if (status.ok() && value.size() == 8) floor_ms_.store(big_endian_at(value, 0));
    }

    uint64_t bytes_between(const std::string& first, uint64_t until_ms) const {
        const std::string end = id_key({until_ms << 16, 0});
        const rocksdb::Range range(first, end);
        rocksdb::SizeApproximationOptions options;
        options.include_memtables = true;
        uint64_t size = 0;
        open_.db->GetApproximateSizes(options, open_.family(Family::records), &range, 1, &size)
            .PermitUncheckedError();
        return size;
    }

    std::string path_;
    FileIdentity directory_;
    std::atomic<uint64_t> floor_ms_{0};
    uint64_t lowest_put_ms_ = UINT64_MAX;  ///< Of the batch that is being made.
    std::vector<std::unique_ptr<AgeFilter>> filters_;
    std::atomic<bool> trimming_stopped_{false};
    std::string value_;               ///< The writer's scratch.
    std::vector<std::string> index_;  ///< Likewise.
    OpenDatabase open_;               ///< Last: its threads use all of the above.
};

Store::Store(std::unique_ptr<Database> database) noexcept : database_(std::move(database)) {}
Store::~Store() = default;

std::expected<std::unique_ptr<Store>, Store::Problem> Store::open(const std::string& path) {
    auto database = Database::open(path);
    if (!database) return std::unexpected(database.error());
    return std::unique_ptr<Store>(new Store(std::move(*database)));
}

std::expected<void, Store::Problem> Store::write(std::span<const VerdictRecord> records,
                                                 std::span<const Outcome> outcomes,
                                                 const Names& names) {
    rocksdb::WriteBatch batch;
    for (const VerdictRecord& record : records) database_->put(batch, record, names);
    database_->put_index(batch);
    if (const auto done = database_->make_room_below_floor(); !done) return done;
    for (const Outcome& outcome : outcomes) database_->put(batch, outcome);
    return database_->commit(batch);
}

std::expected<void, Store::Problem> Store::trim(const Limits& limits) {
    const uint64_t size_bytes_max = limits.size_bytes_max;
    auto done = database_->set_floor(database_->floor_by_age(limits));
    if (done) done = database_->drop_files_below_floor();
    const uint64_t size = database_->size_bytes();
    if (!done || size <= size_bytes_max) return done;

    // To nine tenths, so that the next record does not start it again.
    const double excess = (static_cast<double>(size) - 0.9 * static_cast<double>(size_bytes_max)) /
                          static_cast<double>(size);
    done = database_->raise_floor(database_->ms_at_share(excess));
    if (done) done = database_->drop_files_below_floor();
    if (done) done = database_->compact();
    return done;
}

void Store::each_late(
    Nanos before, size_t records_max,
    const std::function<void(const Entry&, std::span<const Outcome>)>& found) const {
    database_->each_late(before, records_max, found);
}

std::expected<void, Store::Problem> Store::index_all() { return database_->index_all(); }

void Store::stop_trimming() noexcept { database_->trimming_stopped() = true; }

uint64_t Store::size_bytes() const { return database_->size_bytes(); }

}  // namespace portcullis::verdicts
