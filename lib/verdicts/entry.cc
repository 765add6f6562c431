#include "verdicts/entry.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/reader.h"

namespace portcullis::verdicts {

namespace {

/// Never renumber, never reuse.
enum class EntryField : uint8_t {
    kind = 1,
    protocol = 2,
    mode = 3,
    action = 4,
    check = 5,
    end = 6,
    service = 7,
    worker = 8,
    acts = 9,
    confidence = 10,
    level = 11,
    repeats = 12,
    time = 13,
    client = 14,
    server = 15,
    player_name = 16,
    player_uuid = 17,
    player_version = 18,
    observed = 19,
    limit = 20,
    unit = 21,
    note = 22,
    player_address = 23,
    player_loader = 24,
    player_floodgate = 25,
    through_proxy = 26,
    only_claimed = 27,
    asked = 28,  ///< Once for each: target, place, name.
};

enum class OutcomeField : uint8_t {
    target = 1,
    result = 2,
    place = 3,
    attempts = 4,
    time = 5,
    detail = 6,
    name = 7,
};

// Of targets, too, in `asked` and in the keys of outcomes.
static_assert(static_cast<int>(Target::rcon) == 0);
static_assert(static_cast<int>(Target::webhook) == 1);
static_assert(static_cast<int>(Target::blocklist) == 2);
static_assert(static_cast<int>(Target::wire) == 3);

// Of kinds the log holds the numbers.
static_assert(static_cast<int>(VerdictRecord::Kind::verdict) == 0);
static_assert(static_cast<int>(VerdictRecord::Kind::login) == 1);
static_assert(static_cast<int>(VerdictRecord::Kind::disconnect) == 2);
static_assert(static_cast<int>(VerdictRecord::Kind::opaque) == 3);

constexpr size_t field_size_max = 255;
constexpr size_t v4_endpoint_size = 6;
constexpr size_t v6_endpoint_size = 18;

class Encoder {
public:
    explicit Encoder(std::string& out) : out_(out) {
        out_.push_back(static_cast<char>(encoding_version));
    }

    template <class Field>
    void text(Field field, std::string_view value) {
        if (value.empty()) return;
        value = value.substr(0, field_size_max);
        out_.push_back(static_cast<char>(field));
        out_.push_back(static_cast<char>(value.size()));
        out_.append(value);
    }

    /// Big-endian without leading zero bytes; 0 is not written.
    template <class Field>
    void number(Field field, uint64_t value) {
        const uint64_t big = std::byteswap(value);
        const size_t zeroes = static_cast<size_t>(std::countl_zero(value)) / 8;
        text(field, as_text(as_bytes(&big, sizeof big).subspan(zeroes)));
    }

    /// Whole, so that NaN and -0 come back as they were; +0 is not written.
    template <class Field>
    void real(Field field, double value) {
        number(field, std::bit_cast<uint64_t>(value));
    }

    template <class Field>
    void endpoint(Field field, const Endpoint& value) {
        const size_t skip = value.address.is_v4() ? 12 : 0;
        std::string bytes(as_text(as_bytes(value.address.octets.data() + skip, 16 - skip)));
        bytes.push_back(static_cast<char>(value.port >> 8));
        bytes.push_back(static_cast<char>(value.port & 0xff));
        text(field, bytes);
    }

private:
    std::string& out_;
};

uint64_t number_in(Bytes in) noexcept {
    uint64_t value = 0;
    for (const std::byte b : in) value = value << 8 | static_cast<uint8_t>(b);
    return value;
}

double real_in(Bytes in) noexcept { return std::bit_cast<double>(number_in(in)); }

Endpoint endpoint_in(Bytes in) noexcept {
    Endpoint value;
    if (in.size() == v4_endpoint_size) {
        value.address = IpAddress::v4(static_cast<uint32_t>(number_in(in.first(4))));
    } else if (in.size() == v6_endpoint_size) {
        std::memcpy(value.address.octets.data(), in.data(), 16);
    } else {
        return value;
    }
    value.port = static_cast<uint16_t>(number_in(in.last(2)));
    return value;
}

/// A kind that this build does not know reads as `count`, as such a name does.
VerdictRecord::Kind kind_in(Bytes in) noexcept {
    constexpr auto count = static_cast<uint64_t>(VerdictRecord::Kind::count);
    return static_cast<VerdictRecord::Kind>(std::min(number_in(in), count));
}

/// A name that this build does not know reads as the enum's `count`, which
/// prints as "unknown".
template <class Enum>
void read_name(Enum& into, const NameTable<Enum>& names, Bytes in) noexcept {
    into = value_in<Enum>(names, as_text(in)).value_or(Enum::count);
}

/// Calls `take(tag, bytes)` for each field.  False when the bytes are damaged.
template <class Take>
bool each_field(Bytes in, Take&& take) {
    portcullis::Reader reader(in);
    if (reader.u8() != encoding_version) return false;
    while (!reader.empty()) {
        const uint8_t tag = reader.u8();
        const Bytes value = reader.bytes(reader.u8());
        if (!reader.ok()) return false;
        take(tag, value);
    }
    return true;
}

void take_uuid(protocol::Uuid& uuid, Bytes value) {
    if (value.size() == uuid.size()) std::memcpy(uuid.data(), value.data(), value.size());
}

/// What is said of the player; anything else is skipped.
void take_field(PlayerIdentity& player, EntryField field, Bytes value) {
    switch (field) {
        case EntryField::player_name:
            player.name = as_text(value);
            break;
        case EntryField::player_uuid:
            take_uuid(player.uuid, value);
            break;
        case EntryField::player_version:
            player.version = static_cast<int32_t>(number_in(value));
            break;
        case EntryField::player_address:
            player.address = endpoint_in(value).address;
            break;
        case EntryField::player_loader:
            player.loader = as_text(value);
            break;
        case EntryField::player_floodgate:
            player.floodgate = number_in(value) != 0;
            break;
        default:
            break;
    }
}

/// Of targets of later builds nobody here could tell anything.
void take_asked(std::vector<Asked>& asked, Bytes value) {
    if (value.size() < 2 || static_cast<size_t>(value[0]) >= target_names.size()) return;
    asked.push_back(
        {static_cast<Target>(value[0]), static_cast<uint8_t>(value[1]), as_text(value.subspan(2))});
}

void take_field(Entry& entry, EntryField field, Bytes value) {
    VerdictRecord& record = entry.record;
    switch (field) {
        case EntryField::kind:
            record.kind = kind_in(value);
            break;
        case EntryField::protocol:
            read_name(record.protocol, protocol::protocol_names, value);
            break;
        case EntryField::mode:
            read_name(record.mode, mode_names, value);
            break;
        case EntryField::action:
            read_name(record.action, policy::action_names, value);
            break;
        case EntryField::check:
            entry.check = as_text(value);
            break;
        case EntryField::end:
            read_name(record.end, end_reason_names, value);
            break;
        case EntryField::service:
            entry.service = as_text(value);
            break;
        case EntryField::worker:
            record.worker = static_cast<uint16_t>(number_in(value));
            break;
        case EntryField::acts:
            record.acts = number_in(value) != 0;
            break;
        case EntryField::confidence:
            record.confidence = static_cast<float>(real_in(value));
            break;
        case EntryField::level:
            record.level = static_cast<float>(real_in(value));
            break;
        case EntryField::repeats:
            record.repeats = static_cast<uint32_t>(number_in(value));
            break;
        case EntryField::time:
            record.time = Nanos(static_cast<int64_t>(number_in(value)));
            break;
        case EntryField::client:
            record.client = endpoint_in(value);
            break;
        case EntryField::server:
            record.server = endpoint_in(value);
            break;
        case EntryField::observed:
            record.observed = real_in(value);
            break;
        case EntryField::limit:
            record.limit = real_in(value);
            break;
        case EntryField::unit:
            record.unit.assign(as_text(value));
            break;
        case EntryField::note:
            record.note.assign(as_text(value));
            break;
        case EntryField::through_proxy:
            record.through_proxy = number_in(value) != 0;
            break;
        case EntryField::only_claimed:
            record.in_game = number_in(value) == 0;
            break;
        default:
            take_field(record.player, field, value);
            break;
    }
}

void take_field(Outcome& outcome, OutcomeField field, Bytes value) {
    switch (field) {
        case OutcomeField::target:
            read_name(outcome.target, target_names, value);
            break;
        case OutcomeField::result:
            read_name(outcome.result, result_names, value);
            break;
        case OutcomeField::place:
            outcome.place = static_cast<uint8_t>(number_in(value));
            break;
        case OutcomeField::attempts:
            outcome.attempts = static_cast<uint32_t>(number_in(value));
            break;
        case OutcomeField::time:
            outcome.time = Nanos(static_cast<int64_t>(number_in(value)));
            break;
        case OutcomeField::detail:
            outcome.detail.assign(as_text(value));
            break;
        case OutcomeField::name:
            outcome.name.assign(as_text(value));
            break;
    }
}

constexpr bool empty(const protocol::Uuid& uuid) noexcept { return uuid == protocol::Uuid{}; }

}  // namespace

void encode(std::string& out, const VerdictRecord& record, std::string_view check,
            std::string_view service, std::span<const Asked> asked) {
    using Kind = VerdictRecord::Kind;
    using Field = EntryField;
    Encoder to(out);
    to.number(Field::kind, static_cast<uint64_t>(record.kind));
    to.number(Field::time, static_cast<uint64_t>(record.time.count()));
    to.text(Field::service, service);
    to.text(Field::protocol, name_in(protocol::protocol_names, record.protocol));
    to.endpoint(Field::client, record.client);
    to.endpoint(Field::server, record.server);
    to.text(Field::player_name, record.player.name.view());
    if (!empty(record.player.uuid)) {
        to.text(Field::player_uuid, as_text(as_bytes(record.player.uuid.data(), 16)));
    }
    to.number(Field::player_version, static_cast<uint32_t>(record.player.version));
    if (record.player.address_told()) {
        to.endpoint(Field::player_address, {record.player.address, 0});
    }
    to.text(Field::player_loader, record.player.loader.view());
    to.number(Field::player_floodgate, record.player.floodgate ? 1 : 0);
    to.number(Field::through_proxy, record.through_proxy ? 1 : 0);
    to.number(Field::only_claimed, record.in_game ? 0 : 1);
    to.number(Field::worker, record.worker);
    if (record.kind == Kind::disconnect) {
        to.text(Field::end, name_in(end_reason_names, record.end));
    }
    if (record.kind != Kind::verdict) return;
    to.text(Field::check, check);
    to.text(Field::mode, name_in(mode_names, record.mode));
    to.text(Field::action, name_in(policy::action_names, record.action));
    to.number(Field::acts, record.acts ? 1 : 0);
    to.real(Field::confidence, record.confidence);
    to.real(Field::level, record.level);
    to.number(Field::repeats, record.repeats);
    to.real(Field::observed, record.observed);
    to.real(Field::limit, record.limit);
    to.text(Field::unit, record.unit.view());
    to.text(Field::note, record.note.view());
    for (const Asked& one : asked) {
        std::string text = {static_cast<char>(one.target), static_cast<char>(one.place)};
        to.text(Field::asked, text += one.name.view());
    }
}

void encode(std::string& out, const Outcome& outcome) {
    using Field = OutcomeField;
    Encoder to(out);
    to.text(Field::target, name_in(target_names, outcome.target));
    to.text(Field::result, name_in(result_names, outcome.result));
    to.number(Field::place, outcome.place);
    to.number(Field::attempts, outcome.attempts);
    to.number(Field::time, static_cast<uint64_t>(outcome.time.count()));
    to.text(Field::detail, outcome.detail.view());
    to.text(Field::name, outcome.name.view());
}

std::optional<Entry> decode_entry(const VerdictId& id, Bytes in) {
    Entry entry;
    entry.record.in_game = true;  // What older builds wrote does not say.
    const auto take = [&](uint8_t tag, Bytes value) {
        const auto field = static_cast<EntryField>(tag);
        if (field == EntryField::asked) return take_asked(entry.asked, value);
        take_field(entry, field, value);
    };
    if (!each_field(in, take)) return std::nullopt;
    entry.record.id_high = id.high;
    entry.record.id_low = id.low;
    return entry;
}

std::optional<Outcome> decode_outcome(const VerdictId& verdict, Bytes in) {
    Outcome outcome;
    const auto take = [&](uint8_t tag, Bytes value) {
        take_field(outcome, static_cast<OutcomeField>(tag), value);
    };
    if (!each_field(in, take)) return std::nullopt;
    outcome.verdict = verdict;
    return outcome;
}

}  // namespace portcullis::verdicts
