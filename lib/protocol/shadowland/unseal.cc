#include "protocol/shadowland/decoder.h"

/// What opens a packet, or will once its key has come.
namespace portcullis::shadowland {

namespace {

/// Packets of the epoch before are taken for so long.
constexpr Nanos epoch_grace = 10s;
/// A key may never come, but so many in a row are nobody's late feed.
constexpr uint32_t epochs_ahead_max = 4;
/// How often a key that was not there is looked for again.
constexpr Nanos key_look_interval = 50ms;

}  // namespace

/// The sum or the tag.  False: there is nothing to read.
bool Decoder::unseal(Bytes datagram) noexcept {
    const Header& header = seen_.header;
    if (!header.encrypted()) {
        if (!crc_holds(datagram)) {
            fail(Error::crc, Fault::crc_bad);
            return false;
        }
        payload_ = payload_of(header, datagram);
        seen_.opened = true;
        return true;
    }
    if (datagram.size() < sealed_size_min) {
        fail(Error::size, Fault::header_invalid);
        return false;
    }
    if (session_ == nullptr || session_->connection_id != header.connection_id) return false;
    switch (try_keys(datagram)) {
        case Opened::yes:
            return true;
        case Opened::wrong:
            fail(Error::tag, Fault::crypto_forged);
            return false;
        case Opened::no_key:
            break;
    }
    if (!session_->encrypted) return false;
    session_->unread_at[index_of(direction_)] = now_;
    place(false);
    if (seen_.fresh && direction_ == Direction::to_client) keep(datagram);
    return false;
}

/// Opens it with the key that its phase names, as far as that is known.
Decoder::Opened Decoder::try_keys(Bytes datagram) noexcept {
    Session& s = *session_;
    const uint8_t phase = seen_.header.key_phase ? 1 : 0;
    const auto fits = [phase](const Epoch& e) noexcept { return (e.number & 1) == phase; };
    const bool current = find_key() && fits(s.epoch);
    if (current && try_epoch(s.epoch, datagram)) return Opened::yes;
    if (try_later_epochs(datagram)) return Opened::yes;
    const bool before = now_ < s.previous_until && s.previous.known && fits(s.previous);
    if (before && try_epoch(s.previous, datagram)) return Opened::yes;
    // Without the key of the epoch that was agreed on, nobody can say, nor whether that was
    // the last; and what could not be read may have agreed on one.
    const bool next_is_missing = s.rekey_answered > s.epoch.number;
    if (!s.epoch.known || next_is_missing) return Opened::no_key;
    const bool all_read = !s.unread_lately(Direction::to_server, now_);
    return current || before || all_read ? Opened::wrong : Opened::no_key;
}

const keys::ShadowlandKey* Decoder::key_of(uint32_t epoch) const noexcept {
    return keys_.find(link_->client, link_->server, session_->connection_id, epoch);
}

/// The key of the current epoch.  False: it has not come yet.
bool Decoder::find_key() noexcept {
    Epoch& current = session_->epoch;
    if (current.known || now_ < session_->next_key_look) return current.known;
    session_->next_key_look = now_ + key_look_interval;
    const keys::ShadowlandKey* key = key_of(current.number);
    if (key != nullptr) current = {current.number, true, {key->to_server, key->to_client}};
    return current.known;
}

bool Decoder::try_epoch(const Epoch& epoch, Bytes datagram) noexcept {
    payload_ = Cipher::open(seen_.header, datagram, epoch.keys.of(direction_), opened_);
    if (payload_.empty()) return false;
    seen_.opened = true;
    seen_.epoch = epoch.number;
    return true;
}

/// The first valid packet of a later epoch makes it the current one.
bool Decoder::try_later_epochs(Bytes datagram) noexcept {
    const uint32_t current = session_->epoch.number;
    const uint32_t phase = seen_.header.key_phase ? 1 : 0;
    for (uint32_t number = current + 1; number <= current + epochs_ahead_max; ++number) {
        const keys::ShadowlandKey* key = (number & 1) == phase ? key_of(number) : nullptr;
        if (key == nullptr) continue;
        const Epoch next{number, true, {key->to_server, key->to_client}};
        if (!try_epoch(next, datagram)) continue;
        outcome_.epoch_changed = true;
        session_->previous = session_->epoch;
        session_->previous_until = now_ + epoch_grace;
        session_->epoch = next;
        return true;
    }
    return false;
}

/// What was told in between is over, but for what it means for the flow.
void Decoder::begin_again(Direction direction) noexcept {
    const Outcome past = outcome_;
    begin(*link_, direction, now_);
    outcome_.ended = past.ended;
    outcome_.epoch_changed = past.epoch_changed;
}

/// Whether something waits for a key that may be there by now.
bool Decoder::key_came() noexcept {
    if (session_ == nullptr || session_->kept == Kept::none) return false;
    if (now_ - kept_.since(session_->kept) > Kept::wait_max) {
        keep_no_more();
        return false;
    }
    if (now_ < session_->next_key_look) return false;
    if (!session_->epoch.known) return find_key();
    session_->next_key_look = now_ + key_look_interval;  // It is the next one's that is missing.
    return true;
}

/// Opens the first that waits.  False: its key has not come.
bool Decoder::reopen() noexcept {
    datagram_ = kept_.front(session_->kept);
    seen_ = PacketSeen{};
    seen_.header = read_header(datagram_).header;
    seen_.size = datagram_.size();
    payload_ = message_ = {};
    const Opened opened = try_keys(datagram_);
    seen_.fresh = opened == Opened::yes;
    if (opened == Opened::wrong) session_->missed_reliable = true;
    return opened != Opened::no_key;
}

/// A server's datagram that has no key yet.
void Decoder::keep(Bytes datagram) noexcept {
    Session& s = *session_;
    s.missed_updates |= !seen_.header.reliable();
    if (!seen_.header.reliable() || s.missed_reliable) return;
    if (!kept_.add(s.kept, datagram, now_)) keep_no_more();
}

void Decoder::keep_no_more() noexcept {
    kept_.drop_all(session_->kept);
    session_->missed_reliable = true;
    outcome_.opaque = !session_->epoch.known;
}

bool Decoder::missed_something() const noexcept {
    const bool opened = seen_.opened && seen_.fresh && seen_.header.encrypted();
    if (!opened || session_ == nullptr || session_->kept != Kept::none) return false;
    return session_->missed_updates || session_->missed_reliable;
}

Missed Decoder::take_missed() noexcept {
    const Missed missed{session_->missed_reliable};
    session_->missed_updates = session_->missed_reliable = false;
    return missed;
}

}  // namespace portcullis::shadowland
