#pragma once

#include <vector>

#include "base/bytes.h"
#include "protocol/event.h"
#include "protocol/minecraft/cfb8.h"
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
///     const Cfb8::Secret* secret() noexcept;   // of this connection; null: not known yet
///
/// An Event that the Listener has no `on` for is not told; without `secret` no key is.

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
        /// Keys may come, so enciphered bytes are worth waiting with.
        bool keys_come = false;
        /// Bytes of a direction that wait for a late key before it is given up.
        uint32_t ciphertext_max = 128u << 10;
    };

    explicit Decoder(const Settings& settings = Settings());
    Decoder(const Decoder&) = delete;
    Decoder& operator=(const Decoder&) = delete;

    /// From here on; see Settings::all_bodies.
    void give_all_bodies(bool all) noexcept { settings_.all_bodies = all; }

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
            if (session.enciphered()) {
                return feed_enciphered(session, direction, in, progress.consumed, listener);
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

    /// What was told last, also while its events are: where it stands in the bytes fed.
    const Frame& front() const noexcept { return frame_; }

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
        size_t needs = 0;     ///< need_more: of bytes from the front on; 0: of any.
    };
    /// The frame under way.
    struct Front {
        Session& session;
        Session::Half& half;
        Bytes in;      ///< From its length prefix to the end of what has arrived.
        size_t width;  ///< Of the length prefix.
    };

    template <class Listener>
    protocol::Progress feed_enciphered(Session& session, Direction direction, Bytes in, size_t at,
                                       Listener& listener) noexcept {
        Session::Half& half = session.half(direction);
        if (session.awaits_key() && !find_key(session, in.size() - at, listener)) {
            half.waits = at < in.size();
            return {half.finished() ? in.size() : at, 0, half.finished()};
        }
        // With a late key, what the client answered to is read first.
        if (direction == Direction::to_client) half.waits = false;
        if (session.half(Direction::to_client).waits) return {at};
        while (true) {
            at += pass_enciphered(half, in.subspan(at));
            if (at == in.size() || in.size() - at < half.front_needs) return {at};
            const Bytes plain = decipher(session, half, in.subspan(at));
            size_t done = 0;
            Step step{Step::Kind::need_more};
            while (done < plain.size()) {
                step = next(session, direction, plain, done);
                if (step.kind == Step::Kind::need_more) break;
                frame_.offset += at;
                frame_.register_at = static_cast<uint32_t>(at);
                frame_.body_offset = 0;
                frame_.enciphered = true;
                deliver(session, direction, step, listener);
                if (half.finished()) return {in.size(), 0, true};
                done += step.consumed;
                if (step.skip > 0) break;
            }
            const bool all_tried = plain.size() == in.size() - at;
            consume_enciphered(half, in.subspan(at, done), step);
            at += done;
            if (step.skip > half.passing) return {at, step.skip - half.passing};
            if (step.kind == Step::Kind::need_more && (all_tried || done == 0)) return {at};
        }
    }

    /// False: it is not known yet.  When it can not come, nothing is read any more.
    template <class Listener>
    bool find_key(Session& session, size_t waiting, Listener& listener) noexcept {
        if constexpr (requires { listener.secret(); }) {
            if (const Cfb8::Secret* secret = listener.secret()) {
                session.take_key(*secret);
                return true;
            }
            if (settings_.keys_come && waiting <= settings_.ciphertext_max) return false;
        }
        session.half(Direction::to_server).state = State::opaque;
        session.half(Direction::to_client).state = State::opaque;
        tell(listener, protocol::BecameOpaque{});
        return false;
    }
    static size_t pass_enciphered(Session::Half& half, Bytes in) noexcept;
    Bytes decipher(const Session& session, const Session::Half& half, Bytes in) noexcept;
    static void consume_enciphered(Session::Half& half, Bytes consumed, const Step& step) noexcept;

    Step next(Session& session, Direction direction, Bytes in, size_t at) noexcept;
    Step first_byte(Session& session, Direction direction, Bytes in) noexcept;
    Step framed(const Front& front) noexcept;
    Step plain(const Front& front, size_t header) noexcept;
    Step packed(const Front& front) noexcept;
    Step inflated(const Front& front, size_t header, size_t have) noexcept;
    Step inflated_head(const Front& front, Bytes stream, size_t id_width) noexcept;
    Step inflate_whole(const Front& front, Bytes stream) noexcept;

    Step pass(size_t have) noexcept;
    static Step done(const Front& front, Step step) noexcept;
    Step fault(Direction direction, size_t size, protocol::Fault fault, double observed,
               double limit) noexcept;
    Step broken(Session& session, Direction direction, size_t size, protocol::Fault kind,
                double observed, double limit) noexcept;
    /// Looks the id up; true when the fields of this packet are to be read.
    bool identify(const Session& session, int32_t id) noexcept;
    bool head_tells() const noexcept;
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
    std::vector<std::byte> plain_;  ///< Room to decipher in; never grows.
    Frame frame_;
    protocol::Malformed malformed_{};
    Values values_;
    /// Room for texts that are put together: reasons, sign lines.
    TextRoom text_;
};

}  // namespace portcullis::minecraft
