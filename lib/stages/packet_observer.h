#pragma once

#include <string_view>

#include "base/bytes.h"
#include "base/time.h"
#include "protocol/field_visitor.h"
#include "protocol/protocol.h"

namespace portcullis {
struct Flow;
}
namespace portcullis::minecraft {
struct Frame;
}

namespace portcullis::stages {

/// Takes the ordered bytes of every connection, in place of a decoder:
/// `--streams`.  Who tests what the engine reads asks for it; nobody else.
class StreamObserver {
public:
    virtual ~StreamObserver() = default;
    /// `offset`: of `in` in its direction of the connection; 0 begins a new one.
    /// Called by the core of the Flow's Worker.
    virtual void on_bytes(const Flow& flow, protocol::Direction direction, uint64_t offset,
                          Bytes in) noexcept = 0;
};

/// A message that can tell its fields.
class ToldMessage {
public:
    virtual ~ToldMessage() = default;
    virtual protocol::Direction direction() const noexcept = 0;
    /// What part of the protocol it belongs to: "control", "game".
    virtual std::string_view state() const noexcept = 0;
    virtual std::string_view name() const noexcept = 0;
    virtual void describe(protocol::FieldVisitor& visitor) const = 0;
};

/// Hears of decoded game packets, in order: of all with `inspect --packets`, which may
/// allocate and write; of some while somebody traces (PacketTrace), on a Worker that must
/// not.  A null pointer costs a Worker nothing.
class PacketObserver {
public:
    virtual ~PacketObserver() = default;
    /// `frame` and the bytes in it are only there during the call.
    virtual void on_packet(const Flow& flow, const minecraft::Frame& frame, Nanos now) noexcept = 0;
    /// A message of a datagram, or the whole datagram when nothing in it was read.
    virtual void on_message(const Flow& flow, const ToldMessage& message, Nanos now) noexcept = 0;
};

}  // namespace portcullis::stages
