#include <algorithm>

#include "base/reader.h"
#include "protocol/shadowland/decoder.h"

/// What a session learns from the messages that go by, and from time.
namespace portcullis::shadowland {

namespace {

constexpr uint32_t none = Pool<Session>::none;

/// With nothing to answer for so long, nobody misses an answer: a server may hang.
constexpr Nanos unanswered_min = 10s;

/// Since when the oldest Ping that we still know waits for its Pong; a server asks more often
/// than it gives up.
Nanos unanswered(const Session& s, Nanos now) noexcept {
    double oldest_ms = 0;
    for (size_t i = 0; i < s.ping_ring.size(); ++i) {
        const bool waiting = (s.pings_waiting >> i & 1) != 0;
        if (waiting) oldest_ms = std::max(oldest_ms, s.ping_ring[i].ms_since(now));
    }
    return std::chrono::milliseconds(static_cast<int64_t>(oldest_ms));
}

constexpr double syncs_per_second = 66, syncs_burst = 240;
/// An answer that we had by then, the server had in time.
constexpr Nanos integrity_answer_sure = 4s;

bool heartbeat_misses(const Session& s, Nanos now) noexcept {
    const Nanos timeout = std::chrono::milliseconds(s.heartbeat_timeout_ms);
    return s.pings > 0 && !s.heartbeat_told && now - s.pong_at >= timeout &&
           now - s.last_client < 5s && !s.unread_lately(Direction::to_server, now) &&
           unanswered(s, now) >= unanswered_min;
}

}  // namespace

bool Decoder::time_is_up() const noexcept {
    const Session& s = *session_;
    const auto overdue = [this](const Challenge& c) noexcept { return c.overdue(now_); };
    return heartbeat_misses(s, now_) || std::ranges::any_of(s.challenges, overdue) ||
           fragments_.any_expired(s.halves[0].fragments, now_) ||
           fragments_.any_expired(s.halves[1].fragments, now_);
}

/// Whether the client is accused of what is up.
bool Decoder::time_accuses() const noexcept {
    const Session& s = *session_;
    if (s.unread_lately(Direction::to_server, now_)) return false;
    const auto overdue = [this](const Challenge& c) noexcept { return c.overdue(now_); };
    return heartbeat_misses(s, now_) || std::ranges::any_of(s.challenges, overdue) ||
           fragments_.any_expired(s.halves[index_of(Direction::to_server)].fragments, now_);
}

/// What time alone brings, when it is up.
void Decoder::watch_time() noexcept {
    Session& s = *session_;
    const Nanos timeout = std::chrono::milliseconds(s.heartbeat_timeout_ms);
    if (heartbeat_misses(s, now_)) {
        s.heartbeat_told = true;
        accuse({.fault = Fault::heartbeat_missing,
                .proven = true,
                .confidence = 0.95f,
                .observed = to_seconds(now_ - s.pong_at),
                .limit = to_seconds(timeout),
                .unit = "s"});
    }
    for (Challenge& challenge : s.challenges) {
        if (!challenge.overdue(now_)) continue;
        challenge.waiting = false;
        challenge.late = true;
        if (s.unread_lately(Direction::to_server, now_)) continue;
        accuse({.fault = Fault::integrity_failed,
                .proven = true,
                .confidence = 0.9f,
                .observed = to_seconds(challenge.age(now_)),
                .limit = to_seconds(Challenge::answer_max),
                .unit = "s",
                .note = "no answer"});
    }
    Half& client = s.half(Direction::to_server);
    if (client.fragments.count > 0) {
        const uint32_t expired = fragments_.expire(client.fragments, now_);
        if (expired > 0 && !s.unread_lately(Direction::to_server, now_)) {
            // Where nothing was lost on the way to us, the rest was never sent.
            const bool lossless = std::ranges::all_of(
                client.windows, [](const ReplayWindow& w) { return w.missing() == 0; });
            accuse({.fault = Fault::fragments_timeout,
                    .proven = true,
                    .confidence = lossless ? 0.98f : 0.6f,
                    .observed = double(expired),
                    .unit = "sets"});
        }
    }
    Half& server = s.half(Direction::to_client);
    if (server.fragments.count > 0) (void)fragments_.expire(server.fragments, now_);
}

/// Syncs belong on channel 0.  What a server makes of one elsewhere nobody knows, so it shall
/// not reach it; on channel 1 behind a gap it never may.
void Decoder::synced(uint32_t client_time_ms) noexcept {
    if (!seen_.header.reliable()) {
        if (!syncs_counted_) count_sync(client_time_ms);
        return;
    }
    refused_ |= make_harmless();
    accuse({.fault = Fault::message_malformed,
            .proven = true,
            .confidence = 0.97f,
            .observed = double(index_of(seen_.header.channel)),
            .unit = "channel",
            .note = "a sync that is to be acknowledged"});
}

/// A line that stalled for seconds gives everything back at once: by the client's clock that
/// was no more than it may.  Whose clock is wrong, movement.timer finds.
void Decoder::count_sync(uint32_t client_time_ms) noexcept {
    const bool fits_clock = session_->syncs_by_clock.take(client_time_ms);
    if (session_->syncs.take(now_, syncs_per_second, syncs_burst) || fits_clock) return;
    drop(Fault::rate_flood);
    accuse({.fault = Fault::rate_flood,
            .proven = true,
            .confidence = 0.98f,
            .observed = syncs_burst,
            .limit = syncs_per_second,
            .unit = "syncs/s"});
}

/// Connects without a cookie cost the server an answer each.
void Decoder::count_connect(const Connect& message) noexcept {
    const keys::ServerSecrets* secrets = keys_.secrets_of(link_->server);
    const bool can_answer = secrets != nullptr && secrets->has_cookie;
    const Connects::Counted counted =
        connects_.count(link_->client, link_->service, can_answer, now_);
    outcome_.connect = counted.fate;
    if (counted.fate == ConnectFate::passed) return;
    if (counted.fate == ConnectFate::answered) {
        answer_ =
            connects_.answer(*secrets, link_->client, message.public_key, link_->service, now_);
        outcome_.answer = answer_;
    }
    if (counted.fate != ConnectFate::flooded) drop(Fault::handshake_flood);
    // Nobody is to blame for what many do together; honest ones are among them.
    const Connects::Limits& limits = connects_.limits();
    const double limit = counted.of_source ? limits.source_per_s : limits.per_s;
    tell_flood({.fault = Fault::handshake_flood,
                .innocent = !counted.of_source,
                .by_others = true,
                .confidence = counted.of_source ? 0.98f : 0.97f,
                .observed = limit,
                .limit = limit,
                .unit = "connects/s",
                .note = counted.of_source ? "from one address" : "in total"});
}

void Decoder::tell_flood(const Violation& violation) noexcept {
    if (flood_told_at_ != Nanos::min() && now_ - flood_told_at_ < flood_told_every) return;
    flood_told_at_ = now_;
    accuse(violation);
}

/// A datagram of a session that we do not know, older than we are or made up; or the Connect
/// before one, whose cookie costs a sum to judge.
void Decoder::stranger() noexcept {
    if (connects_.stranger_fits(link_->client, now_)) return;
    const double limit = connects_.limits().source_packets_per_s;
    drop(Fault::rate_flood);
    tell_flood({.fault = Fault::rate_flood,
                .by_others = true,
                .confidence = 0.98f,
                .observed = limit,
                .limit = limit,
                .unit = "packets/s",
                .note = "of no session, from one address"});
}

void Decoder::learn(const Connect& message) noexcept {
    if (direction_ != Direction::to_server) return;
    if (message.has_cookie == 0) return count_connect(message);
    const keys::ServerSecrets* secrets = keys_.secrets_of(link_->server);
    outcome_.connect = connects_.judge(secrets, message.cookie, link_->client, message.public_key,
                                       link_->service, now_);
    // What can not be judged is limited, but for those whom the server has just given a cookie:
    // who floods in another's name does not see them.
    const bool unjudged = outcome_.connect == ConnectFate::cookie_unjudged;
    if (unjudged && !connects_.was_given(link_->client, now_)) {
        stranger();
        if (outcome_.drop) return;
    }
    if (outcome_.connect == ConnectFate::cookie_forged) {
        drop(Fault::cookie_forged);
        accuse({.fault = Fault::cookie_forged, .by_others = true});
    } else if (outcome_.connect == ConnectFate::cookie_expired) {
        // An old cookie may come from a line that held it back.
        drop(Fault::cookie_expired);
        accuse({.fault = Fault::cookie_expired, .by_others = true, .confidence = 0.95f});
    } else {
        const bool good = outcome_.connect == ConnectFate::cookie_good;
        connects_.asked(link_->client, message.build, good, now_);
    }
}

void Decoder::learn(const Cookie& message) noexcept {
    if (direction_ != Direction::to_client) return;
    connects_.given(link_->client, now_);
    const uint64_t made_ms = Reader(message.cookie).le_u64();
    connects_.hear_clock(link_->service, made_ms, now_);
}

void Decoder::learn(const ConnectionAccepted& message) noexcept {
    if (direction_ != Direction::to_client) return;
    // Said again to who asks again, byte for byte; with another time it is another session.
    const auto at_ms = static_cast<uint32_t>(message.server_time_ms);
    const bool same_id =
        session_ != nullptr && session_->connection_id == seen_.header.connection_id;
    if (same_id && session_->accepted_at_ms == at_ms) return;
    connects_.hear_clock(link_->service, message.server_time_ms, now_);
    // Who asked may have been forgotten in a flood; the server still knows.
    const auto asked = connects_.asked_by(link_->client, now_);
    if (session_ != nullptr) forget(*link_);  // A new attempt replaces the old session.
    const uint32_t handle = sessions_.make();
    if (handle == none) {
        outcome_.full = true;
        session_ = nullptr;
        return;
    }
    link_->session = handle;
    session_ = &sessions_[handle];
    session_->connection_id = seen_.header.connection_id;
    session_->encrypted = message.mode != 0;
    session_->heartbeat_timeout_ms = message.heartbeat_timeout_ms;
    session_->accepted_at_ms = at_ms;
    session_->build_known = asked && asked->build;
    if (session_->build_known) session_->build = *asked->build;
    session_->service = link_->service;
    outcome_.begun = true;
    session_->pong_at = now_;
    uint32_t& head = head_of(session_->connection_id);
    next_[handle] = head;
    head = handle;
}

void Decoder::learn(const Ping& message) noexcept {
    if (session_->pings == 0) session_->pong_at = now_;
    const size_t place = session_->pings++ % Session::pings_max;
    session_->ping_ring[place] = {message.send_time_ms, PingSent::stamp(now_), message.ping_id};
    session_->pings_waiting |= static_cast<uint16_t>(1u << place);
}

void Decoder::learn(const Pong& message) noexcept {
    const auto& ring = session_->ping_ring;
    size_t at = 0;
    const auto answered = [&](const PingSent& ping) {
        return (session_->pings_waiting >> at & 1) != 0 && ping.id == message.ping_id &&
               ping.send_time_ms == message.send_time_ms;
    };
    while (at < ring.size() && !answered(ring[at])) ++at;
    if (at == ring.size()) {
        if (session_->unread_lately(Direction::to_client, now_)) return;
        // The answer to a Ping that we have forgotten names a time before all that we know.
        const uint64_t oldest_ms = std::ranges::min(ring, {}, &PingSent::send_time_ms).send_time_ms;
        const bool all_known =
            session_->pings <= Session::pings_max || message.send_time_ms >= oldest_ms;
        accuse({.fault = Fault::heartbeat_forged,
                .proven = true,
                .confidence = all_known ? 1.0f : 0.9f,
                .observed = double(message.ping_id),
                .unit = "ping id"});
        return;
    }
    session_->pings_waiting &= static_cast<uint16_t>(~(1u << at));
    session_->pong_at = now_;
    ++session_->pongs;
    const double rtt_ms = std::max(0.0, ring[at].ms_since(now_) - double(message.hold_ms));
    session_->rtt_ms = static_cast<float>(rtt_ms);
    round_trip_.ms = std::max(rtt_ms, 0.001);
}

void Decoder::learn(const Disconnect& message) noexcept {
    outcome_.ended = true;
    if (session_ == nullptr || direction_ != Direction::to_client) return;
    const auto reason = static_cast<DisconnectReason>(message.reason);
    const bool talking = now_ - session_->last_client < 5s;
    if (reason == DisconnectReason::heartbeat_timeout && talking && !session_->heartbeat_told) {
        session_->heartbeat_told = true;
        const bool asked = unanswered(*session_, now_) >= unanswered_min;
        accuse({.fault = Fault::heartbeat_missing,
                .proven = true,
                .confidence = asked ? 0.95f : 0.9f,
                .observed = to_seconds(now_ - session_->pong_at),
                .limit = session_->heartbeat_timeout_ms / 1e3,
                .unit = "s"});
    } else if (reason == DisconnectReason::integrity) {
        // It says so of a wrong answer and of a late one, and a line may be late.
        const auto& challenges = session_->challenges;
        const bool late =
            std::ranges::any_of(challenges, [](const Challenge& c) { return c.waiting || c.late; });
        const bool asked =
            std::ranges::any_of(challenges, [](const Challenge& c) { return c.passed_at != 0; });
        accuse({.fault = Fault::integrity_failed,
                .proven = true,
                .confidence = asked && !late ? 1.0f : 0.9f,
                .note = "the server says so"});
    }
}

void Decoder::learn(const Ack& message) noexcept {
    const auto channel = static_cast<Channel>(message.channel);
    Half& sender = session_->half(protocol::opposite(direction_));
    const uint64_t highest = sender.window(channel).highest();
    const bool of_client = direction_ == Direction::to_server;
    Acknowledged& heard = session_->acknowledged_on(channel);
    if (of_client) heard.at = now_;
    for (size_t i = 0; i < message.count; ++i) {
        const uint64_t sequence = message[i];
        if (sequence > highest || sequence == 0) {
            if (!of_client) return;
            accuse({.fault = Fault::reliable_abuse,
                    .proven = true,
                    .observed = double(sequence),
                    .limit = double(highest),
                    .unit = "sequence",
                    .note = "acknowledges what was never sent"});
            return;
        }
        const uint64_t behind = highest - sequence;
        if (of_client && behind < ReplayWindow::size) heard.mask |= uint64_t{1} << behind;
    }
}

void Decoder::learn(const CheckIntegrity& message) noexcept {
    if (message.phase == 0) {
        Challenge& place = *std::ranges::min_element(
            session_->challenges, {},
            [this](const Challenge& c) { return std::pair(c.waiting, -c.age(now_)); });
        place = {message.challenge_id, message.index, PingSent::stamp(now_), true};
        return;
    }
    const auto it = std::ranges::find_if(session_->challenges, [&](const Challenge& c) {
        return c.waiting && c.id == message.challenge_id;
    });
    if (it == session_->challenges.end()) return;  // Late, which was told, or asked before us.
    it->waiting = false;
    it->late = seen_.waits || it->age(now_) > integrity_answer_sure;
    const keys::ShadowlandSecrets* secrets = keys_.secrets_of(link_->server);
    const bool known = secrets != nullptr && secrets->integrity_size > 0 && session_->build_known;
    const bool wrong_index = it->index != message.index;
    if (!wrong_index && !known) return;
    if (!wrong_index &&
        connects_.authenticator().integrity_key_holds(secrets->integrity_secret(), session_->build,
                                                      message.index, message.key)) {
        outcome_.answered_right = true;
        return;
    }
    accuse({.fault = Fault::integrity_failed,
            .proven = true,
            .observed = double(message.index),
            .unit = "index",
            .note = "wrong answer"});
}

void Decoder::learn(const RekeyRequest& message) noexcept {
    session_->rekey_requested = message.epoch;
}

void Decoder::learn(const RekeyResponse& message) noexcept {
    if (session_->rekey_requested == 0 || session_->rekey_requested != message.epoch) {
        if (session_->unread_lately(Direction::to_client, now_)) return;
        accuse({.fault = Fault::rekey_invalid,
                .proven = true,
                .observed = double(message.epoch),
                .limit = double(session_->rekey_requested),
                .unit = "epoch"});
        return;
    }
    session_->rekey_requested = 0;
    session_->rekey_answered = message.epoch;
}

}  // namespace portcullis::shadowland
