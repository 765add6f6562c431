#include "stages/decode/front.h"

#include "protocol/proxy/header.h"
#include "stages/detect/detect.h"

namespace portcullis::stages {

namespace {

using protocol::Fault;
using Status = proxy::Header::Status;

void accuse(Detect* detect, Fault fault) noexcept {
    if (detect != nullptr) detect->on(protocol::Malformed{fault});
}

}  // namespace

Front::Taken Front::take(const policy::InFront& in_front, Bytes in, Detect* detect) noexcept {
    const bool expected = in_front.proxy_protocol();
    const proxy::Header header = proxy::read_header(in);
    if (header.status == Status::need_more) return {.waits = true};
    passed_ = true;
    if (header.status == Status::absent) {
        if (expected) accuse(detect, Fault::no_proxy_header);
        return {};
    }
    if (!expected) {
        accuse(detect, Fault::unexpected_proxy_header);
        return {.size = header.size};  // None when nobody can say: the game's decoder says so.
    }
    if (header.status == Status::malformed) {
        // Who reads it less strictly goes on to the game behind it, and so do we.
        accuse(detect, Fault::bad_proxy_header);
        return {.size = header.size, .broken = header.size == 0};
    }
    if (detect != nullptr) detect->proxy_header(header);
    return {.size = header.size};
}

}  // namespace portcullis::stages
