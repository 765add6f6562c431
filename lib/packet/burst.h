#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "base/side.h"
#include "base/time.h"
#include "packet/packet.h"

namespace portcullis {

/// Up to 64 packets that go through the stages together, in the order they came
/// in, and the frames of our own that leave after them.
///
/// The Worker fills it with `add`, runs the stages, then sends every live packet
/// out of the other side of its wire, frees the refused ones counting `drop`,
/// and sends `injected`.
struct Burst {
    static constexpr size_t packets_max = 64;
    static constexpr size_t injected_max = 256;

    struct Injected {
        rte_mbuf* mbuf = nullptr;
        uint8_t wire = 0;
        Side out = Side::outside;  ///< The port it leaves by.
    };

    Nanos now{};  ///< The time of the youngest packet; without packets, of the poll.

    void clear(Nanos time) noexcept {
        now = time;
        size_ = 0;
        injected_size_ = 0;
    }
    bool empty() const noexcept { return size_ == 0; }

    /// Only while there are fewer than `packets_max`.
    Packet& add(rte_mbuf* mbuf, Side side, uint8_t wire, Nanos time) noexcept {
        Packet& packet = packets_[size_++];
        packet = Packet{};
        packet.mbuf = mbuf;
        packet.side = side;
        packet.wire = wire;
        packet.time = time;
        return packet;
    }

    std::span<Packet> all() noexcept { return {packets_.data(), size_}; }
    std::span<const Packet> all() const noexcept { return {packets_.data(), size_}; }
    Packet& operator[](size_t index) noexcept { return packets_[index]; }
    size_t size() const noexcept { return size_; }

    /// Sends a frame of ours after the burst's packets.  False when there is no
    /// room: the mbuf stays the caller's.
    bool inject(const Injected& frame) noexcept {
        if (injected_size_ == injected_max) return false;
        injected_[injected_size_++] = frame;
        return true;
    }
    std::span<const Injected> injected() const noexcept {
        return {injected_.data(), injected_size_};
    }

private:
    std::array<Packet, packets_max> packets_;
    std::array<Injected, injected_max> injected_;
    size_t size_ = 0;
    size_t injected_size_ = 0;
};

}  // namespace portcullis
