#include "turn.h"
#include "world.h"

/// A client as it should be.
namespace portcullis::load {

using namespace shadowland;

namespace {

constexpr auto mine = Direction::to_server;
constexpr Nanos action_every = 6s;
constexpr uint32_t heal = 4;

MutableBytes pong(Turn& turn) noexcept {
    Session& s = turn.session;
    turn.writer.begin(s, mine, Channel::unreliable, flag::control);
    turn.writer.message(ControlType::pong, Pong{s.pong_id, s.ping_ms, 0});
    s.pong_id = 0;
    return turn.writer.end();
}

MutableBytes answer_challenge(Turn& turn) noexcept {
    Session& s = turn.session;
    auto key = turn.authenticator.integrity_key(turn.secrets.integrity, build, s.challenge_index);
    if (s.attack == Attack::integrity_failed) key[0] ^= std::byte{1};
    turn.writer.begin(s, mine, Channel::reliable_ordered, flag::control);
    turn.writer.message(ControlType::check_integrity,
                        CheckIntegrity{1, s.challenge_id, s.challenge_index, key});
    s.challenged = false;
    s.expect_ack(mine);
    return turn.writer.end();
}

MutableBytes answer_rekey(Turn& turn) noexcept {
    Session& s = turn.session;
    turn.writer.begin(s, mine, Channel::reliable_ordered, flag::control | flag::rekey);
    turn.writer.message(ControlType::rekey_response,
                        RekeyResponse{s.epochs[index_of(mine)] + 1, s.public_key});
    s.rekey = Session::Rekey::answered;
    s.expect_ack(mine);
    return turn.writer.end();
}

MutableBytes act(Turn& turn) noexcept {
    Session& s = turn.session;
    s.action_at = turn.now + action_every;
    s.action = heal;
    s.target = turn.group[(s.number + 1) % turn.group.size()].entity();
    s.answer_id = ++s.request_id;
    turn.writer.begin(s, mine, Channel::reliable_ordered);
    turn.writer.message(ClientType::action_request,
                        ActionRequest{.request_id = s.request_id,
                                      .client_time_ms = s.client_time_ms(turn.now),
                                      .action = heal,
                                      .bits = ActionRequest::has_target,
                                      .target = s.target});
    s.expect_ack(mine);
    return turn.writer.end();
}

MutableBytes shake_hands(Turn& turn) noexcept {
    Session& s = turn.session;
    DatagramWriter& writer = turn.writer;
    switch (s.step) {
        case Step::connect:
            write_connect(turn, {});
            break;
        case Step::connect_again:
            write_connect(turn, s.cookie);
            break;
        case Step::crypto_test:
            turn.random.fill(s.crypto_test);
            writer.begin(s, mine, Channel::unreliable, flag::control);
            writer.message(ControlType::crypto_test, CryptoTest{s.crypto_test});
            break;
        case Step::handshake:
            writer.begin(s, mine, Channel::unreliable, flag::control | flag::reliable_handshake);
            writer.message(ControlType::reliable_handshake, ReliableHandshake{.step = 0});
            break;
        case Step::enter: {
            std::array<char, 16> name;
            const int size = snprintf(name.data(), name.size(), "Player%05u", s.number);
            std::array<std::byte, token_size> token;
            turn.random.fill(token);
            writer.begin(s, mine, Channel::reliable_ordered);
            writer.message(
                ClientType::enter_to_world,
                EnterToWorld{{0, {name.data(), static_cast<size_t>(size)}}, token, world::map_id});
            s.expect_ack(mine);
            break;
        }
        default:
            return {};  // The server's word is awaited.
    }
    s.step = static_cast<Step>(static_cast<uint8_t>(s.step) + 1);
    return writer.end();
}

}  // namespace

void write_connect(Turn& turn, Bytes cookie) noexcept {
    const Session& s = turn.session;
    constexpr std::array<std::byte, cookie_size> none{};
    turn.writer.begin_handshake(0, mine);
    turn.writer.message(ControlType::connect,
                        Connect{.options = static_cast<uint8_t>(s.encrypted ? 3 : 2),
                                .build = build,
                                .public_key = s.public_key,
                                .has_cookie = static_cast<uint8_t>(cookie.empty() ? 0 : 1),
                                .cookie = cookie.empty() ? Bytes(none) : cookie});
}

SyncEntityQuantized sync_of(const Session& s, Nanos now) noexcept {
    const world::Quantised at = world::quantise(s.place);
    SyncEntityQuantized sync;
    sync.client_time_ms = s.client_time_ms(now);
    QuantisedFields& f = sync.fields;
    f.delta = delta::all;
    f.yaw_only = true;
    f.quadrant = at.quadrant;
    f.position = at.local;
    f.rotation[1] = s.heading_turns();
    f.anim = 1;
    f.flags.state = s.vx != 0 || s.vy != 0 ? state::moving : 0;
    f.velocity = {static_cast<int16_t>(s.vx), static_cast<int16_t>(s.vy), 0};
    return sync;
}

MutableBytes client_says(Turn& turn) noexcept {
    Session& s = turn.session;
    if (s.step < Step::play) return shake_hands(turn);
    // Who answered a rekeying goes over once the server has.
    uint32_t& epoch = s.epochs[index_of(mine)];
    if (s.epochs[index_of(Direction::to_client)] > epoch) {
        ++epoch;
        s.keys = s.next_keys;
    }
    if (s.pong_id != 0 && s.attack != Attack::heartbeat_missing) return pong(turn);
    if (s.owed[index_of(mine)].count > 0) return acknowledge(turn, mine);
    if (s.rekey == Session::Rekey::requested) return answer_rekey(turn);
    if (s.challenged) return answer_challenge(turn);
    if (!turn.playing) return {};
    if (turn.now >= s.action_at && !s.stunned && s.answer_id == 0) return act(turn);
    world::walk(s, turn.now, 4 * turn.random.around());
    turn.writer.begin(s, mine, Channel::unreliable);
    turn.writer.message(ClientType::sync_entity_quantized, sync_of(s, turn.now));
    return turn.writer.end();
}

}  // namespace portcullis::load
