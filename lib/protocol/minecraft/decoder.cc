#include "protocol/minecraft/decoder.h"

#include <algorithm>

#include "protocol/minecraft/framer.h"

namespace portcullis::minecraft {

namespace {

using protocol::Fault;

constexpr uint8_t legacy_mark = 0xfe;
constexpr uint8_t legacy_reply = 0xff;
constexpr size_t id_width_max = 5;
/// A deflate stream of fewer bytes seldom gives its first ones.
constexpr size_t first_try_size = 64;
/// How often a session is worth finding out the true size of a lie.
constexpr uint8_t lies_measured_max = 4;
constexpr size_t lie_size_max = 2u << 20;
/// What vanilla servers take of a plugin message.
constexpr uint32_t plugin_message_max = 32'767;
/// What the bytes of a packet that is wanted may take on the wire above what they are.
constexpr size_t packing_max = 1024;

/// A VarInt in bytes that may end within it: width 0 when they do, -1 when it is
/// longer than five.
struct Number {
    int32_t value = 0;
    int width = 0;
};

Number number_at(Bytes in) noexcept {
    if (!in.empty() && static_cast<uint8_t>(in[0]) < 0x80) {
        return {static_cast<int32_t>(in[0]), 1};
    }
    uint32_t value = 0;
    for (size_t i = 0; i < id_width_max; ++i) {
        if (i == in.size()) return {0, 0};
        const auto byte = static_cast<uint8_t>(in[i]);
        value |= static_cast<uint32_t>(byte & 0x7f) << (7 * i);
        if (byte < 0x80) return {static_cast<int32_t>(value), static_cast<int>(i + 1)};
    }
    return {0, -1};
}

}  // namespace

Decoder::Decoder(const Settings& settings)
    : settings_(settings),
      inflater_(settings.body_max),
      plain_(settings.keys_come ? 2 * size_t{settings.body_max} : 0) {}

[[gnu::flatten]] Decoder::Step Decoder::next(Session& session, Direction direction, Bytes in,
                                             size_t at) noexcept {
    Session::Half& half = session.half(direction);
    frame_ = Frame{};
    frame_.direction = direction;
    frame_.state = half.state;
    frame_.offset = at;
    if (!half.started) {
        const Step step = first_byte(session, direction, in.subspan(at));
        if (step.kind != Step::Kind::nothing) return step;
    }
    const Framer::Length length = Framer::read_length(in.subspan(at));
    if (length.status == Framer::Length::Status::need_more) return {Step::Kind::need_more};
    if (length.status == Framer::Length::Status::malformed) {
        return broken(session, direction, in.size() - at, length.fault, length.observed,
                      Framer::frame_size_max);
    }
    if (half.state == State::handshake && direction == Direction::to_client) {
        return broken(session, direction, in.size() - at, Fault::wrong_state, 0, 0);
    }
    if (length.value == 0) return fault(direction, length.width, Fault::zero_length, 0, 1);

    frame_.version = session.version;
    frame_.wire_size = length.width + length.value;
    const Front front{session, half, in.subspan(at), length.width};
    if (half.state == State::framed) return framed(front);
    return session.threshold < 0 ? plain(front, length.width) : packed(front);
}

/// Tells a ping from before 1.7 and a long handshake apart, which may both start with
/// 0xFE: the old client sends FE, or FE 01, or FE 01 FA and more, where a handshake
/// has its packet id, 0, third.
Decoder::Step Decoder::first_byte(Session& session, Direction direction, Bytes in) noexcept {
    const auto byte = [in](size_t i) { return static_cast<uint8_t>(in[i]); };
    Session::Half& half = session.half(direction);
    bool legacy = false;
    if (direction == Direction::to_client) {
        legacy = session.legacy_asked && byte(0) == legacy_reply;
    } else if (byte(0) == legacy_mark && (in.size() < 2 || byte(1) == 1)) {
        session.legacy_asked = true;
        if (in.size() < 3) return {Step::Kind::need_more};
        legacy = byte(2) == 0xfa;
    }
    session.legacy_asked = session.legacy_asked && legacy;
    half.started = true;
    if (!legacy) return {Step::Kind::nothing};
    session.half(Direction::to_server).state = State::opaque;
    session.half(Direction::to_client).state = State::opaque;
    frame_ = Frame{};
    frame_.direction = direction;
    frame_.id = byte(0);
    frame_.packet = Packet::legacy_server_list_ping;
    frame_.wire_size = frame_.size = in.size();
    return {Step::Kind::legacy_ping, in.size()};
}

/// A frame of a version that there are no tables for: it is cut and counted.  Of the
/// login alone is read what every release since 1.7 has in the same place: who logs in,
/// and what says that all later bytes are enciphered, for those have no frames to cut.
Decoder::Step Decoder::framed(const Front& front) noexcept {
    constexpr int32_t login_start = 0, encryption = 1, success = 2, compress = 3;
    constexpr size_t read_max = 4096;
    const size_t have = std::min(front.in.size(), frame_.wire_size);
    frame_.size = frame_.wire_size - front.width;
    Session& session = front.session;
    if (session.login_over || session.enciphered()) return pass(have);
    const Number id = number_at(front.in.first(have).subspan(front.width));
    if (id.width == 0 && have < frame_.wire_size) return {Step::Kind::need_more};
    frame_.id = id.width > 0 ? id.value : -1;
    if (frame_.direction == Direction::to_client) {
        session.encryption_asked = session.encryption_asked || frame_.id == encryption;
        session.login_over = frame_.id == success || frame_.id == compress;
        return pass(have);
    }
    const bool enciphers = frame_.id == encryption && session.encryption_asked;
    if ((frame_.id != login_start && !enciphers) || frame_.wire_size > read_max) return pass(have);
    if (have < frame_.wire_size) return {.kind = Step::Kind::need_more, .needs = frame_.wire_size};
    frame_.packet = enciphers ? Packet::encryption_begin : Packet::login_start;
    frame_.body = front.in.first(have).subspan(front.width + static_cast<size_t>(id.width));
    frame_.has_body = true;
    return {Step::Kind::frame, have};
}

/// A packet as it is: id, fields.  `header` bytes of lengths stand before it.
Decoder::Step Decoder::plain(const Front& front, size_t header) noexcept {
    const size_t whole = frame_.wire_size;
    const size_t have = std::min(front.in.size(), whole);
    const Number id = number_at(front.in.first(have).subspan(std::min(header, have)));
    if (id.width == 0 && have < whole) return {Step::Kind::need_more};
    frame_.size = whole - header;
    if (id.width <= 0) {
        Step step = pass(have);
        accuse(step, id.width < 0 ? Fault::bad_varint : Fault::short_packet, 0, id_width_max);
        return step;
    }
    const bool wanted = identify(front.session, id.value);
    if (wanted && frame_.size > settings_.body_max && head_tells()) {
        const size_t head = header + Inflater::head_size_max;
        if (have < head) return {.kind = Step::Kind::need_more, .needs = head};
        frame_.body = front.in.first(head).subspan(header + static_cast<size_t>(id.width));
        frame_.has_body = true;
        return pass(have);
    }
    if (!wanted || frame_.size > settings_.body_max) {
        Step step = pass(have);
        if (wanted) note_unread(step, frame_.size);
        note_unknown(step);
        return step;
    }
    if (have < whole) return {.kind = Step::Kind::need_more, .needs = whole};
    frame_.body_offset = frame_.offset + header + static_cast<size_t>(id.width);
    frame_.body = front.in.first(whole).subspan(header + static_cast<size_t>(id.width));
    frame_.has_body = true;
    return {Step::Kind::frame, whole};
}

/// A packet once compression is on: its size once inflated, 0 when it is as it is.
Decoder::Step Decoder::packed(const Front& front) noexcept {
    const size_t whole = frame_.wire_size;
    const size_t have = std::min(front.in.size(), whole);
    const Number size = number_at(front.in.first(have).subspan(front.width));
    if (size.width == 0 && have < whole) return {Step::Kind::need_more};
    if (size.width <= 0) {
        Step step = pass(have);
        accuse(step, size.width < 0 ? Fault::bad_varint : Fault::short_packet, 0, id_width_max);
        return step;
    }
    const size_t header = front.width + static_cast<size_t>(size.width);
    if (size.value == 0) return plain(front, header);

    frame_.compressed = true;
    const auto declared = static_cast<uint32_t>(size.value);
    const uint32_t limit = frame_.direction == Direction::to_server
                               ? settings_.inflated_max_to_server
                               : settings_.inflated_max_to_client;
    if (declared > limit) {
        Step step = pass(have);
        accuse(step, Fault::inflated_too_long, size.value, limit);
        return step;
    }
    frame_.size = declared;
    Step step = inflated(front, header, have);
    const bool from_client = frame_.direction == Direction::to_server;
    if (step.kind == Step::Kind::frame && !step.faulty && from_client &&
        size.value < front.session.threshold) {
        accuse(step, Fault::below_threshold, size.value, front.session.threshold);
    }
    return step;
}

/// Finds the id out from the first bytes, and the rest if it is wanted.
Decoder::Step Decoder::inflated(const Front& front, size_t header, size_t have) noexcept {
    const bool all_here = have == frame_.wire_size;
    const Bytes stream = front.in.first(have).subspan(header);
    Session::Half& half = front.half;
    if (!all_here) {
        const size_t next_try = half.front_tried > 0 ? 2u * half.front_tried : first_try_size;
        if (half.front_wanted) return {.kind = Step::Kind::need_more, .needs = frame_.wire_size};
        if (stream.size() < next_try) {
            return {.kind = Step::Kind::need_more,
                    .needs = std::min(header + next_try, frame_.wire_size)};
        }
    }
    if (!half.front_wanted) {
        const Inflater::Result first = inflater_.first(stream, std::min(frame_.size, id_width_max));
        const Number id = number_at(first.out);
        if (first.status == Inflater::Status::need_more && id.width == 0 && !all_here) {
            half.front_tried = static_cast<uint16_t>(std::min<size_t>(stream.size(), 0x7fff));
            return {Step::Kind::need_more};
        }
        if (id.width <= 0) {
            Step step = done(front, pass(have));
            accuse(step,
                   first.status == Inflater::Status::done ? Fault::bad_varint : Fault::bad_deflate,
                   0, 0);
            return step;
        }
        const bool wanted = identify(front.session, id.value);
        if (wanted && frame_.size > settings_.body_max && head_tells()) {
            return inflated_head(front, stream, static_cast<size_t>(id.width));
        }
        if (!wanted || frame_.size > settings_.body_max ||
            frame_.wire_size > settings_.body_max + packing_max) {
            Step step = done(front, pass(have));
            if (wanted) note_unread(step, frame_.wire_size - header);
            note_unknown(step);
            return step;
        }
        half.front_wanted = true;
        if (!all_here) return {.kind = Step::Kind::need_more, .needs = frame_.wire_size};
    }
    return inflate_whole(front, stream);
}

/// The first bytes of a packet that is too long; the rest passes.
Decoder::Step Decoder::inflated_head(const Front& front, Bytes stream, size_t id_width) noexcept {
    const size_t have = std::min(front.in.size(), frame_.wire_size);
    const Inflater::Result head = inflater_.head(stream);
    if (head.status == Inflater::Status::need_more && have < frame_.wire_size) {
        front.half.front_tried = static_cast<uint16_t>(std::min<size_t>(stream.size(), 0x7fff));
        return {Step::Kind::need_more};
    }
    frame_.has_body = head.status == Inflater::Status::done;
    if (frame_.has_body) frame_.body = head.out.subspan(id_width);
    return done(front, pass(have));
}

Decoder::Step Decoder::inflate_whole(const Front& front, Bytes stream) noexcept {
    Step step = done(front, {Step::Kind::frame, frame_.wire_size});
    Inflater::Result body = inflater_.whole(stream, frame_.size);
    if (body.status == Inflater::Status::bad_deflate) {
        // What it was may have been found out when fewer bytes were here.
        const Number id = number_at(inflater_.first(stream, id_width_max).out);
        if (id.width > 0) (void)identify(front.session, id.value);
        accuse(step, Fault::bad_deflate, 0, 0);
        return step;
    }
    if (body.status == Inflater::Status::other_size) {
        frame_.size_lies = true;
        double real = 0;
        if (front.session.lies_measured < lies_measured_max) {
            ++front.session.lies_measured;
            real = static_cast<double>(inflater_.measure(stream, lie_size_max));
            body = inflater_.whole(stream, frame_.size);  // The room was needed.
        }
        accuse(step, Fault::length_lies, real, static_cast<double>(frame_.size));
    }
    const Number id = number_at(body.out);
    if (id.width > 0) {
        (void)identify(front.session, id.value);
        frame_.body = body.out.subspan(static_cast<size_t>(id.width));
        frame_.has_body = frame_.program != nullptr;
    }
    return step;
}

// ---- Enciphered bytes ----

/// Bytes that were skipped go by, the last of them for the register.
size_t Decoder::pass_enciphered(Session::Half& half, Bytes in) noexcept {
    const size_t size = std::min<size_t>(half.passing, in.size());
    Cfb8::pass(in.first(size), half.last);
    half.passing = static_cast<uint8_t>(half.passing - size);
    return size;
}

/// As much as there is room for: all of any packet that is read.
Bytes Decoder::decipher(const Session& session, const Session::Half& half, Bytes in) noexcept {
    const size_t size = std::min(in.size(), plain_.size());
    Cfb8::Register last = half.last;
    session.cipher.decrypt(in.first(size), last, plain_);
    return Bytes(plain_).first(size);
}

/// What is skipped is never seen, so its last bytes are asked for: after them the
/// register is right again, whatever it missed.
void Decoder::consume_enciphered(Session::Half& half, Bytes consumed, const Step& step) noexcept {
    Cfb8::pass(consumed, half.last);
    half.passing = static_cast<uint8_t>(std::min(step.skip, Cfb8::block_size));
    half.front_needs = step.kind == Step::Kind::need_more ? static_cast<uint32_t>(step.needs) : 0;
}

// ---- What stands at the front ----

/// The frame is told and not read; what has not arrived of it passes unbuffered.
Decoder::Step Decoder::pass(size_t have) noexcept {
    return {Step::Kind::frame, have, frame_.wire_size - have};
}

Decoder::Step Decoder::done(const Front& front, Step step) noexcept {
    front.half.front_wanted = false;
    front.half.front_tried = 0;
    return step;
}

bool Decoder::identify(const Session& session, int32_t id) noexcept {
    frame_.id = id;
    const auto tables = static_cast<size_t>(std::max<int16_t>(session.tables, 0));
    const auto rows =
        all_tables()[tables]
            .rows[static_cast<size_t>(frame_.state)][static_cast<size_t>(frame_.direction)];
    if (id < 0 || static_cast<size_t>(id) >= rows.size()) return false;
    const Row& row = rows[static_cast<size_t>(id)];
    frame_.packet = row.packet;
    if (row.program == Row::no_program) return false;
    frame_.program = &programs()[row.program];
    if (frame_.direction == Direction::to_server || settings_.all_bodies) return true;
    if (frame_.packet == Packet::custom_payload && session.mods_told) return false;
    return is_heard_from_server(frame_.state, frame_.packet);
}

/// Play's login before 764 ends with all the server's registries, which may be longer
/// than what is read of any packet; what makes its event stands in front of them.
bool Decoder::head_tells() const noexcept {
    constexpr int32_t registries_apart_since = 764;
    return frame_.direction == Direction::to_client && frame_.packet == Packet::login &&
           frame_.version < registries_apart_since;
}

void Decoder::accuse(Step& step, Fault fault, double observed, double limit) noexcept {
    step.faulty = true;
    malformed_ = {fault, observed, limit, frame_.direction == Direction::to_client};
}

void Decoder::note_unknown(Step& step) noexcept {
    if (frame_.packet != Packet::unknown || step.faulty) return;
    accuse(step, Fault::unknown_packet, frame_.id, 0);
}

/// A client's packet that is too long to be read.  Of plugin messages only mods send such;
/// items may have as much data, seldom.
void Decoder::note_unread(Step& step, size_t packed_size) noexcept {
    if (frame_.direction != Direction::to_server) return;
    const double most = static_cast<double>(packed_size) * settings_.ratio_max;
    const auto size = static_cast<double>(frame_.size);
    if (frame_.compressed && size > most) {
        accuse(step, Fault::inflated_too_long, size, most);
    } else if (frame_.compressed && frame_.size <= settings_.body_max) {
        accuse(step, Fault::overpacked, static_cast<double>(packed_size), size + packing_max);
    } else {
        const bool plugin_message = frame_.packet == Packet::custom_payload;
        accuse(step, Fault::frame_too_long, size,
               plugin_message ? plugin_message_max : settings_.body_max);
    }
}

Decoder::Step Decoder::fault(Direction direction, size_t size, Fault fault, double observed,
                             double limit) noexcept {
    Step step{Step::Kind::nothing, size};
    step.faulty = true;
    malformed_ = {fault, observed, limit, direction == Direction::to_client};
    return step;
}

/// Where the next frame starts can not be known: this direction is over for us.
Decoder::Step Decoder::broken(Session& session, Direction direction, size_t size, Fault kind,
                              double observed, double limit) noexcept {
    session.half(direction).state = State::broken;
    return fault(direction, size, kind, observed, limit);
}

}  // namespace portcullis::minecraft
