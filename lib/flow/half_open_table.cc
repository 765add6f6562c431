#include "flow/half_open_table.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <span>

#include "flow/flow.h"

namespace portcullis {

namespace {

/// Without all options of a SYN seen, believe the widest (RFC 7323 2.3).
constexpr uint8_t scale_unknown = stream::TcpOptions::scale_max;

}  // namespace

struct HalfOpenTable::Entry {
    /// A SYN of the client; one that was not seen takes anything.
    struct Offer {
        Seq isn;
        uint32_t timestamp = 0;
        uint16_t window = 0xffff;
        uint8_t scale = scale_unknown;
        SideSet from;
    };
    struct Answer {
        Seq client_isn, server_isn;
    };
    Offer offer;                    ///< The latest, if `offered`.
    std::array<Answer, 2> answers;  ///< The latest first.
    // Of the SYN that the latest answer is to:
    uint32_t client_timestamp = 0;
    uint16_t client_window = 0;
    uint8_t client_scale = 0;

    uint8_t server_scale = 0;
    uint16_t server_window = 0;
    uint32_t server_timestamp = 0;
    uint8_t answer_count = 0;
    SideSet answered_from;
    bool offered : 1 = false;
    bool scaled : 1 = false;      ///< Both sides named a window scale.
    bool timestamps : 1 = false;  ///< Both sides sent one.
    bool sack : 1 = false;
};

/// The first two lines find an entry or a victim; only then one of the others
/// is read.
struct alignas(64) HalfOpenTable::Set {
    static constexpr unsigned ways = 8;

    std::array<uint64_t, ways> hashes{};  ///< 0: free.
    alignas(64) std::array<uint32_t, ways> began_ms{};
    std::array<bool, ways> answered{};
    std::array<Entry, ways> entries;
};

namespace {

/// Wraps after 49 days, far beyond any timeout.
constexpr auto in_ms = Flow::in_ms;

uint64_t name_of(uint64_t hash) noexcept { return hash == 0 ? 1 : hash; }

}  // namespace

HalfOpenTable::HalfOpenTable(uint32_t capacity, Nanos timeout)
    : timeout_ms_(in_ms(timeout)),
      set_count_((capacity + Set::ways - 1) / Set::ways + (capacity == 0 ? 1 : 0)),
      sets_(set_count_) {}

HalfOpenTable::~HalfOpenTable() = default;

HalfOpenTable::Set& HalfOpenTable::set_of(uint64_t hash) const noexcept {
    return sets_[(hash >> 32) * set_count_ >> 32];
}

void HalfOpenTable::fetch(uint64_t hash) const noexcept {
    const auto* at = reinterpret_cast<const std::byte*>(&set_of(hash));
    __builtin_prefetch(at);
    __builtin_prefetch(at + 64);
}

std::optional<HalfOpenTable::Found> HalfOpenTable::find(uint64_t hash) const noexcept {
    Set& set = set_of(hash);
    for (unsigned way = 0; way < Set::ways; ++way) {
        if (set.hashes[way] == name_of(hash)) return Found{&set, way};
    }
    return std::nullopt;
}

bool HalfOpenTable::stale(const Found& found, Nanos now) const noexcept {
    const uint32_t most = found.set->answered[found.way] ? in_ms(answer_lifetime) : timeout_ms_;
    return in_ms(now) - found.set->began_ms[found.way] > most;
}

HalfOpenTable::Found HalfOpenTable::make(uint64_t hash, Nanos now, bool& evicted) noexcept {
    Set& set = set_of(hash);
    const uint32_t now_ms = in_ms(now);
    // The place that is free, else stale, else the oldest unanswered, else the
    // oldest: the highest rank, age breaking ties.
    constexpr uint64_t free_rank = 3, stale_rank = 2, lone_rank = 1, answered_rank = 0;
    unsigned victim = 0;
    uint64_t best = 0;
    for (unsigned way = 0; way < Set::ways; ++way) {
        const uint32_t age = now_ms - set.began_ms[way];
        const uint64_t rank = set.hashes[way] == 0      ? free_rank
                              : stale({&set, way}, now) ? stale_rank
                              : !set.answered[way]      ? lone_rank
                                                        : answered_rank;
        const uint64_t weight = rank << 33 | uint64_t{age} << 1 | 1;
        if (weight > best) {
            best = weight;
            victim = way;
        }
    }
    evicted = best >> 33 < stale_rank;
    if (set.hashes[victim] == 0) ++size_;
    set.hashes[victim] = name_of(hash);
    set.began_ms[victim] = now_ms;
    set.answered[victim] = false;
    set.entries[victim] = Entry{};
    return {&set, victim};
}

bool HalfOpenTable::client_offers(uint64_t hash, const TcpFields& syn, Nanos now,
                                  SideSet from) noexcept {
    bool evicted = false;
    const std::optional<Found> known = find(hash);
    const Found at = known ? *known : make(hash, now, evicted);
    Entry& entry = at.set->entries[at.way];
    const bool forged = !entry.offered && !from.empty() && entry.answered_from == from;
    if (known && (forged || stale(at, now))) forget_story(at);
    if (entry.offered && entry.offer.isn == syn.seq) from.add(entry.offer.from);
    at.set->began_ms[at.way] = in_ms(now);
    entry.offer = {syn.seq, syn.options.timestamp, syn.window,
                   syn.options.has_window_scale ? syn.options.window_scale : uint8_t{0}, from};
    entry.offered = true;
    return evicted;
}

SideSet HalfOpenTable::client_sides(uint64_t hash, Nanos now) const noexcept {
    const std::optional<Found> at = find(hash);
    if (!at || stale(*at, now)) return {};
    return at->set->entries[at->way].offer.from;
}

bool HalfOpenTable::server_offers(uint64_t hash, const TcpFields& syn, bool has_ack, Nanos now,
                                  SideSet from) noexcept {
    bool evicted = false;
    const std::optional<Found> known = find(hash);
    if (!known && !has_ack) return false;
    const Found at = known ? *known : make(hash, now, evicted);
    if (known && stale(at, now)) forget_story(at);
    Entry& entry = at.set->entries[at.way];

    const Entry::Answer answer = {has_ack ? syn.ack - 1 : entry.offer.isn, syn.seq};
    const bool again = entry.answer_count > 0 && entry.answers[0].client_isn == answer.client_isn;
    const bool seen = entry.offered && entry.offer.isn == answer.client_isn;
    if (seen || !again) {
        const Entry::Offer taken = seen ? entry.offer : Entry::Offer{};
        entry.client_timestamp = taken.timestamp;
        entry.client_window = taken.window;
        entry.client_scale = taken.scale;
    }
    // Which SYN it took the server says here too, so nobody else's number is believed (RFC
    // 7323 3.2).
    if (has_ack && syn.options.has_timestamps) entry.client_timestamp = syn.options.timestamp_echo;
    if (entry.answer_count == 0 || entry.answers[0].server_isn != answer.server_isn ||
        entry.answers[0].client_isn != answer.client_isn) {
        entry.answers[1] = entry.answers[0];
        entry.answers[0] = answer;
        if (entry.answer_count < entry.answers.size()) ++entry.answer_count;
    }
    at.set->answered[at.way] = true;
    at.set->began_ms[at.way] = in_ms(now);
    entry.answered_from.add(from);
    // A server names an option only if the client's SYN, the one it took, did.
    entry.server_window = syn.window;
    entry.server_timestamp = syn.options.timestamp;
    entry.server_scale = syn.options.window_scale;
    entry.scaled = syn.options.has_window_scale;
    entry.timestamps = syn.options.has_timestamps;
    entry.sack = syn.options.sack_permitted;
    return true;
}

std::optional<stream::Handshake> HalfOpenTable::complete(uint64_t hash,
                                                         const TcpFields& ack) noexcept {
    const std::optional<Found> at = find(hash);
    if (!at) return std::nullopt;
    const Entry& entry = at->set->entries[at->way];
    for (unsigned i = 0; i < entry.answer_count; ++i) {
        // Who knows this number got the answer.  Where his segment begins says
        // nothing: a server takes what of it lies in its window, also from one
        // that begins before the first byte, and so it must not go by unseen.
        if (ack.ack == entry.answers[i].server_isn + 1) return agree(*at, i);
    }
    return std::nullopt;
}

std::optional<stream::Handshake> HalfOpenTable::complete_by_server(
    uint64_t hash, const TcpFields& segment) noexcept {
    const std::optional<Found> at = find(hash);
    if (!at) return std::nullopt;
    const Entry& entry = at->set->entries[at->way];
    for (unsigned i = 0; i < entry.answer_count; ++i) {
        const Entry::Answer& answer = entry.answers[i];
        if (segment.seq == answer.server_isn + 1 && segment.ack == answer.client_isn + 1) {
            return agree(*at, i);
        }
    }
    return std::nullopt;
}

/// The entry's handshake by one of its answers; the entry is gone.
stream::Handshake HalfOpenTable::agree(const Found& found, unsigned answer) noexcept {
    const Entry& entry = found.set->entries[found.way];
    found.set->hashes[found.way] = 0;
    --size_;
    stream::Handshake agreed;
    agreed.client_isn = entry.answers[answer].client_isn;
    agreed.server_isn = entry.answers[answer].server_isn;
    agreed.client_window = entry.client_window;
    agreed.server_window = entry.server_window;
    agreed.client_scale = entry.scaled ? entry.client_scale : uint8_t{0};
    agreed.server_scale = entry.scaled ? entry.server_scale : uint8_t{0};
    agreed.timestamps = entry.timestamps;
    agreed.sack = entry.sack;
    agreed.client_timestamp = entry.client_timestamp;
    agreed.server_timestamp = entry.server_timestamp;
    return agreed;
}

void HalfOpenTable::forget_story(const Found& found) noexcept {
    found.set->entries[found.way] = Entry{};
    found.set->answered[found.way] = false;
}

bool HalfOpenTable::contains(uint64_t hash, Nanos now) const noexcept {
    const std::optional<Found> at = find(hash);
    return at && !stale(*at, now);
}

bool HalfOpenTable::offers_other(uint64_t hash, Seq isn, Nanos now) const noexcept {
    const std::optional<Found> at = find(hash);
    if (!at || stale(*at, now)) return false;
    const Entry& entry = at->set->entries[at->way];
    if (entry.offered && entry.offer.isn != isn) return true;
    const auto answers = std::span(entry.answers).first(entry.answer_count);
    return std::ranges::any_of(answers,
                               [isn](const Entry::Answer& a) { return a.client_isn != isn; });
}

bool HalfOpenTable::answered(uint64_t hash) const noexcept {
    const std::optional<Found> at = find(hash);
    return at && at->set->answered[at->way];
}

void HalfOpenTable::keep_house(Nanos now) noexcept {
    if (size_ == 0) return;
    for (uint32_t i = 0; i <= set_count_ / sweep_calls; ++i) {
        hand_ = hand_ + 1 < set_count_ ? hand_ + 1 : 0;
        for (unsigned way = 0; way < Set::ways; ++way) {
            uint64_t& hash = sets_[hand_].hashes[way];
            if (hash == 0 || !stale({&sets_[hand_], way}, now)) continue;
            hash = 0;
            --size_;
        }
    }
}

uint32_t HalfOpenTable::capacity() const noexcept { return set_count_ * Set::ways; }

size_t HalfOpenTable::memory() const noexcept { return set_count_ * sizeof(Set); }

}  // namespace portcullis
