#pragma once

#include <cstdint>

#include "config/config.h"
#include "flow/block_list.h"
#include "flow/fast_open.h"
#include "flow/flow_table.h"
#include "flow/fragments.h"
#include "flow/half_open_table.h"
#include "keys/keyring.h"
#include "keys/shadowland_keys.h"
#include "packet/packet.h"
#include "packet/ring.h"
#include "policy/rule_set.h"
#include "protocol/source_events.h"
#include "records/id.h"
#include "records/player_context.h"
#include "records/record.h"
#include "stages/counters.h"
#include "stages/evidence/recorder.h"
#include "stages/packet_observer.h"
#include "stages/packet_trace.h"
#include "stages/pending_action.h"
#include "stages/strangers.h"
#include "stages/tell/told.h"
#include "stream/stream_pool.h"

struct rte_mempool;

namespace portcullis {
class PacketBuilder;
struct Burst;
}  // namespace portcullis

namespace portcullis::stages {

/// What the other stages ask of the game that is played on a Flow (decode).
class FlowGame {
public:
    virtual ~FlowGame() = default;
    /// Only for a Flow with a session or a player; they are still in it, and
    /// afterwards they are not.
    virtual void flow_ended(Flow& flow, verdicts::EndReason reason, Nanos now) noexcept = 0;
    /// The game's own goodbye with this reason, as the client expects the next message.
    /// Returns its size; 0 when there is none now.
    virtual size_t write_disconnect(const Flow& flow, std::string_view reason,
                                    MutableBytes out) noexcept = 0;
    /// The same for the server, where nothing else tells it (a datagram protocol).
    virtual size_t write_server_disconnect(const Flow& flow, std::string_view reason,
                                           MutableBytes out) noexcept = 0;
    /// Goes on with a connection as another process left it.  False: no room.
    virtual bool resume(Flow& flow, const CapturePart& part) noexcept = 0;
    /// Makes such a message fit to follow all that went by until now, in place.  False:
    /// none can follow now.
    virtual bool seal(const Flow& flow, MutableBytes message) noexcept = 0;
    /// How far a TCP Flow has come.
    virtual protocol::LoginStage login_stage(const Flow& flow) const noexcept = 0;
    /// What a proxy that is believed told of who is on a TCP Flow; null: nothing yet.
    virtual const verdicts::PlayerIdentity* told_of(const Flow& flow) const noexcept = 0;
    /// What is said on it is encrypted, and no key is known.
    virtual bool opaque(const Flow& flow) const noexcept = 0;
};

class Detect;

/// What the stages of one Worker share, all of it allocated here at start.  One
/// core owns it; `records` and `contexts` end in Control.
class WorkerContext {
public:
    static constexpr uint32_t records_max = 8'192;  ///< In flight to Control.
    /// Of them, before only verdicts still find room: they are the last to go.
    static constexpr uint32_t other_records_max = records_max / 4 * 3;
    static constexpr uint32_t contexts_max = 64;
    static constexpr uint32_t reports_max = 512;  ///< The same for answers about Flows.
    static constexpr uint32_t packets_max = 512;  ///< The same of reported packets.

    struct Resources {
        const config::Config& config;
        const policy::RuleSet* rules;
        Counters& counters;
        rte_mempool* mbufs;  ///< For frames of our own.
        uint16_t worker = 0;
        uint64_t secret = 0;    ///< Keys tables and ids; random live, fixed when replaying.
        uint32_t keys_max = 0;  ///< Session keys at hand; 0: none will come.
        /// A NIC spreads flows over several Workers, and may not find the ports that we do.
        bool spread_by_nic = false;
        /// The side that a packet came in on tells something: not so in a capture's replay.
        bool sides_tell = false;
    };
    explicit WorkerContext(const Resources& resources);
    WorkerContext(const WorkerContext&) = delete;
    WorkerContext& operator=(const WorkerContext&) = delete;

    const config::Config& config;
    /// The Worker swaps it between bursts.
    const policy::RuleSet* rules;
    /// From its time to the wall clock's, which may be set while it runs; likewise.
    Nanos wall_step{};
    Counters& counters;
    rte_mempool* const mbufs;
    const uint16_t worker;
    const bool spread_by_nic;
    const bool sides_tell;
    const uint64_t secret;  ///< Keys tables; who does not know it can not choose collisions.
    const uint32_t run;     ///< Tells records of this run from those of another.

    const FlowHash hash;  ///< For all tables.
    FlowTable flows;
    Strangers strangers;
    HalfOpenTable half_open;
    FastOpen fast_open;
    Fragments fragments;
    BlockList blocked;
    PendingActions pending;
    Ring<verdicts::VerdictRecord> records;
    Ring<verdicts::PlayerContext> contexts;
    Ring<FlowReport> reports;
    Ring<verdicts::PacketRecord> packets;  ///< That somebody wants to see.
    PacketTrace trace;
    stream::StreamPool streams;
    EvidenceRecorder evidence;
    keys::Keyring keys;
    keys::ShadowlandKeys shadowland_keys;
    FlowGame* game = nullptr;              ///< decode puts itself here,
    Detect* detect = nullptr;              ///< and detect here.
    PacketObserver* observer = nullptr;    ///< `inspect --packets`; set before any stage is made.
    StreamObserver* streams_to = nullptr;  ///< `--streams`; takes the bytes instead of a decoder.

    /// What this Worker needs of something that all Workers have `total` of: its
    /// part, and a quarter more, since hashing never shares out evenly.
    uint32_t share_of(uint32_t total) const noexcept {
        return config.workers < 2 ? total : total / config.workers + total / config.workers / 4 + 1;
    }
    /// How many sessions of Shadowland may be: none where no Service speaks it.
    uint32_t shadowland_sessions() const noexcept;
    bool enforcing() const noexcept { return rules->enforcing(); }
    /// Who is to see the packets of this Flow, if anybody.
    PacketObserver* observer_of(const Flow& flow) noexcept {
        return observer != nullptr || !trace.on() ? observer : tracer_of(flow);
    }
    /// Sends a frame of ours out of this side of a wire, after the burst's packets.
    void inject(const PacketBuilder& frame, uint8_t wire, Side out, Burst& burst) noexcept;
    /// The packet does not go on; when only observing it goes on unseen.
    void refuse(Packet& packet, DropReason reason) const noexcept {
        if (enforcing()) {
            packet.refuse(reason);
        } else {
            packet.way = Way::pass;
            if (reason == DropReason::bad_checksum) notice(Notice::bad_checksum);
        }
    }
    void notice(Notice n, uint64_t times = 1) const noexcept {
        counters.notices[static_cast<size_t>(n)].add(times);
    }
    /// For enforce, at the end of the burst.  False: it has too much to do already, and that
    /// is counted.
    bool act(const PendingAction& action) noexcept {
        if (pending.add(action)) return true;
        notice(Notice::action_lost);
        return false;
    }
    /// What failed is counted, and the packet goes on or not, as configured.
    void fail(Packet& packet, Notice what, config::OnFailure choice,
              DropReason why) const noexcept {
        notice(what);
        if (choice == config::OnFailure::closed) refuse(packet, why);
    }
    /// To Control; when it does not keep up the record is lost and counted.
    void report(const verdicts::VerdictRecord& record) noexcept {
        if (record.kind == verdicts::VerdictRecord::Kind::verdict) {
            if (!records.push(record)) notice(Notice::verdict_lost);
        } else if (records.size() >= other_records_max || !records.push(record)) {
            notice(Notice::record_lost);
        }
    }
    /// To Control: how what was to be done on the wire about a verdict ended.  A
    /// verdict without an id is none that anybody was told of.
    void report_end(const verdicts::VerdictId& verdict, verdicts::Result result,
                    std::string_view how, Nanos now) noexcept {
        if (verdict.empty()) return;
        verdicts::VerdictRecord record;
        record.kind = verdicts::VerdictRecord::Kind::outcome;
        record.worker = worker;
        record.id_high = verdict.high;
        record.id_low = verdict.low;
        record.time = now;
        record.result = result;
        record.note.assign(how);
        report(record);
    }
    /// Keeps a session key, fresh from the feed, for the decoder that will ask for it.
    void take_key(const keys::Key& key, Nanos now) noexcept {
        if (const auto* minecraft = std::get_if<keys::MinecraftKey>(&key)) {
            keys.replace(*minecraft, now + keys::Keyring::lifetime);
        } else if (const auto* epoch = std::get_if<keys::ShadowlandKey>(&key)) {
            shadowland_keys.add(*epoch);
        } else if (const auto* secrets = std::get_if<keys::ShadowlandSecrets>(&key)) {
            shadowland_keys.add(*secrets, now);
        }
    }
    /// A Flow as it stood when `part` began.  Null: no room.
    Flow* resume(const CapturePart& part) noexcept;
    /// Remembers a stranger: a session has begun there.  Null when there is no room; what was
    /// kept for it then hangs on the stranger still.
    Flow* adopt(Flow& stranger) noexcept;
    /// A stranger's packet whose Flow an earlier one of its burst has made.
    void reunite(Packet& packet) const noexcept {
        if (!strangers.adopted) return;
        const Strangers::Place* place = strangers.place_of(*packet.flow);
        if (place == nullptr) return;
        Flow* known = flows.find(HashedKey{place->flow.key, place->hash});
        if (known == nullptr) return;
        packet.flow = known;
        known->last_seen = packet.time;
    }
    FlowLinks& links(const Flow& flow) noexcept {
        Strangers::Place* stranger = strangers.place_of(flow);
        return stranger != nullptr ? stranger->links : flows.links(flow);
    }
    /// Forgets a Flow and all that is kept for it.
    void forget(Flow& flow, verdicts::EndReason reason, Nanos now) noexcept;
    /// Gives back what is kept for a Flow, but remembers it: its packets are
    /// dropped (`dead`) or pass uninspected (`bypass`) from here on.
    void retire(Flow& flow, FlowState state, verdicts::EndReason reason, Nanos now) noexcept;

private:
    PacketObserver* tracer_of(const Flow& flow) noexcept;
    void release(Flow& flow, verdicts::EndReason reason, Nanos now) noexcept;
};

}  // namespace portcullis::stages
