#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "flow/sides_heard.h"
#include "flow/source_rates.h"
#include "packet/burst.h"
#include "stages/stage.h"
#include "stages/worker_context.h"

namespace portcullis::stages {

/// Finds whose packet it is: the Service it is for, then the Flow it belongs
/// to, made when its handshake completes.  Everything else is set to pass.
///
/// Also keeps the Flows' time: who says nothing for too long is forgotten.
class Track : public Stage {
public:
    /// After both sides closed, late retransmissions still come for a while.
    static constexpr Nanos closed_linger = 10s;
    /// Whether a reset, or a goodbye in a datagram, came to where it went to, nobody knows
    /// here: a client lets it die on the way.  Forgotten too soon, a connection that lives on
    /// would be taken for one older than we are.
    static constexpr Nanos reset_linger = 60s;
    /// How long after its last packet a flow that we ended is remembered.
    static constexpr Nanos dead_linger = 60s;
    /// Each Flow is looked at once in so many calls of keep_house.
    static constexpr uint32_t sweep_calls = 4096;

    explicit Track(WorkerContext& context) noexcept : context_(context) {}
    void process(Burst& burst) noexcept override;
    void keep_house(Burst& burst) noexcept override;
    void obey(const verdicts::Order& order, Burst& burst) noexcept override;

private:
    /// A packet of a Service, and what its addresses tell without a Flow.
    struct Claim {
        uint8_t packet = 0;  ///< Index in the burst.
        uint8_t service = 0;
        bool to_server = true;
        bool source_is_low = true;
        bool counted = false;  ///< A SYN whose source is counted; `sources_` names it.
    };

    std::optional<Claim> claim(Packet& packet) noexcept;
    void refuse_fault(Packet& packet) noexcept;
    bool goes_on_to_a_service(const Packet& packet) const noexcept;
    bool concerns_a_service(const Packet& packet) const noexcept;
    bool put_together(Packet& packet) noexcept;
    bool sound(Packet& packet) noexcept;
    void keep_to_one_way(Packet& packet) noexcept;
    bool astray(const Packet& packet) const noexcept;
    bool shut_out(const Packet& packet, const Claim& claim) const noexcept;

    SideSet side_of(const Packet& packet) const noexcept;
    bool in_servers_name(const Packet& packet, const Claim& claim, SideSet clients) const noexcept;
    bool crosses_over(Packet& packet, const Claim& claim, Flow& flow) noexcept;
    void refuse_wrong_side(Packet& packet) noexcept;
    void meet_nobody(Packet& packet) noexcept;

    void settle(Packet& packet, const Claim& claim, const HashedKey& key, Flow* flow) noexcept;
    void settle_known(Packet& packet, const Claim& claim, const HashedKey& key,
                      Flow& flow) noexcept;
    void settle_new(Packet& packet, const Claim& claim, const HashedKey& key) noexcept;
    void settle_new_tcp(Packet& packet, const Claim& claim, const HashedKey& key) noexcept;
    bool handshake_again(Packet& packet, const Claim& claim, const HashedKey& key,
                         Flow& flow) noexcept;
    void offer_of_client(Packet& packet, const Claim& claim, uint64_t hash) noexcept;
    void tell_of_opened() noexcept;
    void answer_of_server(Packet& packet, const Claim& claim, const HashedKey& key,
                          SideSet clients) noexcept;
    void begin(Packet& packet, const Claim& claim, const HashedKey& key,
               const stream::Handshake& agreed, SideSet clients) noexcept;
    void judge_midstream(Packet& packet, const Claim& claim, const HashedKey& key) noexcept;
    Flow* make_flow(Packet& packet, const Claim& claim, const HashedKey& key) noexcept;
    void meet(Packet& packet, const Claim& claim, const HashedKey& key) noexcept;
    bool over(const Flow& flow, Nanos now) const noexcept;
    void forget(Flow& flow, Nanos now) noexcept;

    WorkerContext& context_;
    SidesHeard sides_;
    Burst* burst_ = nullptr;  ///< The one at hand.
    std::array<Claim, Burst::packets_max> claims_;
    std::array<HashedKey, Burst::packets_max> keys_;
    std::array<SourceNames, Burst::packets_max> sources_;  ///< Of SYNs that are counted.
    std::array<Flow*, Burst::packets_max> found_;
    bool table_changed_ = false;  ///< Since `found_` was filled.
    uint64_t opened_ = 0;         ///< One bit a packet: it opened a connection.
};

}  // namespace portcullis::stages
