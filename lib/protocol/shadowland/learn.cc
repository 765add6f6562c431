#include <algorithm>

#include "protocol/shadowland/decoder.h"

/// What a session learns from the messages that go by, and from time.
namespace portcullis::shadowland {

namespace {

constexpr uint32_t none = Pool<Session>::none;

/// A line that stalled for seconds gives everything back at once.
constexpr double syncs_per_second = 66, syncs_burst = 240;
/// Connects without a cookie, from one address and from all.
constexpr double connects_per_second = 20, connects_burst = 20;
constexpr double all_connects_per_second = 200, all_connects_burst = 200;
constexpr Nanos integrity_answer_max = 5s;

uint64_t in_ms(Nanos t) noexcept {
    return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(t).count());
}

}  // namespace

/// What time alone brings, looked at with each packet of the session.
void Decoder::watch_time() noexcept {
    Session& s = *session_;
    const Nanos timeout = std::chrono::milliseconds(s.heartbeat_timeout_ms);
    if (s.pings > 0 && !s.heartbeat_told && now_ - s.pong_at >= timeout &&
        now_ - s.last_client < 5s) {
        s.heartbeat_told = true;
        accuse({.fault = Fault::heartbeat_missing,
                .proven = true,
                .confidence = 0.95f,
                .observed = to_seconds(now_ - s.pong_at),
                .limit = to_seconds(timeout),
                .unit = "s"});
    }
    for (Challenge& challenge : s.challenges) {
        if (!challenge.waiting || now_ - challenge.passed_at <= integrity_answer_max) continue;
        challenge.waiting = false;
        accuse({.fault = Fault::integrity_failed,
                .proven = true,
                .confidence = 0.9f,
                .observed = to_seconds(now_ - challenge.passed_at),
                .limit = to_seconds(integrity_answer_max),
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

uint32_t Decoder::hash_of(const IpAddress& address) noexcept {
    uint32_t hash = 0x811c9dc5u;
    for (const uint8_t octet : address.octets) hash = (hash ^ octet) * 0x01000193u;
    return hash ^ hash >> 15;
}

/// Two clients that share a place at the same moment share a build almost always;
/// if not, the integrity of one of them is not judged right, so it is judged with care.
uint32_t& Decoder::build_of(const Endpoint& client) noexcept {
    return builds_[(hash_of(client.address) ^ client.port) % builds_max];
}

void Decoder::synced() noexcept {
    if (session_->syncs.take(now_, syncs_per_second, syncs_burst)) return;
    outcome_.drop = !seen_.header.reliable();
    accuse({.fault = Fault::rate_flood,
            .proven = true,
            .confidence = 0.98f,
            .observed = syncs_burst,
            .limit = syncs_per_second,
            .unit = "syncs/s"});
}

/// Connects without a cookie cost the server an answer each.
void Decoder::count_connect() noexcept {
    const size_t place = hash_of(link_->client.address) % sources_max;
    if (!sources_[place].take(now_, connects_per_second, connects_burst)) {
        outcome_.flood = outcome_.drop = true;
        accuse({.fault = Fault::handshake_flood,
                .confidence = 0.98f,
                .observed = connects_burst,
                .limit = connects_per_second,
                .unit = "connects/s",
                .note = "from one address"});
    } else if (!all_connects_.take(now_, all_connects_per_second, all_connects_burst)) {
        // Nobody is to blame for what many do together; honest ones are among them.
        accuse({.fault = Fault::handshake_flood,
                .innocent = true,
                .confidence = 0.97f,
                .observed = all_connects_burst,
                .limit = all_connects_per_second,
                .unit = "connects/s",
                .note = "in total"});
    }
}

void Decoder::learn(const Connect& message) noexcept {
    build_of(link_->client) = message.build;
    if (message.has_cookie == 0) return count_connect();
    const keys::ShadowlandSecrets* secrets = keys_.secrets_of(link_->server);
    if (secrets == nullptr || !secrets->has_cookie) return;
    const CookieState state = authenticator_.judge_cookie(
        secrets->cookie, message.cookie, link_->client, message.public_key, in_ms(now_));
    if (state == CookieState::good) return;
    outcome_.drop = true;
    const bool forged = state == CookieState::forged;
    // An old cookie may come from a line that held it back.
    accuse({.fault = forged ? Fault::cookie_forged : Fault::cookie_expired,
            .confidence = forged ? 1.0f : 0.95f});
}

void Decoder::learn(const ConnectionAccepted& message) noexcept {
    if (direction_ != Direction::to_client) return;
    if (session_ != nullptr && session_->connection_id == seen_.header.connection_id) return;
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
    session_->options = message.options;
    session_->tick_rate = message.tick_rate;
    session_->heartbeat_timeout_ms = message.heartbeat_timeout_ms;
    session_->build = build_of(link_->client);
    session_->since = session_->pong_at = now_;
    uint32_t& head = head_of(session_->connection_id);
    next_[handle] = head;
    head = handle;
}

void Decoder::learn(const Ping& message) noexcept {
    if (session_->pings == 0) session_->pong_at = now_;
    PingSent& place = session_->ping_ring[session_->pings++ % Session::pings_max];
    place = {message.ping_id, true, message.send_time_ms, now_};
}

void Decoder::learn(const Pong& message) noexcept {
    const auto it = std::ranges::find_if(session_->ping_ring, [&](const PingSent& ping) {
        return ping.waiting && ping.id == message.ping_id &&
               ping.send_time_ms == message.send_time_ms;
    });
    if (it == session_->ping_ring.end()) {
        if (session_->unread_lately(Direction::to_client, now_)) return;
        const bool all_known = session_->pings <= Session::pings_max;
        accuse({.fault = Fault::heartbeat_forged,
                .proven = true,
                .confidence = all_known ? 1.0f : 0.9f,
                .observed = double(message.ping_id),
                .unit = "ping id"});
        return;
    }
    it->waiting = false;
    session_->pong_at = now_;
    ++session_->pongs;
    session_->rtt_ms =
        std::max(0.0, to_milliseconds(now_ - it->passed_at) - double(message.hold_ms));
    round_trip_.ms = std::max(session_->rtt_ms, 0.001);
}

void Decoder::learn(const Disconnect& message) noexcept {
    outcome_.ended = true;
    if (session_ == nullptr) return;
    session_->open = false;
    if (direction_ != Direction::to_client) return;
    constexpr uint8_t heartbeat = 2, integrity = 6;
    const bool talking = now_ - session_->last_client < 5s;
    if (message.reason == heartbeat && talking && !session_->heartbeat_told) {
        session_->heartbeat_told = true;
        accuse({.fault = Fault::heartbeat_missing,
                .proven = true,
                .confidence = 0.95f,
                .observed = to_seconds(now_ - session_->pong_at),
                .limit = session_->heartbeat_timeout_ms / 1e3,
                .unit = "s"});
    } else if (message.reason == integrity) {
        accuse({.fault = Fault::integrity_failed, .proven = true, .note = "the server says so"});
    }
}

void Decoder::learn(const Ack& message) noexcept {
    const auto channel = static_cast<Channel>(message.channel);
    Half& sender = session_->half(protocol::opposite(direction_));
    const uint64_t highest = sender.window(channel).highest();
    Reliable& reliable = sender.of(channel);
    reliable.acknowledged_at = now_;
    for (size_t i = 0; i < message.count; ++i) {
        const uint64_t sequence = message[i];
        if (sequence > highest || sequence == 0) {
            if (direction_ != Direction::to_server) return;
            accuse({.fault = Fault::reliable_abuse,
                    .proven = true,
                    .observed = double(sequence),
                    .limit = double(highest),
                    .unit = "sequence",
                    .note = "acknowledges what was never sent"});
            return;
        }
        const uint64_t behind = highest - sequence;
        if (behind < ReplayWindow::size) reliable.acknowledged |= uint64_t{1} << behind;
    }
}

void Decoder::learn(const ReliableHandshake& message) noexcept {
    if (message.step == 1) session_->reliable_ready = true;
}

void Decoder::learn(const CheckIntegrity& message) noexcept {
    if (message.phase == 0) {
        Challenge& place = *std::ranges::min_element(
            session_->challenges, {},
            [](const Challenge& c) { return std::pair(c.waiting, c.passed_at); });
        place = {message.challenge_id, message.index, true, now_};
        return;
    }
    const auto it = std::ranges::find_if(session_->challenges, [&](const Challenge& c) {
        return c.waiting && c.id == message.challenge_id;
    });
    if (it == session_->challenges.end()) return;  // Late, which was told, or asked before us.
    it->waiting = false;
    const keys::ShadowlandSecrets* secrets = keys_.secrets_of(link_->server);
    const bool known = secrets != nullptr && secrets->integrity_size > 0 && session_->build != 0;
    const bool wrong_index = it->index != message.index;
    if (!wrong_index &&
        (!known || authenticator_.integrity_key_holds(secrets->integrity_secret(), session_->build,
                                                      message.index, message.key))) {
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

void Decoder::learn(const EnterToWorld&) noexcept { session_->entered = true; }

}  // namespace portcullis::shadowland
