#include "protocol/minecraft/inflater.h"

#include <algorithm>
#include <array>
#include <new>
#include <vector>

#include <isa-l/igzip_lib.h>
#include <zlib.h>

#include "protocol/minecraft/deflate_head.h"

namespace portcullis::minecraft {

namespace {

constexpr size_t slack_size = 64;

}  // namespace

struct Inflater::State {
    z_stream head{};
    inflate_state body;
    std::vector<std::byte> room;
    std::array<std::byte, head_size_max> first;
};

Inflater::Inflater(size_t size_max) : state_(std::make_unique<State>()), size_max_(size_max) {
    state_->room.resize(size_max + slack_size);
    if (inflateInit(&state_->head) != Z_OK) throw std::bad_alloc();  // setup
    isal_inflate_init(&state_->body);
    // zlib makes its window at the first use: now, not when a packet comes.
    constexpr std::array<uint8_t, 13> hello = {0x78, 0x9c, 0xcb, 0x48, 0xcd, 0xc9, 0xc9,
                                               0x07, 0x00, 0x06, 0x2c, 0x02, 0x15};
    (void)first_by_zlib(as_bytes(hello.data(), hello.size()), 1);
}

Inflater::~Inflater() { inflateEnd(&state_->head); }

Inflater::Result Inflater::whole(Bytes in, size_t size) noexcept {
    if (size > size_max_) return {Status::other_size, {}};
    inflate_state& body = state_->body;
    isal_inflate_reset(&body);
    // The library takes pointers to what it only reads.
    body.next_in = const_cast<uint8_t*>(reinterpret_cast<const uint8_t*>(in.data()));
    body.avail_in = static_cast<uint32_t>(in.size());
    body.next_out = reinterpret_cast<uint8_t*>(state_->room.data());
    body.avail_out = static_cast<uint32_t>(size);
    body.crc_flag = ISAL_ZLIB;
    const int result = isal_inflate_stateless(&body);
    const Bytes out = Bytes(state_->room).first(size);
    if (result == ISAL_DECOMP_OK && body.total_out == size && body.avail_in == 0) {
        return {Status::done, out};
    }
    const bool ends = result == ISAL_END_INPUT || result == ISAL_DECOMP_OK;
    if (!ends && result != ISAL_OUT_OVERFLOW) return {Status::bad_deflate, {}};
    if (ends) std::fill_n(body.next_out, body.avail_out, uint8_t{0});
    return {Status::other_size, out};
}

Inflater::Result Inflater::first(Bytes in, size_t size) noexcept {
    const DeflateHead head = DeflateHead::read(in);
    if (head.size == 0 || head.size > size) return first_by_zlib(in, size);
    std::ranges::copy(head.id(), state_->first.begin());
    return {Status::done, Bytes(state_->first).first(head.size)};
}

Inflater::Result Inflater::first_by_zlib(Bytes in, size_t size) noexcept {
    z_stream& head = state_->head;
    inflateReset(&head);
    head.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(in.data()));
    head.avail_in = static_cast<uInt>(in.size());
    head.next_out = reinterpret_cast<Bytef*>(state_->first.data());
    head.avail_out = static_cast<uInt>(std::min(size, head_size_max));
    const int result = inflate(&head, Z_SYNC_FLUSH);
    const size_t got = std::min(size, head_size_max) - head.avail_out;
    const Bytes out = Bytes(state_->first).first(got);
    if (head.avail_out == 0 || result == Z_STREAM_END) return {Status::done, out};
    if (result == Z_OK || result == Z_BUF_ERROR) return {Status::need_more, out};
    return {Status::bad_deflate, {}};
}

size_t Inflater::measure(Bytes in, size_t limit) noexcept {
    inflate_state& body = state_->body;
    isal_inflate_reset(&body);
    body.next_in = const_cast<uint8_t*>(reinterpret_cast<const uint8_t*>(in.data()));
    body.avail_in = static_cast<uint32_t>(in.size());
    body.crc_flag = ISAL_ZLIB;
    size_t total = 0;
    while (total < limit) {
        body.next_out = reinterpret_cast<uint8_t*>(state_->room.data());
        body.avail_out = static_cast<uint32_t>(size_max_);
        const int result = isal_inflate(&body);
        const size_t got = size_max_ - body.avail_out;
        total += got;
        if (result != ISAL_DECOMP_OK || got == 0 || body.block_state == ISAL_BLOCK_FINISH) break;
    }
    return std::min(total, limit);
}

}  // namespace portcullis::minecraft
