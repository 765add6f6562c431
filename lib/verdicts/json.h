#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "records/record.h"
#include "verdicts/entry.h"

/// Records as text: one JSON object a line for programs, one short line for
/// people.  `inspect`, `verdicts export`, webhooks and the log of a running
/// appliance all speak through here, so a record reads the same everywhere.
namespace portcullis::verdicts {

/// Knows who is asked to do something about a record.
class Asking {
public:
    virtual ~Asking() = default;
    /// Any thread.
    virtual std::vector<Asked> asked(const VerdictRecord& record) const = 0;
};

/// What the indices in a record mean: in a build (checks) and in a
/// configuration (services); and, of the one who acts, who is asked about it.  What is
/// referred to outlives the Names.
struct Names {
    std::span<const std::string_view> checks;
    std::span<const std::string_view> services;
    const Asking* asking = nullptr;

    std::string_view check(const VerdictRecord& record) const noexcept {
        return record.check < checks.size() ? checks[record.check] : "unknown";
    }
    std::string_view service(const VerdictRecord& record) const noexcept {
        return record.service < services.size() ? services[record.service] : "unknown";
    }
    std::vector<Asked> asked(const VerdictRecord& record) const {
        return asking != nullptr ? asking->asked(record) : std::vector<Asked>();
    }
};

/// Appends the object without a newline.  Keys stand in a fixed order, so equal
/// records give equal bytes.  Numbers are the shortest that read back the same.
void append_json(std::string& out, const VerdictRecord& record, std::string_view check,
                 std::string_view service);
/// Appends one line for people, without a newline and without colours.
void append_text(std::string& out, const VerdictRecord& record, std::string_view check,
                 std::string_view service);

inline std::string to_json(const VerdictRecord& record, const Names& names) {
    std::string out;
    append_json(out, record, names.check(record), names.service(record));
    return out;
}
inline std::string to_text(const VerdictRecord& record, const Names& names) {
    std::string out;
    append_text(out, record, names.check(record), names.service(record));
    return out;
}

/// The pieces, for other records of the same family (`packet`, `summary`).
/// A JSON string with its quotes; bytes that are not UTF-8 become U+FFFD.
void append_json_string(std::string& out, std::string_view text);
/// As it is, but for bytes that are not UTF-8: those become U+FFFD.
void append_valid_utf8(std::string& out, std::string_view text);
/// The shortest number that reads back the same; null when JSON has none.
void append_json_number(std::string& out, double value);
void append_json_number(std::string& out, float value);
/// {"client":"198.51.100.7:50122","server":"10.0.0.2:25565"}
void append_json_flow(std::string& out, const Endpoint& client, const Endpoint& server);

struct Ends {
    Endpoint client, server;
};
/// A `packet` record without its fields and the brace that ends it.
void append_packet_head(std::string& out, Nanos time, const Ends& flow,
                        protocol::Direction direction, std::string_view state,
                        std::string_view name);

/// "2026-11-20T03:21:07.123456Z": RFC 3339, UTC, microseconds.
void append_time(std::string& out, Nanos since_epoch);
std::string time_text(Nanos since_epoch);
/// "2026-11-20T03:21:07.123456Z", any count of second digits, or a date alone.
/// Nothing when it is no such moment.
std::optional<Nanos> parse_time(std::string_view text);

/// "069a79f4-44e9-4726-a5be-fca90e38aaf5"
std::string uuid_text(const protocol::Uuid& uuid);
std::optional<protocol::Uuid> parse_uuid(std::string_view text);

}  // namespace portcullis::verdicts
