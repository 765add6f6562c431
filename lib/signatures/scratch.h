#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "signatures/database.h"

struct hs_scratch;

namespace portcullis::signatures {

/// What a scan needs besides a Database: Hyperscan's working memory and room for
/// a copy, all of it allocated at start.  Belongs to one Worker and serves any
/// number of Databases, one after the other.
///
/// Hyperscan 5.4.0 reads up to 64 bytes past the end of what it scans.  Bytes of
/// the same page can be read whatever they are, so a text that ends well within
/// its page is scanned where it stands; any other is copied first, into memory
/// with that much room behind it.
class Scratch {
public:
    static constexpr size_t overread_max = 64;
    static constexpr size_t page_size = 4096;  ///< The smallest of any machine we build for.
    /// Longer texts are scanned in pieces of this size, each beginning with the
    /// last `overlap` bytes of the one before.
    static constexpr size_t piece_size_max = 65536;
    static constexpr size_t overlap = 1024;

    /// Hears the id of each pattern that is in the text, more than once if it is
    /// in several pieces.
    using OnHit = void (*)(uint32_t id, void* context) noexcept;

    Scratch();

    /// Takes what scanning with this database needs; at start.  Throws SetupError.
    void make_room_for(const Database& database);

    void scan(const Database& database, std::string_view text, OnHit on_hit,
              void* context) noexcept;

    uint64_t copies() const noexcept { return copies_; }

private:
    struct Free {
        void operator()(hs_scratch* scratch) const noexcept;
    };
    void scan_piece(const Database& database, std::string_view piece, OnHit on_hit,
                    void* context) noexcept;

    std::unique_ptr<hs_scratch, Free> scratch_;
    std::unique_ptr<char[]> copy_;
    uint64_t copies_ = 0;
};

}  // namespace portcullis::signatures
