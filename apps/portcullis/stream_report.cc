#include "stream_report.h"

#include <cerrno>
#include <cstring>

#include <openssl/evp.h>

#include "base/concat.h"
#include "base/hex.h"
#include "base/setup_error.h"
#include "flow/flow.h"
#include "verdicts/json.h"

namespace portcullis::app {

namespace {

constexpr size_t no_stream = SIZE_MAX;

}  // namespace

void StreamReport::FreeDigest::operator()(evp_md_ctx_st* digest) const noexcept {
    EVP_MD_CTX_free(digest);
}

StreamReport::StreamReport() = default;
StreamReport::~StreamReport() = default;

StreamReport::Stream& StreamReport::begin(const Flow& flow, protocol::Direction direction) {
    Stream& stream = streams_.emplace_back();
    stream.client = flow.client();
    stream.server = flow.server();
    stream.direction = direction;
    stream.digest.reset(EVP_MD_CTX_new());
    EVP_DigestInit_ex(stream.digest.get(), EVP_sha256(), nullptr);
    const auto [at, fresh] = newest_.try_emplace(&flow, Streams{no_stream, no_stream});
    at->second[static_cast<size_t>(direction)] = streams_.size() - 1;
    return stream;
}

void StreamReport::on_bytes(const Flow& flow, protocol::Direction direction, uint64_t offset,
                            Bytes in) noexcept {
    const auto known = newest_.find(&flow);
    const size_t place =
        known == newest_.end() ? no_stream : known->second[static_cast<size_t>(direction)];
    const bool fresh = offset == 0 || place == no_stream;
    Stream& stream = fresh ? begin(flow, direction) : streams_[place];
    stream.bytes += in.size();
    EVP_DigestUpdate(stream.digest.get(), in.data(), in.size());
}

void StreamReport::write(std::FILE* out) {
    for (const Stream& stream : streams_) {
        unsigned char sum[EVP_MAX_MD_SIZE];
        unsigned size = 0;
        EVP_DigestFinal_ex(stream.digest.get(), sum, &size);
        std::string line = "{\"type\":\"stream\",\"flow\":";
        verdicts::append_json_flow(line, stream.client, stream.server);
        line += ",\"direction\":\"";
        line += name_in(protocol::direction_names, stream.direction);
        line += "\",\"bytes\":" + std::to_string(stream.bytes);
        line += ",\"sha256\":\"";
        append_hex(line, as_bytes(sum, size));
        line += "\"}\n";
        fputs(line.c_str(), out);
    }
    streams_.clear();
    newest_.clear();
}

void StreamReport::write(const std::string& path) {
    std::FILE* const out = fopen(path.c_str(), "w");
    if (out == nullptr) throw SetupError(concat(path, ": can not be written: ", strerror(errno)));
    write(out);
    if (fclose(out) != 0) throw SetupError(concat(path, ": was not written whole"));
}

}  // namespace portcullis::app
