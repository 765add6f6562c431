#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/ip.h"
#include "verdicts/entry.h"

namespace portcullis::verdicts {

/// Which entries; what is not named does not matter.
struct Query {
    std::string player{};  ///< Name in any case, or UUID.
    std::string check{};   ///< "family.name"
    std::optional<IpPrefix> address{};
    std::optional<Nanos> since{};  ///< This moment and later.
    std::optional<Nanos> until{};  ///< Before this moment.
    double min_confidence = 0;     ///< Above 0 it means verdicts only.
    bool verdicts_only = false;
    bool newest_first = false;

    bool matches(const Entry& entry) const;
};

/// Reads a verdict log, also one that a running appliance writes to: it opens
/// it beside the writer, sees what was committed so far, and changes nothing.
class Reader {
public:
    /// Throws SetupError: no log there, no permission, damaged.
    explicit Reader(const std::string& path);
    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;
    ~Reader();

    /// Takes in what was committed since it was opened.
    void catch_up();

    /// Calls `found` in order of time until it returns false.  A query with a
    /// player, an address or a check is a range read, not a scan.
    void each(const Query& query, const std::function<bool(const Entry&)>& found) const;
    std::optional<Entry> find(const VerdictId& id) const;
    std::vector<Outcome> outcomes(const VerdictId& id) const;
    /// Keys looked at so far, of the index or of the records: what a query costs.
    uint64_t keys_read() const noexcept;
    /// Entries met so far that this build could not decode.
    uint64_t unreadable() const noexcept;

private:
    class View;
    std::unique_ptr<View> view_;
};

}  // namespace portcullis::verdicts
