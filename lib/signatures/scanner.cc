#include "signatures/scanner.h"

#include <algorithm>
#include <cstring>

#include <hs/hs.h>

#include "base/setup_error.h"

namespace portcullis::signatures {

namespace {

int note_hit(unsigned id, unsigned long long, unsigned long long, unsigned, void* context) {
    *static_cast<Hits*>(context) |= Hits{1} << id;
    return 0;
}

/// True when the 64 bytes behind the text lie in the page of its last byte.
bool may_be_read_past(std::string_view text) noexcept {
    const auto last = reinterpret_cast<uintptr_t>(text.data() + text.size() - 1);
    return last % Scanner::page_size + Scanner::overread_max < Scanner::page_size;
}

}  // namespace

Scanner::Scanner(const Database& database)
    : database_(&database), copy_(std::make_unique<char[]>(piece_size_max + overread_max)) {
    hs_scratch_t* scratch = nullptr;
    if (hs_alloc_scratch(database.get(), &scratch) != HS_SUCCESS) {
        throw SetupError("No memory to scan for signatures; free some or lower limits.");
    }
    scratch_.reset(scratch);
}

void Scanner::Free::operator()(hs_scratch* scratch) const noexcept {
    (void)hs_free_scratch(scratch);
}

Hits Scanner::scan(std::string_view text) noexcept {
    Hits hits = 0;
    while (text.size() > piece_size_max) {
        hits |= scan_piece(text.substr(0, piece_size_max));
        text.remove_prefix(piece_size_max - overlap);
    }
    return hits | scan_piece(text);
}

Hits Scanner::scan_piece(std::string_view piece) noexcept {
    if (piece.empty()) return 0;
    if (!may_be_read_past(piece)) {
        std::memcpy(copy_.get(), piece.data(), piece.size());
        piece = {copy_.get(), piece.size()};
        ++copies_;
    }
    Hits hits = 0;
    (void)hs_scan(database_->get(), piece.data(), static_cast<unsigned>(piece.size()), 0,
                  scratch_.get(), note_hit, &hits);
    return hits;
}

Scanners::Scanners(const std::vector<Pattern>& patterns, uint16_t workers) : database_(patterns) {
    scanners_.reserve(workers);
    for (uint16_t i = 0; i < workers; ++i) scanners_.emplace_back(database_);
}

}  // namespace portcullis::signatures
