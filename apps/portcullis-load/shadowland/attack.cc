#include "attack.h"

#include <algorithm>

#include "turn.h"
#include "world.h"

/// What attackers say; who walks where he must not says it as an honest client would (world.cc).
namespace portcullis::load {

using namespace shadowland;

namespace {

constexpr auto mine = Direction::to_server;

/// A sync as it should be, to be bent.
MutableBytes sync(Turn& turn) noexcept {
    world::walk(turn.session, turn.now, turn.random.around());
    turn.writer.begin(turn.session, mine, Channel::unreliable);
    turn.writer.message(ClientType::sync_entity_quantized, sync_of(turn.session, turn.now));
    return turn.writer.end();
}

template <class M>
MutableBytes control(Turn& turn, ControlType type, const M& message, uint8_t flags = 0,
                     Channel channel = Channel::unreliable) noexcept {
    turn.writer.begin(turn.session, mine, channel, flag::control | flags);
    turn.writer.message(type, message);
    return turn.writer.end();
}

MutableBytes act(Turn& turn, uint32_t action, bool far) noexcept {
    Session& s = turn.session;
    ActionRequest request{.request_id = ++s.request_id,
                          .client_time_ms = s.client_time_ms(turn.now),
                          .action = action};
    if (far) {
        constexpr double out_of_reach = 9'000;
        const world::Quantised there =
            world::quantise({s.place.x + out_of_reach, s.place.y, s.place.z});
        request.bits = ActionRequest::has_point;
        request.quadrant = there.quadrant;
        request.point = there.local;
    } else {
        request.bits = ActionRequest::has_target;
        request.target = turn.group[(s.number + 1) % turn.group.size()].entity();
    }
    turn.writer.begin(s, mine, Channel::reliable_ordered);
    turn.writer.message(ClientType::action_request, request);
    s.expect_ack(mine);
    return turn.writer.end();
}

MutableBytes fragment(Turn& turn, uint16_t id, uint16_t offset, uint32_t total,
                      std::byte fill) noexcept {
    std::array<std::byte, fragment_data_size> data;
    data.fill(fill);
    const size_t size =
        std::min<size_t>(total - std::min<uint32_t>(offset * 8u, total), data.size());
    return control(turn, ControlType::fragment,
                   Fragment{id, offset, total, Bytes(data).first(size)}, flag::fragment);
}

MutableBytes overlap(Turn& turn) noexcept {
    constexpr uint32_t total = 3 * fragment_data_size;
    constexpr uint16_t second = fragment_data_size / fragment_unit;
    Session& s = turn.session;
    const unsigned phase = s.attack_count++ % 3;
    if (phase == 0) ++s.fragment_id;
    constexpr std::byte stories[] = {std::byte{'A'}, std::byte{'B'}, std::byte{'C'}};
    return fragment(turn, s.fragment_id, phase == 0 ? uint16_t{0} : second, total, stories[phase]);
}

MutableBytes compressed(Turn& turn, uint32_t original_size, size_t size) noexcept {
    turn.writer.begin(turn.session, mine, Channel::unreliable, flag::compressed);
    turn.writer.body().le_u32(original_size);
    for (size_t i = 0; i < size; ++i) turn.writer.body().u8(0xff);
    return turn.writer.end();
}

MutableBytes connect_with(Turn& turn, Bytes cookie) noexcept {
    write_connect(turn, cookie);
    return turn.writer.end();
}

MutableBytes old_cookie(Turn& turn) noexcept {
    constexpr uint64_t age_ms = 11'000;
    const Session& s = turn.session;
    return connect_with(turn,
                        turn.authenticator.make_cookie(turn.secrets.cookie, s.client, s.public_key,
                                                       turn.now_ms() - age_ms, turn.random.next()));
}

MutableBytes forged_cookie(Turn& turn) noexcept {
    std::array<std::byte, cookie_size> cookie;
    turn.random.fill(cookie);
    Writer(cookie).le_u64(turn.now_ms());
    return connect_with(turn, cookie);
}

/// A number far ahead of all, and next time one that is long past.
MutableBytes out_of_window(Turn& turn) noexcept {
    Session& s = turn.session;
    const uint64_t next = s.sequences[index_of(mine)][0];
    turn.writer.begin(s, mine, Channel::unreliable);
    s.sequences[index_of(mine)][0] = next;
    const bool ahead = s.attack_count++ % 2 == 0 || next < 100;
    turn.writer.header().sequence = ahead ? next + 1'000'000 : next - 90;
    turn.writer.message(ClientType::sync_entity_quantized, sync_of(s, turn.now));
    return turn.writer.end();
}

MutableBytes hijack(Turn& turn) noexcept {
    Session& s = turn.session;
    turn.writer.begin(s, mine, Channel::unreliable);
    turn.writer.header().connection_id =
        turn.group[(s.number + 1) % turn.group.size()].connection_id;
    turn.writer.message(ClientType::sync_entity_quantized, sync_of(s, turn.now));
    return turn.writer.end();
}

MutableBytes bent(Turn& turn, size_t at, std::byte bits, bool mended) noexcept {
    const MutableBytes datagram = sync(turn);
    datagram[at % datagram.size()] ^= bits;
    if (mended) DatagramWriter::mend(datagram, turn.session.encrypted);
    return datagram;
}

MutableBytes downgrade(Turn& turn) noexcept {
    Session& s = turn.session;
    turn.writer.begin(s, mine, Channel::unreliable);
    Header& header = turn.writer.header();
    header.flags ^= flag::sealed;
    header.key_phase = false;
    turn.writer.message(ClientType::sync_entity_quantized, sync_of(s, turn.now));
    return turn.writer.end();
}

MutableBytes bent_sync(Turn& turn, uint8_t more_state, uint16_t quadrant) noexcept {
    SyncEntityQuantized message = sync_of(turn.session, turn.now);
    message.fields.flags.state |= more_state;
    if (quadrant != 0) message.fields.quadrant = quadrant;
    turn.writer.begin(turn.session, mine, Channel::unreliable);
    turn.writer.message(ClientType::sync_entity_quantized, message);
    return turn.writer.end();
}

MutableBytes unknown_type(Turn& turn) noexcept {
    constexpr uint8_t nobodys = 0x40;
    turn.writer.begin(turn.session, mine, Channel::unreliable);
    turn.writer.body().u8(nobodys);
    turn.writer.body().le_u32(0);
    return turn.writer.end();
}

MutableBytes ack_of_nothing(Turn& turn) noexcept {
    std::array<std::byte, 8> sequence;
    Writer(sequence).le_u64(turn.session.sequences[index_of(Direction::to_client)][1] + 1'000);
    return control(turn, ControlType::ack, Ack{.channel = 1, .count = 1, .raw = sequence},
                   flag::acknowledgment);
}

MutableBytes crc_of_a_connect(Turn& turn) noexcept {
    write_connect(turn, {});
    const MutableBytes datagram = turn.writer.end();
    datagram.back() ^= std::byte{0x80};
    return datagram;
}

MutableBytes leap(Turn& turn) noexcept {
    constexpr double far = 5'000;
    Session& s = turn.session;
    s.place.x += s.attack_count++ % 2 == 0 ? far : -far;
    return sync(turn);
}

/// How long an attacker waits before the next time.
Nanos pause_after(Attack attack) noexcept {
    switch (attack) {
        case Attack::fragments_timeout:
            return 2'600ms;
        case Attack::movement_teleport:
            return 800ms;
        case Attack::action_cooldown:
            return 700ms;
        case Attack::action_state:
            return 5'100ms;
        case Attack::action_range:
            return 10'100ms;
        default:
            return 100ms;
    }
}

MutableBytes attack_in_session(Turn& turn) noexcept {
    Session& s = turn.session;
    constexpr size_t flags_at = 5;
    switch (s.attack) {
        case Attack::action_cooldown:
            return act(turn, 4, false);
        case Attack::action_state:
            return act(turn, 4, false);
        case Attack::action_range:
            return act(turn, 3, true);
        case Attack::compression_bomb:
            return compressed(turn, 60'000, 10);
        case Attack::compression_malformed:
            return compressed(turn, 600, 30);
        case Attack::crc_bad:
            return crc_of_a_connect(turn);
        case Attack::crypto_downgrade:
            return downgrade(turn);
        case Attack::crypto_forged:
            return bent(turn, header_size, std::byte{1}, false);
        case Attack::fragments_flood:
            return fragment(turn, ++s.fragment_id, 0, 60'000, std::byte{1});
        case Attack::fragments_invalid:
            return fragment(turn, ++s.fragment_id, 0, 900, std::byte{1});
        case Attack::fragments_overlap:
            return overlap(turn);
        case Attack::fragments_timeout:
            return fragment(turn, ++s.fragment_id, 0, 2'000, std::byte{1});
        case Attack::header_invalid:
            return bent(turn, flags_at, std::byte{flag::fragment}, true);
        case Attack::heartbeat_forged:
            return control(turn, ControlType::pong, Pong{60'000, turn.now_ms(), 0});
        case Attack::message_direction:
            return control(turn, ControlType::ping, Ping{1, turn.now_ms()});
        case Attack::message_malformed:
            return unknown_type(turn);
        case Attack::movement_teleport:
            return leap(turn);
        case Attack::rekey_invalid:
            return control(turn, ControlType::rekey_response,
                           RekeyResponse{s.epochs[index_of(mine)] + 5, s.public_key}, flag::rekey,
                           Channel::reliable_ordered);
        case Attack::reliable_abuse:
            return ack_of_nothing(turn);
        case Attack::replay_window:
            return out_of_window(turn);
        case Attack::session_hijack:
            return hijack(turn);
        case Attack::state_forged:
            return bent_sync(turn, state::invisible, 0);
        case Attack::world_origin:
            return bent_sync(turn, 0, UINT16_MAX);
        default:
            return {};
    }
}

}  // namespace

bool attacks_in_session(Attack attack) noexcept {
    return attack != Attack::cookie_expired && attack != Attack::cookie_forged &&
           attack != Attack::handshake_flood;
}

uint32_t attacker_repeats(const Session& s, Nanos now) noexcept {
    if (s.attacking(Attack::rate_flood, now)) return 12;
    return s.attacking(Attack::handshake_flood, now) ? 6 : 1;
}

MutableBytes attacker_says(Turn& turn) noexcept {
    Session& s = turn.session;
    if (turn.now < s.attack_begins) return {};
    if (s.attack == Attack::handshake_flood) return connect_with(turn, {});
    if (attacks_in_session(s.attack) && s.step < Step::play) return {};
    if (turn.now < s.attack_at) return {};
    const MutableBytes said = s.attack == Attack::cookie_expired  ? old_cookie(turn)
                              : s.attack == Attack::cookie_forged ? forged_cookie(turn)
                                                                  : attack_in_session(turn);
    if (!said.empty()) s.attack_at = turn.now + pause_after(s.attack);
    return said;
}

}  // namespace portcullis::load
