#include "stages/evidence/recorder.h"

#include <algorithm>

namespace portcullis::stages {

using protocol::Direction;

namespace {

constexpr Nanos house_interval = 100ms;
/// How much longer a verdict may stay here for want of a moment at which to go on recording.
constexpr Nanos patience = 5s;

/// Toward the client, a segment that the decoder has skipped before it came: its
/// headers say all that anybody will ask.
bool skipped(const Packet& packet, const stream::Connection& connection) noexcept {
    return packet.is_tcp() && !packet.to_server() && packet.payload_size > 0 &&
           packet.segment().end() <= connection.offered_seq(Direction::to_client);
}

/// A key has come, or another one is in use: that of the packet that was added last.  The
/// part knows it, and no packet follows in it.
bool keys_changed(CapturePart& part, const shadowland::Session& session) noexcept {
    ShadowlandSnapshot& before = part.snapshot.shadowland;
    const shadowland::Epoch& now = session.epoch;
    if (now.number == before.session.epoch.number && now.known == before.session.epoch.known) {
        return false;
    }
    if (now.known && part.frames() > 0) {
        before.next = {session.previous, now};
        before.next_at = part.frames() - 1;
    }
    return true;
}

}  // namespace

// ---- Capture ----

bool CapturePart::begin(Bytes to_server, Bytes to_client) noexcept {
    if (to_server.size() + to_client.size() > room_.size() / 2) return false;
    snapshot.undecoded = {};
    snapshot.undecoded[static_cast<size_t>(Direction::to_server)] =
        static_cast<uint32_t>(to_server.size());
    snapshot.undecoded[static_cast<size_t>(Direction::to_client)] =
        static_cast<uint32_t>(to_client.size());
    if (!to_server.empty()) std::memcpy(room_.data(), to_server.data(), to_server.size());
    if (!to_client.empty()) {
        std::memcpy(room_.data() + to_server.size(), to_client.data(), to_client.size());
    }
    undecoded_at_ = {0, to_server.size()};
    used_ = first_frame_ = padded(to_server.size() + to_client.size());
    frames_ = 0;
    begun_ = true;
    return true;
}

void CapturePart::begin_written(size_t size) noexcept {
    snapshot.undecoded = {};
    snapshot.undecoded[static_cast<size_t>(Direction::to_server)] = static_cast<uint32_t>(size);
    undecoded_at_ = {0, size};
    used_ = first_frame_ = padded(size);
    frames_ = 0;
    begun_ = true;
}

void CapturePart::pass_over(Direction direction, uint32_t size) noexcept {
    snapshot.connection.pass_over(direction, size);
    uint32_t& kept = snapshot.undecoded[static_cast<size_t>(direction)];
    const uint32_t gone = std::min(kept, size);
    undecoded_at_[static_cast<size_t>(direction)] += gone;
    kept -= gone;
}

bool CapturePart::add(Nanos time, Bytes frame, uint32_t original, bool to_client) noexcept {
    const size_t needed = sizeof(KeptFrame) + padded(frame.size());
    if (needed > room_.size() - used_) return false;
    const KeptFrame kept{time, static_cast<uint32_t>(frame.size()), original, to_client, 0};
    std::memcpy(room_.data() + used_, &kept, sizeof kept);
    std::memcpy(room_.data() + used_ + sizeof kept, frame.data(), frame.size());
    last_frame_ = used_;
    used_ += needed;
    ++frames_;
    return true;
}

void CapturePart::answers_right() noexcept {
    if (frames_ == 0) return;
    KeptFrame kept;
    std::memcpy(&kept, room_.data() + last_frame_, sizeof kept);
    kept.answers_right = 1;
    std::memcpy(room_.data() + last_frame_, &kept, sizeof kept);
}

static_assert(static_cast<size_t>(Direction::to_server) == 0);

// ---- EvidenceRecorder ----

EvidenceRecorder::EvidenceRecorder(const config::Config& config, uint16_t worker,
                                   Counters& counters, const stream::StreamPool& streams,
                                   const keys::ShadowlandKeys* keys)
    : config_(config),
      counters_(counters),
      streams_(streams),
      keys_(keys),
      from_(config.verdict_log.evidence.from),
      memory_(size_t{config.verdict_log.evidence.players} * config.verdict_log.evidence.kib * 1024),
      places_(config.verdict_log.evidence.players),
      owners_(config.verdict_log.evidence.players),
      handed_over_("evidence" + std::to_string(worker),
                   std::max(config.verdict_log.evidence.players, 1u)),
      handed_back_("places" + std::to_string(worker),
                   std::max(config.verdict_log.evidence.players, 1u)) {
    const size_t half = size_t{config.verdict_log.evidence.kib} * 1024 / 2;
    free_.reserve(places_.size());
    for (uint32_t i = 0; i < places_.size(); ++i) {
        for (size_t part = 0; part < 2; ++part) {
            places_[i].capture.parts[part].give_room({&memory_[(2 * i + part) * half], half});
        }
        free_.push_back(i);
    }
}

// ---- Places ----

EvidenceRecorder::Place* EvidenceRecorder::find(const Flow& flow) noexcept {
    const auto at = std::ranges::find(owners_, &flow);
    return at == owners_.end() ? nullptr : &places_[static_cast<size_t>(at - owners_.begin())];
}

EvidenceRecorder::Place* EvidenceRecorder::free_place(Nanos now) noexcept {
    uint32_t back = 0;
    while (handed_back_.pop(back)) free_.push_back(back);  // Reserved: never grows.
    if (free_.empty()) {
        Place* oldest = nullptr;
        for (Place& place : places_) {
            const bool idle = owner(place) != nullptr && place.capture.proven_size == 0 &&
                              now - place.found > stale_after;
            if (idle && (oldest == nullptr || place.found < oldest->found)) oldest = &place;
        }
        if (oldest == nullptr) return nullptr;
        give_up(*oldest);
    }
    Place& place = places_[free_.back()];
    free_.pop_back();
    return &place;
}

EvidenceRecorder::Place* EvidenceRecorder::claim(Flow& flow, Nanos now) noexcept {
    Place* place = free_place(now);
    flow.suspect = place != nullptr;
    if (place == nullptr) {
        notice(Notice::suspect_not_recorded);
        return nullptr;
    }
    for (CapturePart& part : place->capture.parts) part.clear();
    place->capture.proven_size = 0;
    place->capture.oldest = 0;
    owner(*place) = &flow;
    place->part = no_part;
    place->early = false;
    place->found = now;
    ++suspects_;
    return place;
}

void EvidenceRecorder::free(Place& place) noexcept {
    owner(place) = nullptr;
    --suspects_;
    free_.push_back(index_of(place));
}

void EvidenceRecorder::give_up(Place& place) noexcept {
    owner(place)->suspect = false;
    free(place);
}

/// To Control if it proves anything; there is room in the ring for every place.
void EvidenceRecorder::hand_over(Place& place) noexcept {
    if (place.capture.proven_size == 0) return free(place);
    owner(place) = nullptr;
    --suspects_;
    handed_over_.push(index_of(place));
}

Capture* EvidenceRecorder::take() noexcept {
    uint32_t index = 0;
    return handed_over_.pop(index) ? &places_[index].capture : nullptr;
}

void EvidenceRecorder::give_back(Capture* capture) noexcept {
    for (uint32_t i = 0; i < places_.size(); ++i) {
        if (&places_[i].capture == capture) handed_back_.push(i);
    }
}

// ---- Recording ----

void EvidenceRecorder::fill(Snapshot& snapshot, const State& state) const noexcept {
    snapshot.time = state.now;
    snapshot.client = state.flow.client();
    snapshot.server = state.flow.server();
    snapshot.mode = config_.mode;
    snapshot.urgent = config_.urgent;
    snapshot.stream_bytes = config_.limits.stream_bytes;
    snapshot.decoded_front = 0;
    snapshot.signatures = state.policy.signatures();
    snapshot.act_at_confidence = state.policy.act_at_confidence();
    const auto ladder = state.policy.ladder();
    snapshot.rungs = static_cast<uint32_t>(std::min(ladder.size(), Snapshot::rungs_max));
    std::copy_n(ladder.begin(), snapshot.rungs, snapshot.ladder.begin());
    // Whoever was recorded here before leaves nothing behind, his keys least of all.
    if (state.shadowland) {
        snapshot.protocol = protocol::Protocol::shadowland;
        snapshot.connection = {};
        snapshot.session = {};
        snapshot.watched = {};
        return;
    }
    snapshot.protocol = protocol::Protocol::minecraft;
    snapshot.shadowland = {};
    snapshot.session = *state.session;
    snapshot.watched = *state.watched;
    snapshot.settings = state.policy.minecraft();
}

/// Entities, fragments and what else hangs on a session lie in pools; false: they are more
/// than a part may begin with.
bool EvidenceRecorder::begin_session(CapturePart& part, const State& state) const noexcept {
    const ShadowlandState& from = *state.shadowland;
    // What waits for a key comes to be known by packets from before.
    if (from.session.kept != shadowland::Kept::none) return false;
    const MutableBytes front = part.front();
    Writer entities(front);
    uint32_t count = 0;
    from.watched.player.known.each([&](const shadowland::Entity& entity) {
        entities.bytes(as_bytes(&entity, sizeof entity));
        ++count;
    });
    if (!entities.ok()) return false;
    const MutableBytes rest = front.subspan(entities.size());
    if (from.hanging.size() > rest.size()) return false;
    std::ranges::copy(from.hanging, rest.begin());
    const size_t hanging =
        from.hanging.empty() ? from.decoder.put_down(from.session, rest) : from.hanging.size();
    if (hanging == 0) return false;

    fill(part.snapshot, state);
    ShadowlandSnapshot& snapshot = part.snapshot.shadowland;
    snapshot.session = from.session;
    snapshot.take(from.watched);
    snapshot.entities = count;
    const shadowland::Map* map = from.watched.player.map;
    snapshot.has_map = map != nullptr;
    snapshot.map = map == nullptr ? uint16_t{0} : map->id;
    snapshot.pass_unknown = from.service.unknown_types == config::UnknownTypes::pass;
    snapshot.reseal = from.service.reseal;
    snapshot.aoi = from.service.aoi;
    snapshot.session_packets_per_s = config_.shadowland.session_packets_per_s;
    const keys::ServerSecrets* secrets =
        keys_ == nullptr ? nullptr : keys_->secrets_of(state.flow.server());
    snapshot.knows_integrity = secrets != nullptr && secrets->integrity_size > 0;
    snapshot.next = {};
    snapshot.next_at = ShadowlandSnapshot::never;
    snapshot.settings = state.policy.shadowland();
    part.begin_written(entities.size() + hanging);
    return true;
}

/// A new part from here on.  False, with nothing changed, while bytes lie about
/// that a Snapshot can not hold.
bool EvidenceRecorder::begin(Place& place, uint8_t part, const State& state) noexcept {
    const stream::Connection& connection = state.flow.connection;
    CapturePart& fresh = place.capture.parts[part];
    if (state.shadowland) {
        fresh.clear();
        if (!begin_session(fresh, state)) return false;
    } else {
        if (!connection.simple()) return false;
        const Bytes to_server = connection.undecoded(Direction::to_server, streams_);
        const Bytes to_client = connection.undecoded(Direction::to_client, streams_);
        if (to_server.size() + to_client.size() > fresh.room() / 2) return false;
        fill(fresh.snapshot, state);
        fresh.snapshot.connection = connection.numbers();
        fresh.begin(to_server, to_client);
    }
    place.part = part;
    place.policy = &state.policy;
    place.capture.oldest = place.capture.parts[1 - part].begun() ? 1 - part : part;
    return true;
}

/// The next part.  Packets that prove something do not give way: they go to
/// Control, and recording goes on in another place, or not at all (null).
bool EvidenceRecorder::renew(Place*& place, const State& state) noexcept {
    if (!state.shadowland && !state.flow.connection.simple()) return false;
    const uint8_t next = place->part == no_part ? 0 : static_cast<uint8_t>(1 - place->part);
    if (!place->capture.proves_by(next)) return begin(*place, next, state);
    const Nanos found = place->found;
    hand_over(*place);
    place = claim(state.flow, state.now);
    if (place == nullptr) return false;
    place->found = found;
    return begin(*place, 0, state);
}

void EvidenceRecorder::packet(const State& state, const Packet& packet) noexcept {
    Place* place = find(state.flow);
    if (place == nullptr) {
        state.flow.suspect = false;
        return;
    }
    if (place->part == no_part && !renew(place, state)) return;
    const bool cut = skipped(packet, state.flow.connection);
    const Bytes frame(packet.frame, cut ? packet.payload_offset : packet.frame_size);
    const auto add = [&]() noexcept {
        return place->capture.parts[place->part].add(packet.time, frame, packet.frame_size,
                                                     !packet.to_server());
    };
    if (add()) return;
    // What does not fit begins the next part; if that can not begin now, there is
    // a gap, and what is found before it ends is not proved.
    if (renew(place, state) && add()) return;
    if (place != nullptr) place->part = no_part;
}

void EvidenceRecorder::judged(const State& state) noexcept {
    Place* place = find(state.flow);
    if (place == nullptr || place->part == no_part) return;
    CapturePart& part = place->capture.parts[place->part];
    const bool other_cipher = state.shadowland
                                  ? keys_changed(part, state.shadowland->session)
                                  : part.snapshot.session.encryption != state.session->encryption;
    if (place->early) {
        place->early = false;
        // The packet that raised the suspicion: kept if it proves something, else
        // what comes begins from here.
        const bool proves = place->capture.proves_by(place->part);
        if (!proves) part.clear();
        if (!(proves ? renew(place, state) : begin(*place, place->part, state)) &&
            place != nullptr) {
            place->part = no_part;
        }
        return;
    }
    const bool full = place->capture.proven_size > Capture::verdicts_max / 2;
    const bool other_rules = place->policy != &state.policy;
    if (part.nearly_full() || other_rules || other_cipher) {
        const bool renewed = renew(place, state);
        // By keys that it does not know nobody reads what would come.
        if (!renewed && other_cipher && state.shadowland && place != nullptr) {
            place->part = no_part;
        }
    }
    if (full && place != nullptr) {
        Flow& flow = state.flow;
        hand_over(*place);
        claim(flow, state.now);
    }
}

void EvidenceRecorder::suspect(const First& first) noexcept {
    const State& state = first.state;
    Place* place = claim(state.flow, state.now);
    if (place == nullptr) return;
    const stream::Connection& connection = state.flow.connection;
    const bool enciphered = first.session.encryption == minecraft::Session::Encryption::known;
    const size_t from = enciphered ? first.frame.register_at : first.frame.offset;
    const auto going_by = connection.going_by();
    const Seq begin_seq =
        connection.offered_seq(Direction::to_server) + static_cast<uint32_t>(from);
    // All that is new is in this packet: it filled no hole, and came itself.
    const bool fin = first.packet.has(stream::tcp::fin);
    const bool whole =
        going_by.end + (fin ? 1u : 0u) == connection.next_seq(Direction::to_server) &&
        first.packet.tcp.seq <= going_by.begin && first.packet.segment().end() >= going_by.end;
    if (!connection.simple() || !whole) return;

    CapturePart& part = place->capture.parts[0];
    fill(part.snapshot, state);
    part.snapshot.connection = connection.before_segment(begin_seq);
    part.snapshot.session = first.session;
    part.snapshot.decoded_front = enciphered ? static_cast<uint32_t>(first.frame.offset - from) : 0;
    // What came with earlier packets; the rest is in this one.
    const auto earlier =
        begin_seq < going_by.begin ? static_cast<uint32_t>(going_by.begin - begin_seq) : 0u;
    const Bytes to_server = first.fed.subspan(from, earlier);
    if (!part.begin(to_server, connection.undecoded(Direction::to_client, streams_))) return;
    const bool added = part.add(first.packet.time, {first.packet.frame, first.packet.frame_size},
                                first.packet.frame_size, false);
    if (!added) return part.clear();
    place->part = 0;
    place->early = true;
    place->policy = &state.policy;
}

void EvidenceRecorder::suspect(const State& before, const Packet& packet) noexcept {
    Place* place = claim(before.flow, before.now);
    if (place == nullptr || !begin(*place, 0, before)) return;
    CapturePart& part = place->capture.parts[0];
    place->early = part.add(packet.time, {packet.frame, packet.frame_size}, packet.frame_size,
                            !packet.to_server());
    if (place->early) return;
    part.clear();
    place->part = no_part;
}

void EvidenceRecorder::answered_right(const Flow& flow) noexcept {
    Place* place = find(flow);
    if (place == nullptr || place->part == no_part) return;
    place->capture.parts[place->part].answers_right();
}

void EvidenceRecorder::suspect(Flow& flow, Nanos now) noexcept { claim(flow, now); }

void EvidenceRecorder::found(const Flow& flow, Nanos now) noexcept {
    if (Place* place = find(flow)) place->found = now;
}

void EvidenceRecorder::owe(const Flow& flow, const verdicts::VerdictRecord& record) noexcept {
    Place* place = flow.suspect ? find(flow) : nullptr;
    if (place == nullptr || place->part == no_part ||
        place->capture.proven_size == Capture::verdicts_max) {
        notice(Notice::evidence_lost);
        return;
    }
    Capture& capture = place->capture;
    if (capture.proven_size == 0) place->owed = record.time;
    capture.proven[capture.proven_size++] = {record, place->part};
}

void EvidenceRecorder::flow_ended(Flow& flow) noexcept {
    if (Place* place = find(flow)) hand_over(*place);
    flow.suspect = false;
}

void EvidenceRecorder::finish() noexcept {
    for (Place& place : places_) {
        if (Flow* flow = owner(place)) flow_ended(*flow);
    }
}

void EvidenceRecorder::keep_house(Nanos now) noexcept {
    if (suspects_ == 0 || now - house_kept_ < house_interval) return;
    house_kept_ = now;
    for (Place& place : places_) {
        if (owner(place) == nullptr) continue;
        if (place.capture.proven_size > 0) {
            if (now - place.owed < hand_over_after) continue;
            Flow& flow = *owner(place);
            // Else what he does next would go unproved, until his moves are acknowledged.
            const bool goes_on = !flow.is_tcp() || flow.connection.simple();
            if (!goes_on && now - place.owed < hand_over_after + patience) continue;
            const Nanos found = place.found;
            hand_over(place);
            if (Place* next = claim(flow, now)) next->found = found;
        } else if (now - place.found > forgotten_after) {
            give_up(place);
        }
    }
}

}  // namespace portcullis::stages
