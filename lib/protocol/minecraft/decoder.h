#pragma once

#include "base/bytes.h"
#include "protocol/event.h"
#include "protocol/minecraft/frame.h"
#include "protocol/minecraft/inflater.h"
#include "protocol/minecraft/session.h"
#include "protocol/minecraft/to_client.h"
#include "protocol/minecraft/to_server.h"
#include "protocol/minecraft/values.h"
#include "protocol/protocol.h"

namespace portcullis::minecraft {

/// What a Listener hears besides `listener.on(const protocol::X&)` for each Event:
///
///     void frame(const Frame&) noexcept;   // once a game packet, before its events
///
/// An Event that the Listener has no `on` for is not told.

/// Bytes in order in, game packets and Events out.
///
/// One for each Worker: it owns the room to inflate in, made at construction,
/// and keeps nothing of a connection; that is the Session's.  Bytes that no
/// decision needs (chunks, light, registries) are skipped by their length.
class Decoder {
public:
    struct Settings {
        Settings() noexcept {}
        /// Give `Frame::body` for every packet that a layout is kept for, not only for
        /// those that events are made from: for `inspect --packets`.
        bool all_bodies = false;
        /// Packets whose fields take more bytes than this pass by unread, their id told.
        uint32_t body_max = 128u << 10;
        /// Longest a packet may be once inflated, bytes: what vanilla takes.
        uint32_t inflated_max_to_server = 8u << 20;
        uint32_t inflated_max_to_client = 8u << 20;
        /// A client's packet over `body_max` that inflates to more than so many times
        /// its size is a bomb.
        uint32_t ratio_max = 200;
    };

    explicit Decoder(const Settings& settings = Settings());
    Decoder(const Decoder&) = delete;
    Decoder& operator=(const Decoder&) = delete;

    /// Decodes what `in` holds of whole packets.  `in` starts where the last call's
    /// Progress ended: after `consumed` and `skip` bytes.  Never reads outside `in`.
    template <class Listener>
    protocol::Progress feed(Session& session, Direction direction, Bytes in,
                            Listener& listener) noexcept {
        protocol::Progress progress;
        while (true) {
            if (session.half(direction).finished()) {
                return {in.size(), 0, true};
            }
            if (progress.consumed == in.size()) return progress;
            const Step step = next(session, direction, in, progress.consumed);
            if (step.kind == Step::Kind::need_more) return progress;
            deliver(session, direction, step, listener);
            progress.consumed += step.consumed;
            if (step.skip > 0) {
                progress.skip = step.skip;
                return progress;
            }
        }
    }

private:
    /// What stands at the front of the bytes.
    struct Step {
        enum class Kind : uint8_t {
            need_more,
            frame,  ///< `frame_` is to be told.
            legacy_ping,
            nothing,  ///< No packet; perhaps a fault.
        };
        Kind kind;
        size_t consumed = 0;
        size_t skip = 0;
        bool faulty = false;  ///< `malformed_` is to be told, after the frame.
    };
    /// The frame under way.
    struct Front {
        Session& session;
        Session::Half& half;
        Bytes in;      ///< From its length prefix to the end of what has arrived.
        size_t width;  ///< Of the length prefix.
    };

    Step next(Session& session, Direction direction, Bytes in, size_t at) noexcept;
    Step first_byte(Session& session, Direction direction, Bytes in) noexcept;
    Step plain(const Front& front, size_t header) noexcept;
    Step packed(const Front& front) noexcept;
    Step inflated(const Front& front, size_t header, size_t have) noexcept;
    Step inflate_whole(const Front& front, Bytes stream) noexcept;

    Step pass(size_t have) noexcept;
    static Step done(const Front& front, Step step) noexcept;
    Step fault(Direction direction, size_t size, protocol::Fault fault, double observed,
               double limit) noexcept;
    Step broken(Session& session, Direction direction, size_t size, protocol::Fault kind,
                double observed, double limit) noexcept;
    /// Looks the id up; true when the fields of this packet are to be read.
    bool identify(const Session& session, int32_t id) noexcept;
    void accuse(Step& step, protocol::Fault fault, double observed, double limit) noexcept;
    void note_unknown(Step& step) noexcept;
    void note_unread(Step& step, size_t packed_size) noexcept;

    template <class Listener>
    void deliver(Session& session, Direction direction, const Step& step,
                 Listener& listener) noexcept {
        if (step.kind == Step::Kind::legacy_ping) {
            listener.frame(frame_);
            tell(listener, protocol::LegacyPing{});
        }
        if (step.kind == Step::Kind::frame) {
            listener.frame(frame_);
            if (frame_.has_body) {
                if (direction == Direction::to_server) {
                    ToServer<Listener>(session, frame_, values_, listener).run();
                } else {
                    ToClient<Listener>(session, frame_, values_, text_, listener).run();
                }
            }
        }
        if (step.faulty) tell(listener, malformed_);
    }

    Settings settings_;
    Inflater inflater_;
    Frame frame_;
    protocol::Malformed malformed_{};
    Values values_;
    /// Room for texts that are put together: reasons, sign lines.
    TextRoom text_;
};

}  // namespace portcullis::minecraft
