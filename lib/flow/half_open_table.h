#pragma once

#include <cstdint>
#include <optional>

#include "base/huge_array.h"
#include "base/seq.h"
#include "base/side.h"
#include "base/time.h"
#include "packet/packet.h"
#include "stream/connection.h"

namespace portcullis {

/// Handshakes under way: what a lone SYN costs, and all that it costs.
///
/// A fixed number of entries in sets of eight, named by the keyed hash of their
/// 5-tuple alone: 64 secret bits stand for 40 bytes.  In a full set the oldest
/// handshake that no server answered gives way, else the oldest.
///
/// What the server says decides: its SYN/ACK names both initial sequence
/// numbers, so a client that sends several SYNs gains nothing by it.  The two
/// latest answers are remembered, and the client's ACK picks one; what fits another
/// is no acknowledgement in the connection that this makes, and does not go on.
///
/// A server that has answered may wait longer for the ACK than we wait for an
/// answer, so an answered handshake stays until its place is needed.
class HalfOpenTable {
public:
    /// How long after its answer a server may take the ACK: Linux believes a SYN cookie for
    /// two minutes, and keeps a request for one.
    static constexpr Nanos answer_lifetime = 130s;
    /// Each set is looked at once in so many calls of keep_house.
    static constexpr uint32_t sweep_calls = 4096;

    /// `timeout`: how long a SYN waits for its answer.
    HalfOpenTable(uint32_t capacity, Nanos timeout);
    ~HalfOpenTable();

    /// Asks for the memory that the calls below will look at.
    void fetch(uint64_t hash) const noexcept;

    /// The client's SYN, and the side that it came in on, where that tells something.  True
    /// when another handshake had to give way for it.  What was answered from that very side
    /// before any SYN is forgotten: no server stands there.
    bool client_offers(uint64_t hash, const TcpFields& syn, Nanos now, SideSet from = {}) noexcept;
    /// On which sides the client's latest SYN came in: on both if the wire lies twice on its
    /// way.  None: no SYN is known.
    SideSet client_sides(uint64_t hash, Nanos now) const noexcept;
    /// The server's SYN/ACK, or its bare SYN in a simultaneous or split
    /// handshake: then `has_ack` is false, and false is returned if no client's
    /// SYN is known.
    bool server_offers(uint64_t hash, const TcpFields& syn, bool has_ack, Nanos now,
                       SideSet from = {}) noexcept;
    /// A packet of the client with the ACK bit.  If it completes a handshake:
    /// what was agreed, and the entry is gone.
    std::optional<stream::Handshake> complete(uint64_t hash, const TcpFields& ack) noexcept;
    /// A packet of the server that is no SYN: it speaks so only once it holds the
    /// connection for open, because it saw an ACK that did not come this way or
    /// took the data of a SYN.
    std::optional<stream::Handshake> complete_by_server(uint64_t hash,
                                                        const TcpFields& segment) noexcept;
    /// A handshake that may still come to something.
    bool contains(uint64_t hash, Nanos now) const noexcept;
    /// A SYN with another number than `isn` went on, and the server may be at it.
    bool offers_other(uint64_t hash, Seq isn, Nanos now) const noexcept;
    /// A server's answer is known, and no ACK that fits it.
    bool answered(uint64_t hash) const noexcept;
    /// Frees what has waited too long, a part of the table at each call.
    void keep_house(Nanos now) noexcept;

    uint32_t size() const noexcept { return size_; }
    uint32_t capacity() const noexcept;
    size_t memory() const noexcept;

private:
    struct Entry;
    struct Set;
    struct Found {
        Set* set;
        unsigned way;
    };
    Set& set_of(uint64_t hash) const noexcept;
    std::optional<Found> find(uint64_t hash) const noexcept;
    Found make(uint64_t hash, Nanos now, bool& evicted) noexcept;
    stream::Handshake agree(const Found& found, unsigned answer) noexcept;
    bool stale(const Found& found, Nanos now) const noexcept;
    static void forget_story(const Found& found) noexcept;

    uint32_t timeout_ms_;
    uint32_t set_count_;
    uint32_t size_ = 0;
    uint32_t hand_ = 0;  ///< The set that keep_house looks at next.
    HugeArray<Set> sets_;
};

}  // namespace portcullis
