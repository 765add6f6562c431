#include "signatures/scratch.h"

#include <cstring>

#include <hs/hs.h>

#include "base/setup_error.h"

namespace portcullis::signatures {

namespace {

/// What Hyperscan hands back to us with each hit.
struct Listener {
    Scratch::OnHit on_hit;
    void* context;
};

int note_hit(unsigned id, unsigned long long, unsigned long long, unsigned, void* listener) {
    const auto* to = static_cast<const Listener*>(listener);
    to->on_hit(id, to->context);
    return 0;
}

/// True when the 64 bytes behind the text lie in the page of its last byte.
bool may_be_read_past(std::string_view text) noexcept {
    const auto last = reinterpret_cast<uintptr_t>(text.data() + text.size() - 1);
    return last % Scratch::page_size + Scratch::overread_max < Scratch::page_size;
}

}  // namespace

Scratch::Scratch() : copy_(std::make_unique<char[]>(piece_size_max + overread_max)) {}

void Scratch::make_room_for(const Database& database) {
    hs_scratch_t* scratch = scratch_.release();  // Grown in place, or exchanged.
    const hs_error_t status = hs_alloc_scratch(database.get(), &scratch);
    scratch_.reset(scratch);
    if (status != HS_SUCCESS) {
        throw SetupError("No memory to scan for signatures; free some or lower limits.");  // setup
    }
}

void Scratch::Free::operator()(hs_scratch* scratch) const noexcept {
    (void)hs_free_scratch(scratch);
}

void Scratch::scan(const Database& database, std::string_view text, OnHit on_hit,
                   void* context) noexcept {
    while (text.size() > piece_size_max) {
        scan_piece(database, text.substr(0, piece_size_max), on_hit, context);
        text.remove_prefix(piece_size_max - overlap);
    }
    scan_piece(database, text, on_hit, context);
}

void Scratch::scan_piece(const Database& database, std::string_view piece, OnHit on_hit,
                         void* context) noexcept {
    if (piece.empty()) return;
    if (!may_be_read_past(piece)) {
        std::memcpy(copy_.get(), piece.data(), piece.size());
        piece = {copy_.get(), piece.size()};
        ++copies_;
    }
    Listener listener{on_hit, context};
    (void)hs_scan(database.get(), piece.data(), static_cast<unsigned>(piece.size()), 0,
                  scratch_.get(), note_hit, &listener);
}

}  // namespace portcullis::signatures
