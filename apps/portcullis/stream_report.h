#pragma once

#include <array>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/ip.h"
#include "stages/packet_observer.h"

struct evp_md_ctx_st;

namespace portcullis::app {

/// What the engine reads of each connection, as two numbers a direction: how many
/// bytes, and their SHA-256.  `inspect --streams` and `run --streams` print them,
/// so that other reassemblers, and real sockets, can be held against them.
class StreamReport final : public stages::StreamObserver {
public:
    StreamReport();
    ~StreamReport() override;

    void on_bytes(const Flow& flow, protocol::Direction direction, uint64_t offset,
                  Bytes in) noexcept override;
    /// One JSON object a stream, in the order in which they began; then forgets them.
    void write(std::FILE* out);
    /// The same into a file of this name.  Throws SetupError.
    void write(const std::string& path);

private:
    struct FreeDigest {
        void operator()(evp_md_ctx_st* digest) const noexcept;
    };
    struct Stream {
        Endpoint client, server;
        protocol::Direction direction{};
        uint64_t bytes = 0;
        std::unique_ptr<evp_md_ctx_st, FreeDigest> digest;
    };
    using Streams = std::array<size_t, 2>;  ///< By direction, places in `streams_`.

    Stream& begin(const Flow& flow, protocol::Direction direction);

    std::vector<Stream> streams_;
    std::unordered_map<const Flow*, Streams> newest_;  ///< A Flow's place is used again.
};

}  // namespace portcullis::app
