#include "verdicts/reader.h"

#include <filesystem>
#include <thread>

#include <stdlib.h>
#include <unistd.h>

#include "base/setup_error.h"
#include "verdicts/database.h"
#include "verdicts/json.h"
#include "verdicts/repair.h"

namespace portcullis::verdicts {

namespace {

constexpr unsigned tries_to_open = 20;
constexpr auto between_tries = std::chrono::milliseconds(50);

/// The wire's address, or the one that a proxy in front told.
bool comes_from(const VerdictRecord& record, const IpPrefix& prefix) noexcept {
    return prefix.contains(record.client.address) ||
           (record.player.address_told() && prefix.contains(record.player.address));
}

bool same_letters(std::string_view a, std::string_view b) noexcept {
    return player_prefix(a) == player_prefix(b);
}

/// Says nothing: a reader must leave no trace in the log's directory.
class Silence final : public rocksdb::Logger {
public:
    using rocksdb::Logger::Logv;
    void Logv(const char*, va_list) override {}
};

/// Where RocksDB wants to keep what it never writes here; wanted when it opens alone.
class ScratchDirectory {
public:
    ScratchDirectory() {
        path_ = (std::filesystem::temp_directory_path() / "portcullis-reader-XXXXXX").string();
        if (mkdtemp(path_.data()) == nullptr) {
            throw SetupError("no directory can be made in " +
                             std::filesystem::temp_directory_path().string() +
                             "; set TMPDIR to one that is writable");
        }
    }
    ScratchDirectory(const ScratchDirectory&) = delete;
    ScratchDirectory& operator=(const ScratchDirectory&) = delete;
    ~ScratchDirectory() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    const std::string& path() const noexcept { return path_; }

private:
    std::string path_;
};

std::string explain(const std::string& path, const Problem& problem) {
    const bool damaged = problem.kind == Problem::Kind::damaged;
    const bool refused = problem.kind == Problem::Kind::refused;
    return "verdict log " + path + " cannot be read: " + problem.says + "; " +
           (damaged   ? damage_advice(path)
            : refused ? "this user may not read it: be the appliance's, or of its group"
                      : "is the path right, and does its disk work?");
}

std::string explain(const std::string& path, const rocksdb::Status& status) {
    return explain(path, problem_of(status, path, R_OK));
}

}  // namespace

bool Query::matches(const Entry& entry) const {
    const VerdictRecord& record = entry.record;
    if ((verdicts_only || min_confidence > 0 || !check.empty()) &&
        record.kind != VerdictRecord::Kind::verdict) {
        return false;
    }
    if (!player.empty() && !same_letters(player, record.player.name.view()) &&
        parse_uuid(player) != record.player.uuid) {
        return false;
    }
    return (check.empty() || check == entry.check) && (!address || comes_from(record, *address)) &&
           (!since || record.time >= *since) && (!until || record.time < *until) &&
           static_cast<double>(record.confidence) + 1e-6 >= min_confidence;
}

class Reader::View {
public:
    explicit View(const std::string& path) : path_(path) {
        std::error_code error;
        if (lost_its_beginning(path)) {
            throw SetupError("verdict log " + path + ": its file CURRENT is not there; " +
                             damage_advice(path));
        }
        const bool there = std::filesystem::exists(path + "/CURRENT", error);
        if (error == std::errc::permission_denied) {
            throw SetupError(explain(path, {Problem::Kind::refused, error.message()}));
        }
        if (!there) {
            throw SetupError("there is no verdict log at " + path +
                             (error ? ": " + error.message() : std::string()) +
                             "; is the path right, and has the appliance run?");
        }
        // Nothing is left of it, even by who is killed.
        const ScratchDirectory scratch;
        // A writer that is just starting or compacting takes files away under us.
        for (unsigned tries = 1;; ++tries) {
            const auto status = open(scratch.path());
            if (status.ok()) return;
            if (tries == tries_to_open) throw SetupError(explain(path, status));
            std::this_thread::sleep_for(between_tries);
        }
    }

    void catch_up() {
        const auto status = open_->db->TryCatchUpWithPrimary();
        if (!status.ok()) throw SetupError(explain(path_, status));
        read_floor();
    }

    std::optional<Entry> find(const VerdictId& id) const {
        if (id.milliseconds() < floor_ms_) return std::nullopt;
        std::string key, value;
        append_id(key, id);
        const auto status = open_->db->Get({}, open_->family(Family::records), key, &value);
        if (status.IsCorruption()) throw SetupError(explain(path_, status));
        if (!status.ok()) return std::nullopt;
        auto entry = decode_entry(id, as_bytes(value));
        if (!entry) ++unreadable_;
        return entry;
    }

    std::vector<Outcome> outcomes(const VerdictId& id) const {
        return outcomes_of(*open_, id, unreadable_);
    }

    void each(const Query& query, const std::function<bool(const Entry&)>& found) const {
        const auto prefix = index_prefix(query);
        const auto at = iterator(prefix ? Family::index : Family::records);
        const std::string start = prefix.value_or("");
        VerdictId first = first_id_at(query.since.value_or(Nanos{}));
        first = std::max(first, VerdictId{floor_ms_ << 16, 0});
        // One millisecond more, since an id only knows those.
        const VerdictId last = query.until
                                   ? first_id_at(*query.until + std::chrono::milliseconds(1))
                                   : VerdictId{~0ull, ~0ull};
        seek(*at, start, query.newest_first ? last : first, query.newest_first);
        for (; at->Valid(); query.newest_first ? at->Prev() : at->Next()) {
            const std::string_view key = view(at->key());
            ++keys_read_;
            if (!key.starts_with(start)) break;
            if (key.size() != start.size() + id_size) continue;  // Another, longer name's.
            const VerdictId id = id_at(key, start.size());
            if (id < first || id > last) break;
            const auto entry = prefix ? find(id) : decode(id, view(at->value()));
            if (entry && query.matches(*entry) && !found(*entry)) return;
        }
        if (!at->status().ok()) throw SetupError(explain(path_, at->status()));
    }

    uint64_t unreadable() const noexcept { return unreadable_; }
    uint64_t keys_read() const noexcept { return keys_read_; }

private:
    rocksdb::Status open(const std::string& scratch) {
        auto opened = std::make_unique<OpenDatabase>();
        rocksdb::DBOptions options = database_options();
        options.create_if_missing = false;
        options.create_missing_column_families = false;
        options.max_open_files = -1;  // A secondary keeps files that the writer removes.
        options.info_log = std::make_shared<Silence>();
        rocksdb::DB* db = nullptr;
        auto status = rocksdb::DB::OpenAsSecondary(options, path_, scratch, family_descriptors({}),
                                                   &opened->families, &db);
        opened->db.reset(db);
        if (!status.ok()) return status;
        open_ = std::move(opened);
        status = open_->db->TryCatchUpWithPrimary();
        read_floor();
        return status;
    }

    void read_floor() {
        std::string value;
        const auto status =
            open_->db->Get({}, open_->family(Family::about), slice(floor_key), &value);
        if (status.ok() && value.size() == 8) floor_ms_ = big_endian_at(value, 0);
    }

    std::unique_ptr<rocksdb::Iterator> iterator(Family family) const {
        return std::unique_ptr<rocksdb::Iterator>(
            open_->db->NewIterator({}, open_->family(family)));
    }

    /// Of the narrowest way to ask; nothing when only a scan over time answers.
    static std::optional<std::string> index_prefix(const Query& query) {
        if (const auto uuid = parse_uuid(query.player)) return uuid_prefix(*uuid);
        if (!query.player.empty()) return player_prefix(query.player);
        if (query.address && query.address->bits == 128) {
            return address_prefix(query.address->address);
        }
        if (!query.check.empty()) return check_prefix(query.check);
        return std::nullopt;
    }

    static void seek(rocksdb::Iterator& at, const std::string& prefix, const VerdictId& id,
                     bool backwards) {
        std::string key = prefix;
        append_id(key, id);
        backwards ? at.SeekForPrev(key) : at.Seek(key);
    }

    std::optional<Entry> decode(const VerdictId& id, std::string_view value) const {
        auto entry = decode_entry(id, as_bytes(value));
        if (!entry) ++unreadable_;
        return entry;
    }

    std::string path_;
    std::unique_ptr<OpenDatabase> open_;
    uint64_t floor_ms_ = 0;
    mutable uint64_t unreadable_ = 0;
    mutable uint64_t keys_read_ = 0;
};

Reader::Reader(const std::string& path) : view_(std::make_unique<View>(path)) {}
Reader::~Reader() = default;

void Reader::catch_up() { view_->catch_up(); }
void Reader::each(const Query& query, const std::function<bool(const Entry&)>& found) const {
    view_->each(query, found);
}
std::optional<Entry> Reader::find(const VerdictId& id) const { return view_->find(id); }
std::vector<Outcome> Reader::outcomes(const VerdictId& id) const { return view_->outcomes(id); }
uint64_t Reader::keys_read() const noexcept { return view_->keys_read(); }
uint64_t Reader::unreadable() const noexcept { return view_->unreadable(); }

}  // namespace portcullis::verdicts
