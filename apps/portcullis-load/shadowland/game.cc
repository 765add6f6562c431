#include "game.h"

#include <algorithm>
#include <cmath>

#include "base/concat.h"
#include "base/setup_error.h"
#include "world.h"

namespace portcullis::load {

namespace {

/// How often each end of a session has its turn before all are in.
constexpr Nanos entering_period = 200ms;
/// What the last to come need to get in.
constexpr Nanos settling = 5s;
constexpr Nanos attack_after = 3s;  ///< Of play.
constexpr uint16_t first_port = 40'000, ports = 20'000;

Nanos seconds(double s) { return Nanos(static_cast<int64_t>(s * 1e9)); }

}  // namespace

Game::Game(const Settings& settings) : settings_(settings), random_(settings.seed) {
    const double each = settings.rate / settings.sessions;
    if (settings.sessions == 0 || settings.sessions > sessions_max) {
        throw UsageError(concat("sessions: 1 to ", sessions_max));
    }
    if (each < rate_min || each > rate_max) {
        throw UsageError(concat("rate: ", settings.sessions, " sessions play with ",
                                uint64_t(rate_min * settings.sessions), " to ",
                                uint64_t(rate_max * settings.sessions), " datagrams a second"));
    }
    random_.fill(secrets_.cookie);
    random_.fill(secrets_.integrity);
    make_sessions();
    choose_attackers();
}

void Game::make_sessions() {
    sessions_.resize(settings_.sessions);
    for (uint32_t i = 0; i < settings_.sessions; ++i) {
        Session& s = sessions_[i];
        s.number = i;
        // Ids are as good as random and none comes twice: an odd factor only shuffles.
        s.connection_id = (i + 1) * 0x9e3779b1u + static_cast<uint32_t>(settings_.seed) * 2;
        if (s.connection_id == 0) s.connection_id = 0x9e3779b1u / 2;
        s.client = {IpAddress::v4(settings_.first_client.as_v4() + i),
                    static_cast<uint16_t>(first_port + i % ports)};
        s.encrypted = settings_.encrypted;
        if (s.encrypted) {
            random_.fill(s.public_key);
            s.keys = shadowland::derive_keys(secrets_.cookie, s.public_key, s.public_key,
                                             s.connection_id, 0);
        }
        s.begins = settings_.begins + seconds(i / settings_.connects_per_second);
        s.home = s.place = world::home_of(i);
        s.heading = 3 * random_.around();
    }
    plays_from_ = sessions_.back().begins + settling;
}

void Game::choose_attackers() {
    std::vector<uint32_t> order(sessions_.size());
    for (uint32_t i = 0; i < order.size(); ++i) order[i] = i;
    for (size_t i = order.size(); i > 1; --i) {
        std::swap(order[i - 1], order[random_.below(static_cast<uint32_t>(i))]);
    }
    size_t used = 0;
    for (const Share& share : settings_.attacks) {
        const bool sealed = share.attack == Attack::crypto_forged;
        if (sealed && !settings_.encrypted) {
            throw UsageError("crypto.forged: there is no tag to forge without --encrypted");
        }
        const auto wanted = std::max<size_t>(
            1, static_cast<size_t>(std::llround(share.of_sessions * double(sessions_.size()))));
        if (wanted > sessions_.size() - used) {
            throw UsageError("attacks: their shares are more than all sessions together");
        }
        for (size_t i = 0; i < wanted; ++i) {
            Session& s = sessions_[order[used++]];
            s.attack = share.attack;
            if (!attacks_in_session(s.attack)) s.attack_begins = s.begins;
            if (s.attack != Attack::movement_clip) continue;
            s.home = s.place = world::home_at_the_wall(s.number);
        }
    }
}

std::span<Session> Game::group_of(uint32_t number) noexcept {
    const uint32_t first = number / group_size * group_size;
    return std::span(sessions_).subspan(first,
                                        std::min<size_t>(group_size, sessions_.size() - first));
}

/// Everybody at once, but each with his own moments for what is seldom.
void Game::begin_playing() {
    playing_ = true;
    for (Session& s : sessions_) {
        const auto within = [&](Nanos span) {
            return now_ + Nanos(random_.below(uint32_t(span / 1us)) * int64_t{1000});
        };
        s.walked_at = now_;
        s.action_at = within(6s);
        s.challenge_at = s.attack == Attack::integrity_failed ? now_ + 1s : within(30s);
        s.rekey_at = within(std::max<Nanos>(settings_.rekey_every, 1ms)) + settings_.rekey_every;
        if (s.attack == Attack::movement_clip) s.heading = 0;
        if (attacks_in_session(s.attack)) s.attack_begins = now_ + attack_after;
    }
}

bool Game::visit(uint32_t number, Direction direction,
                 const std::function<bool(const Said&)>& take) {
    Session& s = sessions_[number];
    if (now_ < s.begins) return true;
    Turn turn{s,       group_of(number), now_,    playing_, settings_.rekey_every,
              writer_, authenticator_,   random_, secrets_};
    const bool client = direction == Direction::to_server;
    const uint32_t times = client ? attacker_repeats(s, now_) : 1;
    for (uint32_t i = 0; i < times; ++i) {
        MutableBytes said;
        if (client && s.attack != Attack::none) said = attacker_says(turn);
        if (said.empty() && (client || s.step != Step::connect)) {
            if (!attacks_in_session(s.attack) && client) return true;
            said = client ? client_says(turn) : server_says(turn);
        }
        if (said.empty()) return true;
        if (!take({now_, direction, s.client, s.attack == Attack::none, said})) return false;
    }
    return true;
}

void Game::play(const std::function<bool(const Said&)>& take) {
    const auto count = static_cast<uint32_t>(sessions_.size());
    const Nanos playing_period = seconds(2 * settings_.sessions / settings_.rate);
    Nanos round = settings_.begins;
    while (true) {
        // In each round every session has two turns, its ends half a round apart.
        const Nanos period = playing_ ? playing_period : entering_period;
        for (uint32_t i = 0; i < count; ++i) {
            now_ = round + period * i / count;
            if (!visit(i, Direction::to_server, take)) return;
            if (!visit((i + count / 2) % count, Direction::to_client, take)) return;
        }
        round += period;
        now_ = round;
        if (!playing_ && round >= plays_from_) begin_playing();
    }
}

std::vector<keys::Key> Game::keys(Nanos until) const {
    std::vector<keys::Key> all;
    keys::ShadowlandSecrets secrets{};
    secrets.server = settings_.server;
    secrets.cookie = secrets_.cookie;
    secrets.has_cookie = true;
    std::ranges::copy(secrets_.integrity, secrets.integrity.begin());
    secrets.integrity_size = static_cast<uint8_t>(secrets_.integrity.size());
    all.emplace_back(secrets);
    if (!settings_.encrypted) return all;
    const bool rekeys = settings_.rekey_every > Nanos{};
    const int64_t epochs = 1 + (rekeys ? (until - plays_from_) / settings_.rekey_every : 0);
    for (const Session& s : sessions_) {
        for (uint32_t epoch = 0; epoch < epochs; ++epoch) {
            const shadowland::EpochKeys made = shadowland::derive_keys(
                secrets_.cookie, s.public_key, s.public_key, s.connection_id, epoch);
            all.emplace_back(keys::ShadowlandKey{s.client, settings_.server, s.connection_id, epoch,
                                                 made.c2s, made.s2c});
        }
    }
    return all;
}

}  // namespace portcullis::load
