#include "verdicts/database.h"

#include <array>
#include <chrono>
#include <cstdio>

namespace portcullis::verdicts {

namespace {

constexpr size_t memtable_bytes = 32u << 20;       ///< Of one family.
constexpr size_t memtables_bytes_max = 96u << 20;  ///< Of all together.
constexpr uint64_t wal_bytes_max = 128u << 20;     ///< What a restart reads at most.
constexpr size_t info_log_bytes_max = 1u << 20;
constexpr uint64_t look_at_old_files_every_s = 24 * 3600;

}  // namespace

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
