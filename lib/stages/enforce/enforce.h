#pragma once

#include "packet/burst.h"
#include "packet/packet_builder.h"
#include "stages/enforce/kicks.h"
#include "stages/stage.h"
#include "stages/worker_context.h"

namespace portcullis::stages {

/// Does what detect decided: drops a datagram, severs a connection, or shows the
/// player why and then severs it.  Resets, goodbyes and FINs are made here; what answers a
/// Connect in a flood, Datagrams makes itself.
///
/// A connection that we ended stays known (FlowState::dead): what its sides
/// still send is dropped, and answered with a reset now and then, at the number
/// that its acknowledgement asks for.  So a reset that was lost, or came too
/// early for its receiver, is made good.
class Enforce : public Stage {
public:
    /// How long a kick waits for the client's stream to stand between messages.
    static constexpr Nanos kick_patience = 250ms;
    /// How long a kicked client has to read why, before resets tell it no more.
    static constexpr Nanos kick_linger = 1s;
    /// How long an unacknowledged goodbye is sent again when its client speaks.
    static constexpr Nanos kick_remembered = 3s;
    /// A dead flow's packets are answered no more often than this.
    static constexpr Nanos answer_interval = 200ms;

    explicit Enforce(WorkerContext& context);
    void process(Burst& burst) noexcept override;
    void keep_house(Burst& burst) noexcept override;
    void obey(const verdicts::Order& order, Burst& burst) noexcept override;

private:
    void act(const PendingAction& action, Burst& burst) noexcept;
    void fail(size_t culprit, Burst& burst) noexcept;
    void refuse_rest(const Flow& flow, size_t first, DropReason reason, Burst& burst) noexcept;
    void end_datagrams(const PendingAction& action, Burst& burst) noexcept;
    void sever(Flow& flow, Seq server_expects, verdicts::EndReason reason, Burst& burst) noexcept;
    void done(const verdicts::VerdictId& verdict, std::string_view how,
              const Burst& burst) noexcept;

    void begin_kick(const PendingAction& action, Seq server_expects, Burst& burst) noexcept;
    void see_kicks_through(Burst& burst) noexcept;
    bool say_goodbye(Kicks::Kick& kick, Burst& burst) noexcept;
    void gone_before(const verdicts::VerdictId& verdict, const Burst& burst) noexcept;
    bool seal(Kicks::Kick& kick) noexcept;
    void send_goodbye(Kicks::Kick& kick, Burst& burst) noexcept;

    void answer_dead(const Packet& packet, Burst& burst) noexcept;
    bool resend_goodbye(const Packet& packet, Burst& burst) noexcept;
    void reset(const Flow& flow, protocol::Direction to, Seq seq, Seq ack, Burst& burst) noexcept;
    void inject(const Flow& flow, protocol::Direction to, PacketBuilder& frame,
                Burst& burst) noexcept;

    WorkerContext& context_;
    Kicks kicks_;
};

}  // namespace portcullis::stages
