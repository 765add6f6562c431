#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "base/pool.h"
#include "keys/shadowland_keys.h"
#include "protocol/shadowland/connects.h"
#include "protocol/shadowland/events.h"
#include "protocol/shadowland/fragments.h"
#include "protocol/shadowland/kept.h"
#include "protocol/shadowland/payload.h"
#include "protocol/shadowland/session.h"

namespace portcullis::shadowland {

/// Where a datagram belongs: the two ends of its flow, and the session on it.
struct Link {
    Endpoint client, server;
    uint32_t session = Pool<Session>::none;
    uint8_t service = 0;
    bool pass_unknown = false;  ///< Types that nobody knows are the server's own business.
    bool reseal = false;        ///< What is sealed may be changed and sealed again.
};

/// What becomes of a datagram.
struct Outcome {
    Error error = Error::none;  ///< Of the datagram as a whole.
    bool drop = false;          ///< Its receiver would not take it, and loses nothing with it.
    Fault why{};                ///< Of a drop.
    bool unknown = false;       ///< Of a session whose beginning we have not seen.
    bool full = false;          ///< No room for a session: it goes uninspected.
    bool no_room = false;       ///< For a fragment, whose set goes uninspected.
    bool ended = false;         ///< A Disconnect: the session is over.
    bool rewritten = false;     ///< It shall go on as `rewrite` has it.
    bool epoch_changed = false;
    bool opaque = false;                       ///< A session whose key did not come in time.
    bool begun = false;                        ///< A session.
    ConnectFate connect = ConnectFate::count;  ///< `count`: no Connect.
    DatagramFate fate = DatagramFate::count;   ///< `count`: of no session.
    uint32_t lost = 0;                         ///< Datagrams that will not come any more.
    bool answered_right = false;               ///< A challenge, by the integrity table.
    Bytes answer;  ///< What its sender gets instead; valid until the next datagram.
};

/// Datagrams in, messages out, for all sessions of one Worker.
///
/// The listener is told, in this order: `packet(const PacketSeen&)`, then what the
/// payload holds through `on_form`, `on(const Message&)` and `on_broken`, then
/// `on_whole(id, whole size when it was compressed)` and the messages of a set of
/// fragments that it completed, then `on_error(Error)` if the payload failed, and
/// last `on(const Violation&)` for all that it broke.  What a receiver would not
/// believe is told only when `Settings::tell_all`; `PacketSeen::fresh` says so.
///
/// A key that is late opens what the server said before it came: that is told first, between
/// `turn(to_client)` and `turn` of the datagram at hand.  What it does not open any more is
/// told as `on(const Missed&)`, right behind the `packet` of the first that was opened again.
///
/// One that has `arrives(const Header&, bool accused)` is asked first of all, when nothing of
/// the session has been changed by the datagram at hand; `accused`: it will be by what time
/// alone has brought, whatever the datagram holds.
class Decoder {
public:
    struct Settings {
        uint32_t sessions = 1'000;
        Fragments::Limits fragments;
        uint32_t kept_max = 1'024;  ///< Datagrams that wait for a key; 0: none will come.
        bool tell_all = false;
        Connects::Limits connects = {};
        double session_packets_per_s = 200;
        uint64_t secret = 0;  ///< Nobody outside knows who shares a place in tables.
    };

    /// `keys` may be given more at any time; it must outlive the decoder.
    Decoder(const Settings& settings, const keys::ShadowlandKeys& keys);

    template <class Listener>
    Outcome receive(Link& link, Direction direction, Bytes datagram, Nanos now,
                    Listener& listener) noexcept {
        begin(link, direction, now);
        if (key_came()) relive(listener);
        const ReadHeader header = read_header(datagram);
        const bool time_up = session_ != nullptr && time_is_up();
        if constexpr (requires { listener.arrives(header.header, time_up); }) {
            if (session_ != nullptr) listener.arrives(header.header, time_up && time_accuses());
        }
        if (time_up) watch_time();
        open(datagram, header);
        listener.packet(seen_);
        if (missed_something()) listener.on(take_missed());
        if (payload_.size() > 0 && (seen_.fresh || settings_.tell_all)) {
            Hearer<Listener> hearer{*this, listener};
            const Error error = read(seen_.header, hearer);
            if (error != Error::none) {
                body_failed(error);
                listener.on_error(error);
            }
        }
        for (size_t i = 0; i < violations_size_; ++i) listener.on(violations_[i]);
        if (round_trip_.ms > 0) listener.on(round_trip_);
        return outcome_;
    }

    /// Asks for the memory of a session before its packet's turn.
    void fetch(uint32_t session, Direction direction) const noexcept;

    /// While it is told: where the message stands, its type first.
    Bytes message() const noexcept { return message_; }
    /// While it is told: its receiver will not take the message, or not yet.
    bool refuses() const noexcept { return refused_; }
    /// While it is told: its session has begun with it.
    bool begins() const noexcept { return outcome_.begun; }
    /// While it is told: its session; null: none, or there was no room for it.
    const Session* session_at_hand() const noexcept { return session_; }
    /// What the datagram at hand begins with.
    MessageKind kind() const noexcept;
    /// While a client's message is told: it shall go on as a Nop.  False when it can not.
    bool make_harmless() noexcept;
    /// The datagram at hand as it shall go on.  Returns its size; 0 when that can not be.
    size_t rewrite(MutableBytes out) noexcept;

    void forget(Link& link) noexcept;
    const Session* session_of(const Link& link) const noexcept {
        return link.session == Pool<Session>::none ? nullptr : &sessions_[link.session];
    }

    const Session& session(uint32_t handle) const noexcept { return sessions_[handle]; }

    /// What hangs on a session beside itself, for the same build to `resume`; datagrams that
    /// wait for a key do not go along.  Its size; 0: `out` is too small.
    size_t put_down(const Session& session, MutableBytes out) const noexcept;
    /// Goes on with a session as another process left it, on `link`.  False: the bytes are
    /// not what hung on it, or there is no room.
    bool resume(Link& link, const Session& session, Bytes hanging) noexcept;

    /// A Disconnect that both ends believe: plain or sealed as the session is.
    /// Returns its size; 0 when none can be made.
    size_t write_disconnect(const Link& link, Direction direction, uint8_t reason,
                            std::string_view text, MutableBytes out) noexcept;

    uint32_t sessions_used() const noexcept { return sessions_.used(); }

private:
    /// Stands between the payload and the listener: the session learns first.
    template <class Listener>
    struct Hearer {
        Decoder& decoder;
        Listener& listener;

        template <class M>
        void on(const M& message) noexcept {
            if (decoder.seen_.fresh) decoder.take(message);
            listener.on(message);
            if constexpr (std::is_same_v<M, Fragment>) {
                if (decoder.seen_.fresh) whole(message);
            }
        }
        void at(Bytes message) noexcept { decoder.message_ = message; }
        void on_form(Form form) noexcept { listener.on_form(form); }
        void on_broken(Error error) noexcept {
            if (decoder.seen_.fresh) decoder.message_failed(error);
            listener.on_broken(error);
        }
        void whole(const Fragment& fragment) noexcept {
            const Fragments::Piece piece = decoder.add(fragment);
            if (piece.result != Fragments::Result::complete) return;
            Bytes payload = piece.whole;
            if (piece.compressed) payload = decoder.inflate(payload);
            if (payload.empty()) return;
            listener.on_whole(fragment.fragment_id, piece.compressed ? payload.size() : 0);
            decoder.judge_several(payload);
            const Error error = read_game(payload, decoder.direction_, *this);
            if (error == Error::none) return;
            decoder.body_failed(error);
            listener.on_error(error);
        }
    };

    /// Tells what the server said before the key for it came, as far as there are keys.
    template <class Listener>
    void relive(Listener& listener) noexcept {
        const Direction direction = direction_;
        direction_ = Direction::to_client;
        listener.turn(direction_);
        while (session_->kept != Kept::none && reopen()) {
            if (seen_.fresh) {
                listener.packet(seen_);
                Hearer<Listener> hearer{*this, listener};
                const Error error = read(seen_.header, hearer);
                if (error != Error::none) listener.on_error(error);
            }
            kept_.drop_front(session_->kept);
        }
        listener.turn(direction);
        begin_again(direction);
    }

    template <class Listener>
    Error read(const Header& header, Listener& hearer) noexcept {
        if (header.control()) return read_control(header, payload_, direction_, hearer);
        Bytes payload = payload_;
        if (header.compressed()) {
            const Decompressed inflated =
                decompress(payload, direction_, {inflated_.get(), inflated_size});
            if (inflated.error != Error::none) return inflated.error;
            payload = inflated.payload;
            hearer.listener.on_inflated(payload.size());
        }
        judge_several(payload);
        return read_game(payload, direction_, hearer);
    }

    /// Looks for what keeps a packet of several messages from going on.
    struct Scout {
        Decoder& decoder;
        size_t broken = 0;
        Error error = Error::none;

        template <class M>
        void on(const M& message) noexcept {
            if constexpr (is_sync<M>) decoder.count_sync(message.client_time_ms);
        }
        void on_form(Form) noexcept {}
        void on_broken(Error e) noexcept {
            if (e == Error::type && decoder.link_->pass_unknown) return;
            ++broken;
            error = e;
        }
    };
    template <class M>
    static constexpr bool is_sync =
        std::is_same_v<M, SyncEntity> || std::is_same_v<M, SyncEntityQuantized>;
    /// What clients say on channel 0 alone, so that nobody honest has it held back.
    template <class M>
    static constexpr bool is_never_ordered =
        is_sync<M> || std::is_same_v<M, Pong> || std::is_same_v<M, Ack> ||
        std::is_same_v<M, Disconnect>;

    /// A message that is fresh, before it is told.
    template <class M>
    void take(const M& message) noexcept {
        refused_ = seen_.waits && is_never_ordered<M>;
        if constexpr (is_sync<M>) synced(message.client_time_ms);
        if (!refused_) learn(message);
        refused_ |= outcome_.drop;
    }

    void begin(Link& link, Direction direction, Nanos now) noexcept;
    void begin_again(Direction direction) noexcept;
    bool key_came() noexcept;
    bool reopen() noexcept;
    void keep(Bytes datagram) noexcept;
    void keep_no_more() noexcept;
    bool missed_something() const noexcept;
    Missed take_missed() noexcept;
    void open(Bytes datagram, const ReadHeader& read) noexcept;
    void open_handshake(Bytes datagram) noexcept;
    bool of_this_session() noexcept;
    void hijacked(Session& owner) noexcept;
    bool unseal(Bytes datagram) noexcept;
    enum class Opened : uint8_t { yes, no_key, wrong };
    Opened try_keys(Bytes datagram) noexcept;
    bool find_key() noexcept;
    const keys::ShadowlandKey* key_of(uint32_t epoch) const noexcept;
    bool try_epoch(const Epoch& epoch, Bytes datagram) noexcept;
    bool try_later_epochs(Bytes datagram) noexcept;
    void place(bool proven) noexcept;
    bool beyond_window(bool proven) noexcept;
    bool one_too_many(bool proven) noexcept;
    void far_ahead(bool proven) noexcept;
    void judge_several(Bytes payload) noexcept;
    void repeated(ReplayWindow::Place place, bool proven) noexcept;
    void repeated_unreliable(ReplayWindow::Place place, bool proven) noexcept;
    Harmless* harmless_at_hand() noexcept;
    bool make_whole_harmless() noexcept;
    Harmless* begin_harmless() noexcept;
    void forget_harmless(Session& session, uint64_t highest, Channel channel) noexcept;
    bool time_is_up() const noexcept;
    bool time_accuses() const noexcept;
    void watch_time() noexcept;
    Fragments::Piece add(const Fragment& fragment) noexcept;
    Bytes inflate(Bytes payload) noexcept;

    template <class M>
    void learn(const M&) noexcept {}
    void learn(const Connect& message) noexcept;
    void learn(const Cookie& message) noexcept;
    void learn(const ConnectionAccepted& message) noexcept;
    void learn(const Ping& message) noexcept;
    void learn(const Pong& message) noexcept;
    void learn(const Disconnect& message) noexcept;
    void learn(const Ack& message) noexcept;
    void learn(const CheckIntegrity& message) noexcept;
    void learn(const RekeyRequest& message) noexcept;
    void learn(const RekeyResponse& message) noexcept;
    void synced(uint32_t client_time_ms) noexcept;
    void count_sync(uint32_t client_time_ms) noexcept;
    void count_connect(const Connect& message) noexcept;
    void stranger() noexcept;

    void body_failed(Error error) noexcept;
    void message_failed(Error error) noexcept;
    void fail(Error error, Fault fault) noexcept;
    void drop(Fault why) noexcept;
    void refuse(Fault why) noexcept;
    void tell_flood(const Violation& violation) noexcept;
    void accuse(const Violation& violation) noexcept;
    bool proven() const noexcept { return seen_.opened; }

    uint32_t find(uint32_t connection_id, uint8_t service) const noexcept;
    uint32_t& head_of(uint32_t connection_id) noexcept;

    static constexpr size_t inflated_size = large_payload_max[1];
    static constexpr size_t violations_max = 16;
    static constexpr uint32_t harmless_max = 4'096;
    /// A flood is told this often; each of its packets is counted.
    static constexpr Nanos flood_told_every = 10ms;

    const Settings settings_;
    const keys::ShadowlandKeys& keys_;
    Connects connects_;
    Pool<Session> sessions_;
    Pool<Harmless> harmless_;
    Kept kept_;
    std::unique_ptr<uint32_t[]> heads_;  ///< Connection id to session.
    std::unique_ptr<uint32_t[]> next_;
    uint32_t heads_mask_;
    Fragments fragments_;
    Nanos flood_told_at_ = Nanos::min();
    std::array<std::byte, Connects::answer_size> answer_;
    std::unique_ptr<std::byte[]> inflated_;
    std::array<std::byte, datagram_size_max> opened_;

    // Of the datagram at hand.
    Link* link_ = nullptr;
    Session* session_ = nullptr;
    Direction direction_{};
    Nanos now_{};
    PacketSeen seen_;
    Bytes datagram_;
    Bytes payload_;
    Bytes message_;
    Harmless* changes_ = nullptr;  ///< What of it goes on as a Nop.
    Harmless lone_changes_;        ///< The same, for what is sent once only.
    bool refused_ = false;         ///< The message that is told.
    bool syncs_counted_ = false;   ///< All of the packet's.
    Outcome outcome_;
    RoundTrip round_trip_;
    std::array<Violation, violations_max> violations_;
    size_t violations_size_ = 0;
};

}  // namespace portcullis::shadowland
