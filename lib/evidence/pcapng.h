#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/time.h"

/// The pcapng file format (draft-ietf-opsawg-pcapng), as much as evidence needs.
///
/// DPDK's rte_pcapng is not used: it takes mbufs, which Control has none of, and
/// gives packets the times of its own clock; evidence needs those that checks
/// were told, to the nanosecond, and a block of our own between packets.
namespace portcullis::evidence::pcapng {

/// Of those that the format leaves to everybody's own use: others skip it.
inline constexpr uint32_t own_block = 0x80504356;

struct Packet {
    Nanos time{};
    uint32_t original_size = 0;  ///< As it came; `bytes` may be its front.
    bool to_client = false;
    Bytes bytes;
};

/// Appends blocks to a text that becomes the file.
class Writer {
public:
    /// Begins the file: what wrote it, and what people shall read of it.
    Writer(std::string& out, std::string_view application, std::string_view comment);
    void packet(const Packet& packet, std::string_view comment = {});
    void own(Bytes bytes);

private:
    std::string& out_;
};

struct Visitor {
    std::function<void(const Packet&)> packet;
    std::function<void(Bytes)> own;
};
/// Walks over a file that Writer wrote.  False where it is no such file, or
/// damaged: what was visited until there is good.
bool walk(Bytes file, const Visitor& visitor);

}  // namespace portcullis::evidence::pcapng
