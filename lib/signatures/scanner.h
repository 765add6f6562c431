#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "signatures/database.h"

struct hs_scratch;

namespace portcullis::signatures {

/// What one scan found: bit n stands for the pattern with id n.
using Hits = uint64_t;

/// Looks for a Database's patterns in texts.  Belongs to one Worker: it has the
/// scratch memory a scan needs, all of it allocated here at start.
///
/// Hyperscan 5.4.0 reads up to 64 bytes past the end of what it scans.  Bytes of
/// the same page can be read whatever they are, so a text that ends well within
/// its page is scanned where it stands; any other is copied first, into memory
/// with that much room behind it.
class Scanner {
public:
    static constexpr size_t overread_max = 64;
    static constexpr size_t page_size = 4096;  ///< The smallest of any machine we build for.
    /// Longer texts are scanned in pieces of this size, each beginning with the
    /// last `overlap` bytes of the one before.
    static constexpr size_t piece_size_max = 65536;
    static constexpr size_t overlap = 1024;

    /// Throws SetupError when there is no memory.  `database` must outlive it.
    explicit Scanner(const Database& database);

    Hits scan(std::string_view text) noexcept;

    uint64_t copies() const noexcept { return copies_; }

private:
    struct Free {
        void operator()(hs_scratch* scratch) const noexcept;
    };
    Hits scan_piece(std::string_view piece) noexcept;

    const Database* database_;
    std::unique_ptr<hs_scratch, Free> scratch_;
    std::unique_ptr<char[]> copy_;
    uint64_t copies_ = 0;
};

/// A Scanner for each Worker, so that a rule set brings all the memory it needs
/// along when it is swapped in.
class Scanners {
public:
    Scanners(const std::vector<Pattern>& patterns, uint16_t workers);

    /// Null for a Worker that the configuration did not announce.
    Scanner* of(uint16_t worker) noexcept {
        return worker < scanners_.size() ? &scanners_[worker] : nullptr;
    }

private:
    Database database_;
    std::vector<Scanner> scanners_;
};

}  // namespace portcullis::signatures
