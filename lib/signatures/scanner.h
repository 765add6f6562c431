#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "signatures/database.h"
#include "signatures/scratch.h"

namespace portcullis::signatures {

/// What one scan found: bit n stands for the pattern with id n.
using Hits = uint64_t;

/// Looks for a Database's patterns in texts.  Belongs to one Worker, whose
/// working memory it has.
class Scanner {
public:
    static constexpr uint32_t id_max = 63;  ///< Hits are bits of one word.

    /// Throws SetupError: an id over `id_max`, no memory.  `database` must outlive it.
    explicit Scanner(const Database& database);

    Hits scan(std::string_view text) noexcept;

    uint64_t copies() const noexcept { return scratch_.copies(); }

private:
    const Database* database_;
    Scratch scratch_;
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
