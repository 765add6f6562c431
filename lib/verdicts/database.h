#pragma once

#include <atomic>
#include <cstdarg>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <rocksdb/compaction_filter.h>
#include <rocksdb/db.h>

#include "verdicts/entry.h"
#include "verdicts/keys.h"
#include "verdicts/problem.h"

/// RocksDB as the log uses it, for store.cc and reader.cc only.
namespace portcullis::verdicts {

inline rocksdb::Slice slice(std::string_view text) noexcept { return {text.data(), text.size()}; }
inline std::string_view view(const rocksdb::Slice& slice) noexcept {
    return {slice.data(), slice.size()};
}

/// Drops records, index rows and outcomes whose id is older than the floor.
class AgeFilter final : public rocksdb::CompactionFilter {
public:
    AgeFilter(const std::atomic<uint64_t>& floor_ms, bool id_is_last) noexcept
        : floor_ms_(floor_ms), id_is_last_(id_is_last) {}

    bool Filter(int, const rocksdb::Slice& key, const rocksdb::Slice&, std::string*,
                bool*) const override {
        if (key.size() < id_size) return false;
        const VerdictId id = id_at(view(key), id_is_last_ ? key.size() - id_size : 0);
        return id.milliseconds() < floor_ms_.load(std::memory_order_relaxed);
    }
    const char* Name() const override { return "portcullis.age"; }

private:
    const std::atomic<uint64_t>& floor_ms_;
    bool id_is_last_;
};

/// An open database with its families, in the order of Family.
struct OpenDatabase {
    std::unique_ptr<rocksdb::DB> db;
    std::vector<rocksdb::ColumnFamilyHandle*> families;

    OpenDatabase() = default;
    OpenDatabase(const OpenDatabase&) = delete;
    OpenDatabase& operator=(const OpenDatabase&) = delete;
    ~OpenDatabase() {
        for (auto* family : families) db->DestroyColumnFamilyHandle(family);
    }

    rocksdb::ColumnFamilyHandle* family(Family which) const noexcept {
        return families[static_cast<size_t>(which)];
    }
};

/// How what a verdict asked for ended; what cannot be read is left out and counted.
std::vector<Outcome> outcomes_of(const OpenDatabase& open, const VerdictId& id,
                                 uint64_t& unreadable);

/// Of what RocksDB says beside its statuses, that bytes could not be read and are left out.
/// Keeps no file: writing one to a full disk is where RocksDB aborts.
class Losses final : public rocksdb::Logger {
public:
    explicit Losses(std::function<void(const std::string& line)> hear) : hear_(std::move(hear)) {}
    using rocksdb::Logger::Logv;
    void Logv(const char* format, va_list arguments) override;

private:
    std::function<void(const std::string& line)> hear_;
};

/// Why a log could not be opened.  `mode` is what was wanted, as access(2) has it.
Problem problem_of(const rocksdb::Status& status, const std::string& path, int mode);

rocksdb::DBOptions database_options();
/// `filters` may be empty: a reader drops nothing.
std::vector<rocksdb::ColumnFamilyDescriptor> family_descriptors(
    std::span<const std::unique_ptr<AgeFilter>> filters);

}  // namespace portcullis::verdicts
