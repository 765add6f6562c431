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
class FastOpen {
public:
    static constexpr size_t data_max = 1460;  ///< Of a SYN in an Ethernet frame.
    static constexpr uint32_t syns_max = 256;

    explicit FastOpen(Nanos timeout);

    /// Data of a SYN with number `isn`.  `none` when it may go on; the same number
    /// may not come with other data.
    DropReason keep(uint64_t hash, Seq isn, Bytes data, Nanos now) noexcept;

    struct Taken {
        Seq isn;
        uint16_t size = 0;  ///< Of the first bytes, so many.
    };
    /// Which SYN's data a SYN/ACK acknowledges; nothing when none.
    std::optional<Taken> taken(uint64_t hash, Seq ack, Nanos now) const noexcept;
    /// Those bytes, which stay until the next `keep`; all that was kept for
    /// `hash` is given up.
    Bytes release(uint64_t hash, const Taken& taken) noexcept;

private:
    static constexpr uint32_t ways = 8;
    static constexpr uint32_t sets = syns_max / ways;

    struct Entry {
        uint64_t hash = 0;
        Nanos began{};
        Seq isn;
        uint16_t size = 0;  ///< 0: free.
        std::array<std::byte, data_max> data;
    };
    Entry* set_of(uint64_t hash) const noexcept { return &entries_[(hash >> 32) % sets * ways]; }
    bool living(const Entry& entry, Nanos now) const noexcept {
        return entry.size > 0 && now - entry.began <= timeout_;
    }

    const Nanos timeout_;
    std::unique_ptr<Entry[]> entries_;
};

}  // namespace portcullis
