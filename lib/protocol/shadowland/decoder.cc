#include "protocol/shadowland/decoder.h"

#include <algorithm>
#include <bit>
#include <cstddef>

#include "base/fetch.h"

namespace portcullis::shadowland {

namespace {

constexpr uint32_t none = Pool<Session>::none;

/// A second copy within this time is the network's doing.
constexpr Nanos network_repeat_max = 500ms;
/// Other repeats that nobody is blamed for.
constexpr double repeats_per_second = 4, repeats_burst = 4;
/// A line that stalled for seconds gives everything back at once.
constexpr double packets_burst_s = 3;
/// What a client said before its address changed has come by then.
constexpr Nanos still_on_its_way_max = 1s;
/// After so long a strange address is another one's.
constexpr Nanos strangers_pause_min = 10s;
/// A line may add copies to the ten retransmissions that a sender is allowed.
constexpr uint8_t copies_max = Copies::most;
/// After so many copies a receiver that hears us had every chance to acknowledge.
constexpr uint8_t copies_unheard = 9;

Fault fault_of(Error error) noexcept {
    switch (error) {
        case Error::direction:
            return Fault::message_direction;
        case Error::fragment_total:
        case Error::fragment_offset:
        case Error::fragment_size:
            return Fault::fragments_invalid;
        case Error::lz4_size:
            return Fault::compression_bomb;
        case Error::lz4:
            return Fault::compression_malformed;
        case Error::connection:
        case Error::sequence:
        case Error::flags:
            return Fault::header_invalid;
        default:
            return Fault::message_malformed;
    }
}

constexpr Nanos slot_unit = 64ms;
uint8_t in_slot_units(Nanos t) noexcept { return static_cast<uint8_t>(t / slot_unit); }

/// As many of a UTF-8 text's as fit: a strict reader refuses half of one.
std::string_view whole_characters(std::string_view text, size_t size_max) noexcept {
    if (text.size() <= size_max) return text;
    const auto continues = [](char c) noexcept { return (static_cast<uint8_t>(c) & 0xc0) == 0x80; };
    while (size_max > 0 && continues(text[size_max])) --size_max;
    return text.substr(0, size_max);
}

/// Every sync begins a new slot for its sequence.
size_t slot_of(uint64_t sequence) noexcept { return sequence % ReplayWindow::size; }

}  // namespace

Decoder::Decoder(const Settings& settings, const keys::ShadowlandKeys& keys)
    : settings_(settings),
      keys_(keys),
      connects_(settings.connects, settings.secret),
      sessions_(settings.sessions),
      harmless_(settings.sessions == 0 ? 0 : harmless_max),
      kept_(settings.sessions == 0 ? 0 : settings.kept_max),
      heads_(std::make_unique<uint32_t[]>(std::bit_ceil(settings.sessions + 1))),
      next_(std::make_unique<uint32_t[]>(settings.sessions)),
      heads_mask_(std::bit_ceil(settings.sessions + 1) - 1),
      fragments_(settings.fragments),
      inflated_(std::make_unique<std::byte[]>(inflated_size)) {
    std::fill_n(heads_.get(), heads_mask_ + 1, none);
}

void Decoder::begin(Link& link, Direction direction, Nanos now) noexcept {
    link_ = &link;
    session_ = link.session == none ? nullptr : &sessions_[link.session];
    direction_ = direction;
    now_ = now;
    seen_ = PacketSeen{};
    payload_ = message_ = {};
    changes_ = nullptr;
    refused_ = syncs_counted_ = false;
    outcome_ = Outcome{};
    round_trip_ = {};
    violations_size_ = 0;
}

/// The order of checks on receipt; the first failure ends it.
void Decoder::open(Bytes datagram, const ReadHeader& read) noexcept {
    datagram_ = datagram;
    seen_.header = read.header;
    seen_.size = datagram.size();
    if (read.error != Error::none) return fail(read.error, Fault::header_invalid);
    const bool accepting = read.header.flags == flag::control && read.header.sequence == 0;
    if (read.header.connection_id == 0 || accepting) return open_handshake(datagram);
    const bool believed = of_this_session();
    if (!believed && !settings_.tell_all) return;
    if (!unseal(datagram)) return;
    if (!believed) return;  // Told as its sender meant it, and no more.
    place(proven());
}

/// Before there is a session nothing is encrypted, numbered or kept.
void Decoder::open_handshake(Bytes datagram) noexcept {
    if (!crc_holds(datagram)) return fail(Error::crc, Fault::crc_bad);
    payload_ = payload_of(seen_.header, datagram);
    seen_.fresh = seen_.opened = true;
}

/// Whether the packet is of the session on this flow, in its mode.
bool Decoder::of_this_session() noexcept {
    const Header& header = seen_.header;
    if (session_ == nullptr || session_->connection_id != header.connection_id) {
        const uint32_t another = find(header.connection_id, link_->service);
        outcome_.unknown = another == none;
        if (another != none) {
            hijacked(sessions_[another]);
        } else if (direction_ == Direction::to_server) {
            stranger();
        }
        return false;
    }
    if (session_->encrypted == header.encrypted()) return true;
    drop(Fault::crypto_downgrade);
    accuse({.fault = Fault::crypto_downgrade,
            .note = session_->encrypted ? "plain in an encrypted session"
                                        : "encrypted in a plain session"});
    return false;
}

/// Who took the id of another's session speaks from the wrong address, be it a thief's or the
/// owner's own new one: the server takes neither.  An owner who moved is not heard from where
/// he was any more, but for what was still on its way.
void Decoder::hijacked(Session& owner) noexcept {
    drop(Fault::session_hijack);
    if (direction_ != Direction::to_server) return;
    const bool paused = now_ - owner.stranger_at > strangers_pause_min;
    if (owner.stranger_at == Nanos{} || paused) owner.stranger_from = now_;
    owner.stranger_at = now_;
    const bool stayed = owner.heard_at > owner.stranger_from + still_on_its_way_max;
    accuse({.fault = Fault::session_hijack,
            .by_others = true,
            .confidence = stayed ? 0.98f : 0.9f,
            .observed = double(owner.connection_id),
            .unit = "connection id",
            .note = stayed ? "its owner speaks too" : "its owner may have moved"});
}

/// Where its sequence lies, and what that makes of it.
void Decoder::place(bool is_proven) noexcept {
    const Header& header = seen_.header;
    Half& half = session_->half(direction_);
    ReplayWindow& window = half.window(header.channel);
    const ReplayWindow::Place where = window.look(header.sequence, is_proven);
    const bool of_client = direction_ == Direction::to_server;
    if (where == ReplayWindow::Place::too_far) return far_ahead(is_proven);
    // Copies on channel 0 are dropped in any case, and a line may make many of them.
    const bool counts = where == ReplayWindow::Place::fresh || header.reliable();
    if (of_client && counts && one_too_many(is_proven)) return;
    if (where != ReplayWindow::Place::fresh) return repeated(where, is_proven);
    if (of_client && header.reliable() && beyond_window(is_proven)) return;
    outcome_.lost = static_cast<uint32_t>(window.lost_by(header.sequence));
    outcome_.fate = DatagramFate::arrived;
    const uint64_t moved = window.accept(header.sequence);
    seen_.fresh = true;
    if (header.reliable()) {
        Copies& copies = half.of(header.channel);
        if (moved > 0) copies.moved(moved);
        if (moved > 0 && direction_ == Direction::to_client) {
            session_->acknowledged_on(header.channel).moved(moved);
        }
        if (moved > 0 && session_->harmless != none && direction_ == Direction::to_server) {
            forget_harmless(*session_, window.highest(), header.channel);
        }
        copies.add(window.highest() - header.sequence);
        const bool ordered = header.channel == Channel::reliable_ordered;
        seen_.waits = of_client && ordered && window.gap_before(header.sequence);
    } else if (of_client) {
        session_->far_ahead.forget();
        session_->unreliable_slot(header.sequence) = in_slot_units(now_);
        session_->unreliable_twice &= ~(uint64_t{1} << slot_of(header.sequence));
    }
    if (!of_client) return;
    session_->heard_at = now_;
    if (!is_proven) return;
    session_->last_client = now_;
    session_->client_spoke.hear(now_);
}

/// Whether it is one too many of the session's.  What anybody may have sent is not counted, or
/// he would have the client's own dropped.
bool Decoder::one_too_many(bool is_proven) noexcept {
    const double per_second = settings_.session_packets_per_s;
    const double burst = per_second * packets_burst_s;
    if (session_->packets.take(now_, per_second, burst)) return false;
    drop(Fault::rate_flood);
    accuse({.fault = Fault::rate_flood,
            .proven = is_proven,
            .confidence = 0.98f,
            .observed = burst,
            .limit = per_second,
            .unit = "packets/s"});
    return true;
}

/// Whether a reliable packet of the client's leaves one behind that never came.  Would it move
/// the window, all that an honest sender says next would be too old to be read.
bool Decoder::beyond_window(bool is_proven) noexcept {
    const Header& header = seen_.header;
    const ReplayWindow& window = session_->half(direction_).window(header.channel);
    if (!window.leaves_gap(header.sequence)) return false;
    drop(Fault::replay_window);
    accuse({.fault = Fault::reliable_abuse,
            .proven = is_proven,
            .confidence = is_proven ? 1.0f : 0.9f,
            .observed = double(header.sequence),
            .limit = double(window.highest()),
            .unit = "sequence",
            .note = "beyond the window"});
    return true;
}

/// Further ahead than any receiver follows; or than we do where nothing proves the packet, and
/// then it goes on to the receiver who can tell.
void Decoder::far_ahead(bool is_proven) noexcept {
    const Header& header = seen_.header;
    ReplayWindow& window = session_->half(direction_).window(header.channel);
    if (is_proven) drop(Fault::replay_window);
    accuse({.fault = Fault::replay_window,
            .proven = is_proven,
            .confidence = is_proven ? 1.0f : 0.9f,
            .observed = double(header.sequence),
            .limit = double(window.highest()),
            .unit = "sequence",
            .note = "too far ahead"});
    // A line that was dead for long has lost more than a window follows.
    const bool of_client = direction_ == Direction::to_server;
    if (is_proven || !of_client || header.reliable()) return;
    if (!session_->far_ahead.hear(header.sequence, now_)) return;
    window.accept(header.sequence);
    session_->far_ahead.forget();
}

void Decoder::repeated(ReplayWindow::Place where, bool is_proven) noexcept {
    const Header& header = seen_.header;
    if (!header.reliable()) return repeated_unreliable(where, is_proven);
    // Its receiver acknowledges it again, so a reliable repeat goes on.
    outcome_.fate = DatagramFate::resent;
    if (where == ReplayWindow::Place::too_old) {
        // What an honest client sends again lies in the window, so this is no repeat of what
        // was read, but may be new to a server that lacks what we have seen.
        if (is_proven && direction_ == Direction::to_server) drop(Fault::replay_window);
        return;
    }
    if (direction_ == Direction::to_server && session_->harmless != none) {
        changes_ = harmless_at_hand();
        outcome_.rewritten = changes_ != nullptr;
    }
    Half& half = session_->half(direction_);
    const uint64_t behind = half.window(header.channel).highest() - header.sequence;
    const bool new_most = half.of(header.channel).of(behind) == copies_max - 1;
    const uint8_t copies = half.of(header.channel).add(behind);
    if (direction_ == Direction::to_server) {
        if (new_most) {
            accuse({.fault = Fault::reliable_abuse,
                    .confidence = 0.9f,
                    .observed = double(copies),
                    .limit = double(copies_max),
                    .unit = "copies"});
        }
        return;
    }
    const auto told = static_cast<uint8_t>(1u << index_of(header.channel));
    const Acknowledged& heard = session_->acknowledged_on(header.channel);
    const bool silent = !heard.has(behind) && now_ - heard.at > 2s && copies >= copies_unheard &&
                        !session_->unread_lately(Direction::to_server, now_);
    // Somebody whose Pongs come hears the server, and could acknowledge.
    if (silent && (session_->starved_told & told) == 0 && now_ - session_->pong_at < 6s &&
        session_->pongs > 0 && now_ - session_->last_client < 1s) {
        session_->starved_told |= told;
        // Of a line that stood still, what was held back comes before what it asks for.
        const bool steadily = session_->client_spoke.steadily();
        accuse({.fault = Fault::reliable_abuse,
                .proven = true,
                .confidence = steadily ? 0.95f : 0.9f,
                .observed = double(copies),
                .limit = double(copies_unheard),
                .unit = "copies",
                .note = "nothing is acknowledged"});
    }
}

/// Nobody honest sends twice on channel 0, but networks do.
void Decoder::repeated_unreliable(ReplayWindow::Place where, bool is_proven) noexcept {
    // So old that nobody knows whether it came before: a line may hold some back for seconds.
    if (where == ReplayWindow::Place::too_old) {
        // Where nothing proves the newest, this one may be the client's and not that.
        if (is_proven) drop(Fault::replay_window);
        return;
    }
    outcome_.fate = DatagramFate::twice;
    drop(Fault::replay_window);
    if (direction_ != Direction::to_server) return;
    const size_t slot = slot_of(seen_.header.sequence);
    const uint64_t bit = uint64_t{1} << slot;
    if ((session_->unreliable_twice & bit) == 0) {
        session_->unreliable_twice |= bit;
        const auto since =
            static_cast<uint8_t>(in_slot_units(now_) - session_->unreliable_at[slot]);
        if (since * slot_unit <= network_repeat_max) return;
    }
    if (session_->repeats.take(now_, repeats_per_second, repeats_burst)) return;
    accuse({.fault = Fault::replay_window,
            .observed = double(seen_.header.sequence),
            .limit = double(session_->half(direction_).window(seen_.header.channel).highest()),
            .unit = "sequence"});
}

Fragments::Piece Decoder::add(const Fragment& fragment) noexcept {
    using Result = Fragments::Result;
    Half& half = session_->half(direction_);
    const Fragments::Piece piece = fragments_.add(half.fragments, direction_, seen_.header.channel,
                                                  seen_.header.compressed(), fragment, now_);
    Violation violation{.fault = Fault::fragments_invalid, .proven = true};
    switch (piece.result) {
        case Result::overlap:
            violation.fault = Fault::fragments_overlap;
            break;
        case Result::flood:
            violation.fault = Fault::fragments_flood;
            break;
        case Result::changed:
            violation.note = "unlike its set";
            break;
        case Result::no_room:
            outcome_.no_room = true;
            return piece;
        default:
            return piece;
    }
    refuse(violation.fault);
    // Its receiver gives up the set if it sees this, and only then.
    const bool arrives = !outcome_.drop && !outcome_.rewritten;
    if (arrives && piece.result != Result::flood) {
        fragments_.forget(half.fragments, fragment.fragment_id);
    }
    violation.observed = fragment.fragment_id;
    violation.unit = "fragment id";
    accuse(violation);
    return piece;
}

Bytes Decoder::inflate(Bytes payload) noexcept {
    const Decompressed inflated = decompress(payload, direction_, {inflated_.get(), inflated_size});
    if (inflated.error != Error::none) body_failed(inflated.error);
    return inflated.payload;
}

/// Of several messages a packet's fate hangs on all: so that none is told as taken which does
/// not go on, they are looked at before the first is.
void Decoder::judge_several(Bytes payload) noexcept {
    const bool may_be_dropped =
        direction_ == Direction::to_server && seen_.fresh && !seen_.header.reliable();
    if (!may_be_dropped || payload.empty()) return;
    if (form_of(static_cast<uint8_t>(payload[0])) == Form::single) return;
    Scout scout{*this};
    (void)read_game(payload, direction_, scout);
    syncs_counted_ = true;
    const bool changeable =
        payload.data() == payload_.data() && (!seen_.header.encrypted() || link_->reseal);
    const size_t harmless_many = changeable ? Harmless::messages_max : 0;
    if (scout.broken > harmless_many) drop(fault_of(scout.error));
}

/// The packet as a whole fails.
void Decoder::body_failed(Error error) noexcept {
    if (!seen_.fresh) return;
    if (error == Error::type && link_->pass_unknown) return;
    outcome_.error = error;
    refuse(fault_of(error));
    // Before there is a session anybody speaks in anybody's name.
    const bool of_session = session_ != nullptr && seen_.header.sequence != 0;
    accuse({.fault = fault_of(error),
            .error = error,
            .proven = of_session,
            .note = name_in(error_names, error)});
}

/// One message of several fails: its receiver drops it alone, so only that one must not
/// arrive, and of a server's nothing needs to be done.
void Decoder::message_failed(Error error) noexcept {
    if (error == Error::type && link_->pass_unknown) return;
    outcome_.error = error;
    if (direction_ == Direction::to_server && !make_harmless() && !seen_.header.reliable()) {
        drop(fault_of(error));
    }
    accuse({.fault = fault_of(error),
            .error = error,
            .proven = true,
            .note = name_in(error_names, error)});
}

void Decoder::fail(Error error, Fault fault) noexcept {
    outcome_.error = seen_.error = error;
    drop(fault);
    accuse({.fault = fault, .error = error, .note = name_in(error_names, error)});
}

/// It does not go on; the first reason stays.
void Decoder::drop(Fault why) noexcept {
    if (!outcome_.drop) outcome_.why = why;
    outcome_.drop = true;
}

/// What a receiver takes for a packet and then throws away need not reach it.  A reliable
/// one must, or its channel stops for good: a client's goes on as a Nop where that can be.
void Decoder::refuse(Fault why) noexcept {
    if (!seen_.header.reliable()) return drop(why);
    if (direction_ == Direction::to_server) make_whole_harmless();
}

/// Only clients are accused: a server's faults are its operator's to find.  Four Faults are the
/// client's doing and noticed when the server speaks.
void Decoder::accuse(const Violation& violation) noexcept {
    if (direction_ != Direction::to_server && violation.fault != Fault::reliable_abuse &&
        violation.fault != Fault::heartbeat_missing && violation.fault != Fault::integrity_failed &&
        violation.fault != Fault::fragments_timeout) {
        return;
    }
    if (violations_size_ < violations_max) violations_[violations_size_++] = violation;
}

void Decoder::fetch(uint32_t handle, Direction direction) const noexcept {
    const Session& s = sessions_[handle];
    const Conduct& conduct = s;
    const bool of_client = direction == Direction::to_server;
    // A server's packet asks its front only.
    portcullis::fetch(&conduct, of_client ? sizeof conduct : offsetof(Conduct, heard_at));
    portcullis::fetch(&s.challenges, sizeof s.challenges);
    portcullis::fetch(&s.connection_id, sizeof(uint64_t));
    portcullis::fetch(&s.epoch, sizeof s.epoch);
    portcullis::fetch(&s.halves[index_of(direction)].windows, sizeof s.halves[0].windows);
    for (const Half& half : s.halves) portcullis::fetch(&half.fragments, sizeof half.fragments);
    if (of_client) portcullis::fetch(&s.unreliable_at, sizeof s.unreliable_at);
}

uint32_t& Decoder::head_of(uint32_t connection_id) noexcept {
    return heads_[connection_id * 0x9e3779b1u >> 7 & heads_mask_];
}

/// Ids are one server's own: two servers may well choose the same.
uint32_t Decoder::find(uint32_t connection_id, uint8_t service) const noexcept {
    uint32_t at = heads_[connection_id * 0x9e3779b1u >> 7 & heads_mask_];
    const auto is_it = [&](const Session& session) noexcept {
        return session.connection_id == connection_id && session.service == service;
    };
    while (at != none && !is_it(sessions_[at])) at = next_[at];
    return at;
}

void Decoder::forget(Link& link) noexcept {
    if (link.session == none) return;
    Session& session = sessions_[link.session];
    for (Half& half : session.halves) fragments_.forget(half.fragments);
    kept_.drop_all(session.kept);
    for (uint32_t at = session.harmless; at != none;) {
        const uint32_t next = harmless_[at].next;
        harmless_.unmake(at);
        at = next;
    }
    uint32_t* at = &head_of(session.connection_id);
    while (*at != link.session) at = &next_[*at];
    *at = next_[link.session];
    sessions_.unmake(link.session);
    link.session = none;
}

MessageKind Decoder::kind() const noexcept {
    const Header& header = seen_.header;
    if (!seen_.opened || payload_.empty()) return MessageKind::sealed;
    auto type = static_cast<uint8_t>(payload_[0]);
    if (header.control()) return kind_of_control(type);
    if (header.compressed()) return MessageKind::nop;
    // Of several, the first; behind a bundle's type stands its length.
    const size_t first = type == payload_type::bundle ? 3 : type == payload_type::queue ? 1 : 0;
    if (payload_.size() > first) type = static_cast<uint8_t>(payload_[first]);
    return kind_of_game(type, direction_ == Direction::to_server);
}

size_t Decoder::write_disconnect(const Link& link, Direction direction, uint8_t reason,
                                 std::string_view text, MutableBytes out) noexcept {
    const Session* session = session_of(link);
    if (session == nullptr || session->sealed()) return 0;
    // Inside the jump that a receiver follows, and ahead of whatever else may come.
    constexpr uint64_t ahead = 32'768;
    Header header;
    header.connection_id = session->connection_id;
    header.flags = flag::control;
    if (session->encrypted) header.flags |= flag::sealed;
    header.key_phase = session->encrypted && (session->epoch.number & 1) != 0;
    header.sequence =
        session->halves[index_of(direction)].window(Channel::unreliable).highest() + ahead;
    const Disconnect goodbye{reason, whole_characters(text, Disconnect::text_size_max)};
    constexpr size_t size_max = header_size + 3 + Disconnect::text_size_max + tag_size;
    if (out.size() < size_max) return 0;
    write_header(header, out);
    Writer body(out.subspan(header_size));
    body.u8(static_cast<uint8_t>(ControlType::disconnect));
    write_body(body, goodbye, direction);
    const size_t size = header_size + body.size() + header.trailer_size();
    if (session->encrypted) {
        Cipher::seal(header, out.first(size), session->epoch.keys.of(direction));
    } else {
        write_crc(out.first(size));
    }
    return size;
}

}  // namespace portcullis::shadowland
