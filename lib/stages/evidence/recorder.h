#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "base/huge_array.h"
#include "flow/flow.h"
#include "packet/packet.h"
#include "packet/ring.h"
#include "policy/rule_set.h"
#include "protocol/minecraft/frame.h"
#include "protocol/shadowland/decoder.h"
#include "stages/counters.h"
#include "stages/evidence/capture.h"
#include "stream/stream_pool.h"

namespace portcullis::stages {

/// Records the packets of suspects for one Worker, in places that are all made at
/// start, and passes those that prove a verdict to Control by a ring; another
/// ring brings the places back.  Nobody waits: without a free place a suspect
/// goes unrecorded, and that is counted.
///
/// A player is a suspect from his first finding on.  Since that one may be acted
/// on at once, his state is taken as it was before the packet it was found in.
class EvidenceRecorder {
public:
    /// How long a verdict's packets stay here, for more verdicts to share them.
    static constexpr Nanos hand_over_after = 1s;
    /// A suspect without a finding for so long gives way to another,
    static constexpr Nanos stale_after = 60s;
    /// or is none any more.
    static constexpr Nanos forgotten_after = 600s;

    EvidenceRecorder(const config::Config& config, uint16_t worker, Counters& counters,
                     const stream::StreamPool& streams, const keys::ShadowlandKeys* keys = nullptr);

    bool on() const noexcept { return !places_.empty(); }
    policy::Action from() const noexcept { return from_; }

    /// How a session of Shadowland stands.
    struct ShadowlandState {
        const shadowland::Session& session;
        const ShadowlandWatched& watched;
        const shadowland::Decoder& decoder;  ///< Has what hangs on the session.
        const policy::RuleSet::Service& service;
        Bytes hanging = {};  ///< As the decoder had put it down; empty: it is asked.
    };
    /// How a connection stands between two packets.
    struct State {
        State(Flow& f, const minecraft::Session& s, const Watched& w, const policy::Policy& p,
              Nanos t) noexcept
            : flow(f), session(&s), watched(&w), policy(p), now(t) {}
        State(Flow& f, const ShadowlandState& s, const policy::Policy& p, Nanos t) noexcept
            : flow(f), shadowland(s), policy(p), now(t) {}

        Flow& flow;
        // Of Minecraft these,
        const minecraft::Session* session = nullptr;
        const Watched* watched = nullptr;
        std::optional<ShadowlandState> shadowland;  ///< or this.
        const policy::Policy& policy;
        Nanos now{};
    };
    /// A suspect's packet, before anybody has judged it.
    void packet(const State& state, const Packet& packet) noexcept;
    /// And after.
    void judged(const State& state) noexcept;

    /// A first finding, in a packet to the server that is being decoded.
    struct First {
        State state;  ///< With the checks put back.
        const Packet& packet;
        Bytes fed;  ///< What the decoder was fed,
        /// and where in it the frame that is told begins.
        const minecraft::Frame& frame;
        minecraft::Session session;  ///< Before that frame.
    };
    void suspect(const First& first) noexcept;
    /// The same for a datagram, with the state as it was before it.
    void suspect(const State& before, const Packet& packet) noexcept;
    /// The same when only what comes after can be recorded.
    void suspect(Flow& flow, Nanos now) noexcept;
    /// The packet at hand answered a challenge as the integrity table has it.
    void answered_right(const Flow& flow) noexcept;
    /// He was found at fault again.
    void found(const Flow& flow, Nanos now) noexcept;
    /// A verdict that acts: to be proved.
    void owe(const Flow& flow, const verdicts::VerdictRecord& record) noexcept;

    void flow_ended(Flow& flow) noexcept;
    void keep_house(Nanos now) noexcept;
    /// Hands over what proves something: nothing more comes.
    void finish() noexcept;

    // For Control, from one thread.

    /// Null: none now.  It is the caller's until `give_back`.
    Capture* take() noexcept;
    void give_back(Capture* capture) noexcept;

private:
    static constexpr uint8_t no_part = 255;

    struct Place {
        Capture capture;
        uint8_t part = no_part;  ///< Being recorded into; none: it begins with the next packet.
        bool early = false;      ///< That part began within the packet that is being judged.
        const policy::Policy* policy = nullptr;
        Nanos found{};
        Nanos owed{};  ///< Since when it holds a verdict.
    };

    Place* find(const Flow& flow) noexcept;
    uint32_t index_of(const Place& place) const noexcept {
        return static_cast<uint32_t>(&place - places_.data());
    }
    /// Whose it is; null: nobody's, or Control's.
    Flow*& owner(const Place& place) noexcept { return owners_[index_of(place)]; }
    Place* free_place(Nanos now) noexcept;
    Place* claim(Flow& flow, Nanos now) noexcept;
    void free(Place& place) noexcept;
    void give_up(Place& place) noexcept;
    void hand_over(Place& place) noexcept;
    bool begin(Place& place, uint8_t part, const State& state) noexcept;
    bool begin_session(CapturePart& part, const State& state) const noexcept;
    bool renew(Place*& place, const State& state) noexcept;
    void fill(Snapshot& snapshot, const State& state) const noexcept;
    void notice(Notice n) noexcept { counters_.notices[static_cast<size_t>(n)].add(); }

    const config::Config& config_;
    Counters& counters_;
    const stream::StreamPool& streams_;
    const keys::ShadowlandKeys* const keys_;  ///< Null: no secret is known.
    const policy::Action from_;
    HugeArray<std::byte> memory_;
    std::vector<Place> places_;
    std::vector<Flow*> owners_;  ///< By place; together, since each packet of a suspect asks.
    std::vector<uint32_t> free_;
    Ring<uint32_t> handed_over_, handed_back_;
    uint32_t suspects_ = 0;
    Nanos house_kept_{};
};

}  // namespace portcullis::stages
