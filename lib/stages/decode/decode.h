#pragma once

#include <optional>

#include "packet/burst.h"
#include "protocol/minecraft/decoder.h"
#include "protocol/protocol.h"
#include "stages/decode/conversations.h"
#include "stages/decode/datagrams.h"
#include "stages/stage.h"
#include "stages/worker_context.h"
#include "stream/connection.h"

namespace portcullis::stages {

class Detect;

/// TCP segments become the stream that the server reads, the stream becomes
/// game packets, and those become Events, told at once to Detect.
///
/// Here a Packet is refused when its bytes can not be told from a lie
/// (stream::Connection) or when nobody could say what they are and
/// `on_failure.decoder` is closed.  What a Flow needs beyond its own memory, the
/// protocol session, comes from a pool with its first payload.
class Decode final : public Stage, public FlowGame {
public:
    explicit Decode(WorkerContext& context);

    void process(Burst& burst) noexcept override;
    void keep_house(Burst& burst) noexcept override;
    void obey(const verdicts::Order& order, Burst& burst) noexcept override;

    void flow_ended(Flow& flow, verdicts::EndReason reason, Nanos now) noexcept override;
    size_t write_disconnect(const Flow& flow, std::string_view reason,
                            MutableBytes out) noexcept override;
    size_t write_server_disconnect(const Flow& flow, std::string_view reason,
                                   MutableBytes out) noexcept override;
    bool resume(Flow& flow, const CapturePart& part) noexcept override;
    bool seal(const Flow& flow, MutableBytes message) noexcept override;
    protocol::LoginStage login_stage(const Flow& flow) const noexcept override;
    const verdicts::PlayerIdentity* told_of(const Flow& flow) const noexcept override;
    bool opaque(const Flow& flow) const noexcept override;

private:
    void fetch_for(const Packet& packet) const noexcept;
    void segment(Packet& packet, uint8_t index) noexcept;
    std::optional<EvidenceRecorder::State> suspect_of(const Packet& packet) noexcept;
    void early_data(Packet& packet, uint8_t index) noexcept;
    protocol::Progress feed(Packet& packet, uint8_t index, protocol::Direction direction,
                            Bytes in) noexcept;
    void settle(Packet& packet, uint8_t index, const stream::Outcome& outcome) noexcept;
    void not_taken(Packet& packet, const stream::Outcome& outcome) noexcept;
    void login_unheard(const Flow& flow) noexcept;
    void unread(Packet& packet, uint8_t index, config::OnFailure choice,
                DropReason reason) noexcept;
    Conversation* conversation_of(Flow& flow, Nanos now) noexcept;
    bool make_room(Nanos now) noexcept;
    void keep_in_row(const Flow& flow, Conversation& conversation) noexcept;
    void hear(Packet& packet, uint8_t index, protocol::Direction direction, Bytes in,
              Conversation& conversation) noexcept;
    Front::Taken take_front(Packet& packet, uint8_t index, Bytes in,
                            Conversation& conversation) noexcept;

    WorkerContext& context_;
    minecraft::Decoder decoder_;
    Conversations conversations_;
    Datagrams datagrams_;
};

}  // namespace portcullis::stages
