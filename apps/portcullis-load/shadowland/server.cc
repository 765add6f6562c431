#include <algorithm>

#include "turn.h"
#include "world.h"

/// The server's end of a session.
namespace portcullis::load {

using namespace shadowland;

namespace {

constexpr auto mine = Direction::to_client;
constexpr Nanos ping_every = 5s, challenge_every = 30s;
constexpr uint8_t updates_max = 3;  ///< Entities in one bundle.
constexpr Triple to_triple(const Place& p) noexcept {
    return {static_cast<float>(p.x), static_cast<float>(p.y), static_cast<float>(p.z)};
}

/// Somebody who is elsewhere than his group is shown to nobody.
bool is_shown(const Session& other) noexcept { return other.attack != Attack::movement_clip; }

MutableBytes ping(Turn& turn) noexcept {
    Session& s = turn.session;
    s.ping_at = turn.now + ping_every;
    if (++s.ping_id == 0) ++s.ping_id;
    s.pong_id = s.ping_id;
    s.ping_ms = turn.now_ms();
    turn.writer.begin(s, mine, Channel::unreliable, flag::control);
    turn.writer.message(ControlType::ping, Ping{s.ping_id, s.ping_ms});
    return turn.writer.end();
}

MutableBytes challenge(Turn& turn) noexcept {
    Session& s = turn.session;
    s.challenge_at = turn.now + challenge_every;
    s.challenged = true;
    ++s.challenge_id;
    s.challenge_index =
        static_cast<uint16_t>(turn.random.below(CheckIntegrity::index_max + uint32_t{1}));
    turn.writer.begin(s, mine, Channel::reliable_ordered, flag::control);
    turn.writer.message(ControlType::check_integrity,
                        CheckIntegrity{0, s.challenge_id, s.challenge_index, {}});
    s.expect_ack(mine);
    return turn.writer.end();
}

MutableBytes rekey(Turn& turn) noexcept {
    Session& s = turn.session;
    s.rekey_at = turn.now + turn.rekey_every;
    s.rekey = Session::Rekey::requested;
    const uint32_t next = s.epochs[index_of(mine)] + 1;
    s.next_keys =
        derive_keys(turn.secrets.cookie, s.public_key, s.public_key, s.connection_id, next);
    turn.writer.begin(s, mine, Channel::reliable_ordered, flag::control | flag::rekey);
    turn.writer.message(ControlType::rekey_request, RekeyRequest{next, s.public_key});
    s.expect_ack(mine);
    return turn.writer.end();
}

MutableBytes create(Turn& turn, const Session& other) noexcept {
    Session& s = turn.session;
    std::array<char, 16> name;
    const int size = snprintf(name.data(), name.size(), "Player%05u", other.number);
    CreateEntity entity;
    entity.entity = other.entity();
    entity.bits = CreateEntity::is_yaw_only;
    if (&other == &s) entity.bits |= CreateEntity::is_self;
    entity.symbol = {0, {name.data(), static_cast<size_t>(size)}};
    entity.map = world::map_id;
    entity.position = to_triple(other.place);
    entity.flags = {.state = state::alive, .buffs = 0, .hp = 255, .mana = 255};
    turn.writer.begin(s, mine, Channel::reliable_ordered);
    turn.writer.message(ServerType::create_entity, entity);
    s.expect_ack(mine);
    return turn.writer.end();
}

MutableBytes answer_action(Turn& turn) noexcept {
    Session& s = turn.session;
    ActionResult result{.request_id = s.answer_id,
                        .source = s.entity(),
                        .action = s.action,
                        .cooldown_ms = 5'000,
                        .bits = 1,
                        .target = s.target,
                        .target_hp = 255};
    s.answer_id = 0;
    turn.writer.begin(s, mine, Channel::reliable_ordered);
    turn.writer.message(ServerType::action_result, result);
    s.expect_ack(mine);
    return turn.writer.end();
}

/// Holds fast the player who will act all the same.
MutableBytes stun(Turn& turn) noexcept {
    Session& s = turn.session;
    s.stunned = true;
    UpdateEntity update{.entity = s.entity(), .fields = {}};
    update.fields.delta = delta::flags;
    update.fields.flags = {
        .state = state::alive | state::stunned, .buffs = buff::stunned, .hp = 255, .mana = 255};
    turn.writer.begin(s, mine, Channel::reliable_ordered);
    turn.writer.message(ServerType::update_entity, update);
    s.expect_ack(mine);
    return turn.writer.end();
}

/// Shows the client something that lies far beyond what it may see.
MutableBytes leak(Turn& turn) noexcept {
    Session& s = turn.session;
    constexpr uint8_t item = 7;
    constexpr double far = 60'000;
    s.attack_at = turn.now + 10s;
    CreateEntity entity;
    entity.entity = 1'000'000 + s.number;
    entity.type = item;
    entity.bits = CreateEntity::is_yaw_only;
    entity.symbol = {0, "Ring"};
    entity.position = to_triple({s.place.x + far, s.place.y, s.place.z});
    turn.writer.begin(s, mine, Channel::reliable_ordered);
    turn.writer.message(ServerType::create_entity, entity);
    s.expect_ack(mine);
    return turn.writer.end();
}

/// Where the next of the others are.
MutableBytes update(Turn& turn) noexcept {
    Session& s = turn.session;
    turn.writer.begin(s, mine, Channel::unreliable);
    turn.writer.body().u8(payload_type::bundle);
    uint8_t told = 0;
    for (size_t looked = 0; looked < turn.group.size() && told < updates_max; ++looked) {
        s.shown = static_cast<uint8_t>((s.shown + 1) % turn.group.size());
        const Session& other = turn.group[s.shown];
        if (&other == &s || !is_shown(other) || s.shown >= s.created) continue;
        const world::Quantised at = world::quantise(other.place);
        UpdateEntityQuantized moved{.entity = other.entity(), .fields = {}};
        moved.fields.delta = delta::position | delta::rotation;
        moved.fields.yaw_only = true;
        moved.fields.quadrant = at.quadrant;
        moved.fields.position = at.local;
        moved.fields.rotation[1] = other.heading_turns();
        turn.writer.bundled(ServerType::update_entity_quantized, moved);
        ++told;
    }
    if (told == 0) turn.writer.bundled(payload_type::nop, Nop{});
    return turn.writer.end();
}

MutableBytes shake_hands(Turn& turn) noexcept {
    Session& s = turn.session;
    DatagramWriter& writer = turn.writer;
    auto next = static_cast<Step>(static_cast<uint8_t>(s.step) + 1);
    switch (s.step) {
        case Step::cookie:
            s.cookie = turn.authenticator.make_cookie(turn.secrets.cookie, s.client, s.public_key,
                                                      turn.now_ms(), turn.random.next());
            writer.begin_handshake(0, mine);
            writer.message(ControlType::cookie, Cookie{s.cookie});
            break;
        case Step::accept:
            writer.begin_handshake(s.connection_id, mine);
            writer.message(ControlType::connection_accepted,
                           ConnectionAccepted{static_cast<uint8_t>(s.encrypted ? 1 : 0),
                                              static_cast<uint8_t>(s.encrypted ? 3 : 2),
                                              s.public_key, 60, 5'000, 15'000, turn.now_ms()});
            if (!s.encrypted) next = Step::handshake;
            break;
        case Step::crypto_test_ack:
            writer.begin(s, mine, Channel::unreliable, flag::control);
            writer.message(ControlType::crypto_test_ack, CryptoTestAck{s.crypto_test});
            break;
        case Step::handshake_ack:
            writer.begin(s, mine, Channel::unreliable, flag::control | flag::reliable_handshake);
            writer.message(ControlType::reliable_handshake, ReliableHandshake{.step = 1});
            break;
        case Step::create_self:
            s.entered = s.walked_at = turn.now;
            s.ping_at = turn.now + 1s;
            s.step = Step::play;
            return create(turn, s);
        default:
            return {};  // The client's word is awaited.
    }
    s.step = next;
    return writer.end();
}

}  // namespace

MutableBytes server_says(Turn& turn) noexcept {
    Session& s = turn.session;
    if (s.step < Step::play) return shake_hands(turn);
    if (s.rekey == Session::Rekey::answered) {
        s.rekey = Session::Rekey::none;
        ++s.epochs[index_of(mine)];
    }
    if (s.owed[index_of(mine)].count > 0) return acknowledge(turn, mine);
    if (turn.now >= s.ping_at) return ping(turn);
    const bool alone = s.attack == Attack::movement_clip;
    while (s.created < turn.group.size() &&
           (alone || &turn.group[s.created] == &s || !is_shown(turn.group[s.created]))) {
        ++s.created;
    }
    if (s.created < turn.group.size()) return create(turn, turn.group[s.created++]);
    if (!turn.playing) return {};
    if (s.answer_id != 0) return answer_action(turn);
    if (turn.now >= s.challenge_at) return challenge(turn);
    const bool settled = s.rekey == Session::Rekey::none && s.encrypted &&
                         s.epochs[0] == s.epochs[1] && turn.rekey_every > Nanos{};
    if (settled && turn.now >= s.rekey_at) return rekey(turn);
    if (s.attack == Attack::action_state && !s.stunned) return stun(turn);
    if (s.attacking(Attack::aoi_leak, turn.now) && turn.now >= s.attack_at) return leak(turn);
    return update(turn);
}

}  // namespace portcullis::load
