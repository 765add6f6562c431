#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "flow/flow.h"

namespace portcullis {

/// Handshakes under way: what a lone SYN costs, and all that it costs.
///
/// A fixed number of entries in sets of eight.  When a set is full the oldest
/// handshake in it that no server answered gives way, then the oldest at all.
class HalfOpenTable {
public:
    HalfOpenTable(uint32_t capacity, uint64_t secret);
    ~HalfOpenTable();

    /// What a SYN or SYN/ACK says; the same fields whoever sends it.
    struct Offer {
        Seq isn;
        uint16_t window = 0;
        uint16_t mss = 0;
        uint8_t window_scale = 0;
        bool has_window_scale = false;
        bool sack = false;
        bool timestamp = false;
    };

    /// The client's SYN.  True when another handshake had to give way for it.
    bool client_offers(const FlowKey& key, const Offer& offer, Nanos now) noexcept;
    /// The server's SYN/ACK, acknowledging `acknowledged`; or its bare SYN of a
    /// simultaneous open.  False when no client's SYN fits it.
    bool server_offers(const FlowKey& key, const Offer& offer, std::optional<Seq> acknowledged,
                       Nanos now) noexcept;
    /// The client's first ACK.  What was agreed, and the entry is gone; nothing
    /// when the server never named this number, or too long ago.
    std::optional<TcpHandshake> complete(const FlowKey& key, Seq seq, Seq ack, Nanos now) noexcept;
    /// A reset ends the handshake.
    void forget(const FlowKey& key) noexcept;
    bool contains(const FlowKey& key) const noexcept;

    uint32_t size() const noexcept { return size_; }
    uint32_t capacity() const noexcept;
    size_t memory() const noexcept;

private:
    struct Set;
    struct Entry;
    FlowHash hash_;
    uint32_t set_count_;
    uint32_t size_ = 0;
    std::unique_ptr<Set[]> sets_;
    std::unique_ptr<Entry[]> entries_;
};

}  // namespace portcullis
