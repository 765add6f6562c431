#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <utility>

#include "base/ip.h"

namespace portcullis::control {

/// The latest reported game packets, numbered, for whoever reads along (`ctl trace`).
/// The oldest give way.
class PacketBook {
public:
    static constexpr size_t packets_max = 4'096;

    struct Packet {
        Endpoint client, server;
        std::string json;  ///< One object.
    };

    void add(Packet packet) {
        if (packets_.size() == packets_max) packets_.pop_front();
        packets_.push_back(std::move(packet));
        ++next_;
    }
    /// The number of the next one that comes, and of the oldest that is here.
    uint64_t next() const noexcept { return next_; }
    uint64_t first() const noexcept { return next_ - packets_.size(); }
    const Packet& operator[](uint64_t number) const { return packets_[number - first()]; }

private:
    std::deque<Packet> packets_;
    uint64_t next_ = 0;
};

}  // namespace portcullis::control
