#include "verdicts/database.h"

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include <fcntl.h>
#include <unistd.h>

namespace portcullis::verdicts {

namespace {

namespace fs = std::filesystem;

constexpr size_t memtable_bytes = 32u << 20;       ///< Of one family.
constexpr size_t memtables_bytes_max = 96u << 20;  ///< Of all together.
constexpr uint64_t wal_bytes_max = 128u << 20;     ///< What a restart reads at most.
constexpr size_t info_log_bytes_max = 1u << 20;
constexpr uint64_t look_at_old_files_every_s = 24 * 3600;

/// RocksDB has no code for it, only words.
bool says_held(const rocksdb::Status& status) {
    const std::string_view words = status.getState() != nullptr ? status.getState() : "";
    return words.starts_with("lock hold by current process") ||
           (words.starts_with("While lock file: ") && words.ends_with(std::strerror(EAGAIN)));
}

/// Whether this user may not do with the directory, or with a file in it, what he must.  The
/// system is asked again, for RocksDB has only words for that as well.
bool refused(const std::string& path, int mode) {
    const auto denied = [](const std::string& what, int wanted) {
        return faccessat(AT_FDCWD, what.c_str(), wanted, AT_EACCESS) != 0 && errno == EACCES;
    };
    if (denied(path, mode | X_OK)) return true;
    std::error_code failed;
    fs::directory_iterator at(path, failed);
    for (; !failed && at != fs::directory_iterator(); at.increment(failed)) {
        const bool locked = at->path().filename() == "LOCK";
        if (denied(at->path(), locked ? mode : R_OK)) return true;
    }
    return false;
}

}  // namespace

Problem problem_of(const rocksdb::Status& status, const std::string& path, int mode) {
    using Kind = Problem::Kind;
    const Kind kind = says_held(status)         ? Kind::held
                      : status.IsCorruption()   ? Kind::damaged
                      : refused(path, mode)     ? Kind::refused
                      : status.IsPathNotFound() ? Kind::damaged
                                                : Kind::other;
    return {kind, status.ToString()};
}

void Losses::Logv(const char* format, va_list arguments) {
    std::array<char, 1024> text;
    vsnprintf(text.data(), text.size(), format, arguments);
    const std::string line = text.data();
    if (line.contains(": dropping ") || line.contains(": ignoring ")) hear_(line);
}

rocksdb::DBOptions database_options() {
    rocksdb::DBOptions options;
    options.create_if_missing = true;
    options.create_missing_column_families = true;
    options.db_write_buffer_size = memtables_bytes_max;
    options.max_total_wal_size = wal_bytes_max;
    options.max_background_jobs = 2;
    // RocksDB's own diary; what matters of it reaches the operator as a Problem.
    options.info_log_level = rocksdb::InfoLogLevel::WARN_LEVEL;
    options.max_log_file_size = info_log_bytes_max;
    options.keep_log_file_num = 2;
    // The WAL has it all; a shutdown must not wait for a flush.
    options.avoid_flush_during_shutdown = true;
    return options;
}

std::vector<rocksdb::ColumnFamilyDescriptor> family_descriptors(
    std::span<const std::unique_ptr<AgeFilter>> filters) {
    rocksdb::ColumnFamilyOptions options;
    options.write_buffer_size = memtable_bytes;
    options.compression = rocksdb::kLZ4Compression;
    options.level_compaction_dynamic_level_bytes = true;
    // Files that nothing else touches would keep what is too old for ever.
    options.periodic_compaction_seconds = look_at_old_files_every_s;
    std::vector<rocksdb::ColumnFamilyDescriptor> descriptors;
    for (size_t i = 0; i < family_names.size(); ++i) {
        options.compaction_filter = i < filters.size() ? filters[i].get() : nullptr;
        descriptors.emplace_back(std::string(family_names[i]), options);
    }
    return descriptors;
}

std::vector<Outcome> outcomes_of(const OpenDatabase& open, const VerdictId& id,
                                 uint64_t& unreadable) {
    std::vector<Outcome> found;
    std::string prefix;
    append_id(prefix, id);
    const std::unique_ptr<rocksdb::Iterator> at(
        open.db->NewIterator({}, open.family(Family::outcomes)));
    for (at->Seek(prefix); at->Valid() && view(at->key()).starts_with(prefix); at->Next()) {
        if (const auto outcome = decode_outcome(id, as_bytes(view(at->value())))) {
            found.push_back(*outcome);
        } else {
            ++unreadable;
        }
    }
    return found;
}

}  // namespace portcullis::verdicts
