#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "base/inline_text.h"
#include "base/ip.h"
#include "base/names.h"
#include "base/time.h"
#include "protocol/event.h"
#include "protocol/protocol.h"
#include "records/action.h"

/// What Workers and Control say to each other: plain structs through rings.
/// No pointers, so a record outlives whatever it speaks of.
namespace portcullis::verdicts {

enum class Mode : uint8_t { enforce, observe, count };
inline constexpr NameTable<Mode> mode_names = {"enforce", "observe"};
static_assert(complete(mode_names));

/// Why a player's connection ended.
enum class EndReason : uint8_t {
    fin,
    reset,
    server_disconnect,
    kicked,
    severed,
    idle,
    shutdown,
    count
};
inline constexpr NameTable<EndReason> end_reason_names = {
    "fin", "reset", "server_disconnect", "kicked", "severed", "idle", "shutdown"};
static_assert(complete(end_reason_names));

/// How something that a verdict asked for ended.
enum class Result : uint8_t {
    done,     ///< It was carried out; the other side said so.
    failed,   ///< It was refused, or every try went wrong.
    expired,  ///< It could not be carried out while it still made sense.
    count
};
inline constexpr NameTable<Result> result_names = {"done", "failed", "expired"};
static_assert(complete(result_names));

struct PlayerIdentity {
    InlineText<32> name;  ///< From login success; 16 characters in vanilla, more behind proxies.
    protocol::Uuid uuid{};
    int32_t version = 0;
    /// His own, as a proxy in front that is believed told it; all zero: nobody told.
    IpAddress address{};
    InlineText<7> loader{};  ///< The mod loader that his handshake names.
    bool floodgate = false;  ///< His handshake carries Floodgate's word for a Bedrock player.

    bool address_told() const noexcept { return address != IpAddress{}; }
    /// By which he is judged: his own, else the one on the wire.
    IpAddress address_or(const IpAddress& on_wire) const noexcept {
        return address_told() ? address : on_wire;
    }
};

/// From a Worker to Control.
struct VerdictRecord {
    enum class Kind : uint8_t {
        verdict,
        login,
        disconnect,
        opaque,
        outcome,  ///< How the action of a verdict ended on the wire; the id is the verdict's.
        count
    };

    Kind kind = Kind::verdict;
    protocol::Protocol protocol{};
    Mode mode{};
    policy::Action action{};
    uint8_t check = 0;  ///< checks::CheckId
    EndReason end{};
    uint16_t service = 0;  ///< Index into the configured services.
    uint16_t worker = 0;
    bool acts = false;  ///< Confidence reached act_at_confidence.
    Result result{};    ///< Of an outcome; `note` says how.
    /// `player` is in the game; else it is only what somebody calls himself, who may be
    /// another than the one of that name who plays.
    bool in_game = false;
    /// What of `client`'s address this is about, bits of 128: the whole of it, or the
    /// /64 that an IPv6 source is.
    uint8_t source_bits = 128;
    bool through_proxy = false;  ///< `client` is a proxy, that many players share.
    float confidence = 0;
    float level = 0;       ///< Violation level after this finding.
    uint32_t repeats = 0;  ///< Like findings since the last record of this check.
    /// Unique in this log: time in ms, worker, count; see records/id.h.
    uint64_t id_high = 0, id_low = 0;
    Nanos time{};
    Endpoint client;  ///< The address the wire shows.
    Endpoint server;
    PlayerIdentity player;
    double observed = 0;
    double limit = 0;
    InlineText<23> unit;
    InlineText<47> note;

    /// Whose address to keep out for what the player did; nothing where only the
    /// proxy's is known, for with it everybody behind it would be out.
    std::optional<IpAddress> culprit() const noexcept {
        if (!through_proxy) return client.address;
        if (!player.address_told() || player.address == client.address) return std::nullopt;
        return player.address;
    }
};
inline constexpr NameTable<VerdictRecord::Kind> record_kind_names = {
    "verdict", "login", "disconnect", "opaque", "outcome"};
static_assert(complete(record_kind_names));

/// A decoded game packet that somebody wants to see, from a Worker to Control.
struct PacketRecord {
    static constexpr size_t fields_max = 1024;

    Nanos time{};
    Endpoint client, server;
    protocol::Direction direction{};
    bool has_fields = false;  ///< A layout is kept for it.
    bool cut = false;         ///< Some of its fields had no room.
    uint16_t fields_size = 0;
    InlineText<15> state;
    InlineText<47> name;
    std::array<char, fields_max> fields;  ///< The inside of a JSON object.
};

/// From Control to a Worker.
struct Order {
    enum class Kind : uint8_t {
        sever,  ///< The flow client-server.
        kick,   ///< The same with `reason` shown.
        block,  ///< `prefix` for `lasts`; every Worker gets it.
        unblock,
        trace,       ///< Report every packet of `player` for `lasts`.
        describe,    ///< Tell the PlayerContext of who is on the flow client-server.
        list_flows,  ///< Tell up to `flows_max` Flows, in answer to question `question`.
    };
    Kind kind{};
    uint16_t flows_max = 0;
    bool players_only = false;  ///< Of those, Flows with a player logged in.
    uint32_t question = 0;
    Endpoint client, server;
    InlineText<32> player;  ///< Whom to trace.
    IpPrefix prefix;
    /// From when the Worker hears it: a span, since the wall clock may be set meanwhile.
    Nanos lasts{};
    InlineText<127> reason;
};

}  // namespace portcullis::verdicts
