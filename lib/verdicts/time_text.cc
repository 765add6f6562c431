#include <charconv>
#include <chrono>

#include "base/hex.h"
#include "records/id.h"
#include "verdicts/json.h"

namespace portcullis::verdicts {

namespace {

void append_padded(std::string& out, uint64_t value, size_t width) {
    char text[20];
    const auto end = std::to_chars(text, text + sizeof text, value).ptr;
    const auto size = static_cast<size_t>(end - text);
    if (size < width) out.append(width - size, '0');
    out.append(text, end);
}

/// Takes exactly `width` digits off the front.
std::optional<int> take_digits(std::string_view& text, size_t width) {
    if (text.size() < width) return std::nullopt;
    int value = 0;
    for (const char c : text.substr(0, width)) {
        if (c < '0' || c > '9') return std::nullopt;
        value = value * 10 + (c - '0');
    }
    text.remove_prefix(width);
    return value;
}

bool take(std::string_view& text, char c) {
    if (!text.starts_with(c)) return false;
    text.remove_prefix(1);
    return true;
}

/// ".123456" as nanoseconds; digits after the ninth say nothing.
std::optional<Nanos> take_fraction(std::string_view& text) {
    if (!take(text, '.')) return Nanos{0};
    int64_t nanos = 0;
    int64_t unit = 100'000'000;
    size_t count = 0;
    while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
        nanos += unit * (text.front() - '0');
        unit /= 10;
        text.remove_prefix(1);
        ++count;
    }
    if (count == 0) return std::nullopt;
    return Nanos{nanos};
}

constexpr bool uuid_dash_at(size_t i) noexcept { return i == 8 || i == 13 || i == 18 || i == 23; }

}  // namespace

void append_time(std::string& out, Nanos since_epoch) {
    using namespace std::chrono;
    const auto micros = floor<microseconds>(since_epoch);
    const auto day = floor<days>(micros);
    const year_month_day date{sys_days{day}};
    const hh_mm_ss clock{micros - day};
    append_padded(out, static_cast<uint64_t>(int{date.year()}), 4);
    out += '-';
    append_padded(out, unsigned{date.month()}, 2);
    out += '-';
    append_padded(out, unsigned{date.day()}, 2);
    out += 'T';
    append_padded(out, static_cast<uint64_t>(clock.hours().count()), 2);
    out += ':';
    append_padded(out, static_cast<uint64_t>(clock.minutes().count()), 2);
    out += ':';
    append_padded(out, static_cast<uint64_t>(clock.seconds().count()), 2);
    out += '.';
    append_padded(out, static_cast<uint64_t>(clock.subseconds().count()), 6);
    out += 'Z';
}

std::string time_text(Nanos since_epoch) {
    std::string text;
    append_time(text, since_epoch);
    return text;
}

std::optional<Nanos> parse_time(std::string_view text) {
    using namespace std::chrono;
    const auto y = take_digits(text, 4);
    if (!y || !take(text, '-')) return std::nullopt;
    const auto m = take_digits(text, 2);
    if (!m || !take(text, '-')) return std::nullopt;
    const auto d = take_digits(text, 2);
    if (!d) return std::nullopt;
    const year_month_day date{year{*y}, month{static_cast<unsigned>(*m)},
                              day{static_cast<unsigned>(*d)}};
    // Nanos since 1970 end in 2262.
    if (!date.ok() || *y < 1970 || *y > 2261) return std::nullopt;
    Nanos time = sys_days{date}.time_since_epoch();
    if (text.empty()) return time;
    if (!take(text, 'T') && !take(text, ' ')) return std::nullopt;
    const auto hour = take_digits(text, 2);
    if (!hour || *hour > 23 || !take(text, ':')) return std::nullopt;
    const auto minute = take_digits(text, 2);
    if (!minute || *minute > 59) return std::nullopt;
    time += hours{*hour} + minutes{*minute};
    if (take(text, ':')) {
        const auto second = take_digits(text, 2);
        if (!second || *second > 60) return std::nullopt;
        const auto fraction = take_fraction(text);
        if (!fraction) return std::nullopt;
        time += seconds{*second} + *fraction;
    }
    take(text, 'Z');
    return text.empty() ? std::optional(time) : std::nullopt;
}

std::string uuid_text(const protocol::Uuid& uuid) {
    std::string text;
    text.reserve(36);
    for (const uint8_t octet : uuid) {
        if (uuid_dash_at(text.size())) text += '-';
        append_hex(text, as_bytes(&octet, 1));
    }
    return text;
}

std::optional<protocol::Uuid> parse_uuid(std::string_view text) {
    const auto id = parse_id(text);
    if (!id) return std::nullopt;
    protocol::Uuid uuid;
    for (unsigned i = 0; i < 8; ++i) {
        uuid[i] = static_cast<uint8_t>(id->high >> (56 - 8 * i));
        uuid[8 + i] = static_cast<uint8_t>(id->low >> (56 - 8 * i));
    }
    return uuid;
}

}  // namespace portcullis::verdicts
