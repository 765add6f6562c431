#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>

#include "base/bytes.h"
#include "base/drop_reason.h"
#include "base/seq.h"
#include "base/time.h"

namespace portcullis {

/// The bytes that SYNs carried (TCP Fast Open, RFC 7413) until the server says
/// whether it took them.
///
/// There is room for few, and nobody gives way before his time: else a flood
/// could make us forget what a server is about to read.  Without room the SYN
/// does not go on, and the client sends the next one without data.
///
/// The server names what it took by a sum, the first number and how much; so while data
/// is kept, no SYN with another first number goes on that could give the same sum.
class FastOpen {
public:
    static constexpr size_t data_max = 1460;  ///< Of a SYN in an Ethernet frame.
    static constexpr uint32_t syns_max = 256;

    explicit FastOpen(Nanos timeout);

    /// A SYN with number `isn` and perhaps data, which is kept.  `none` when it may go
    /// on: the same number may not come with other data, nor another number at all.
    DropReason offer(uint64_t hash, Seq isn, Bytes data, Nanos now) noexcept;

    struct Taken {
        Seq isn;
        uint16_t size = 0;  ///< Of the first bytes, so many.
    };
    /// Which SYN's data a SYN/ACK acknowledges; nothing when none.  Data whose SYN
    /// alone is acknowledged is not kept any more: the server left it.
    std::optional<Taken> taken(uint64_t hash, Seq ack, Nanos now) noexcept;
    /// Those bytes, which stay until the next `offer`; nothing is kept for `hash` any more.
    Bytes release(uint64_t hash, const Taken& taken) noexcept;
    /// The connection began without that data.
    void give_up(uint64_t hash) noexcept;

private:
    static constexpr uint32_t ways = 8;
    static constexpr uint32_t sets = syns_max / ways;

    struct Entry {
        Nanos began{};
        Seq isn;
        uint16_t size = 0;
        std::array<std::byte, data_max> data;
    };
    /// Whose data a set's entries hold; 0: nobody's.
    using Owners = std::array<uint64_t, ways>;

    static uint64_t name_of(uint64_t hash) noexcept { return hash == 0 ? 1 : hash; }
    static size_t set_of(uint64_t hash) noexcept { return (hash >> 32) % sets; }
    bool living(size_t set, size_t way, Nanos now) const noexcept {
        return owners_[set][way] != 0 && now - entries_[set * ways + way].began <= timeout_;
    }

    const Nanos timeout_;
    std::array<Owners, sets> owners_{};
    std::unique_ptr<Entry[]> entries_;
};

}  // namespace portcullis
