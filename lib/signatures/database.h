#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

struct hs_database;

namespace portcullis::signatures {

/// One thing to look for.
struct Pattern {
    static constexpr uint32_t id_max = 63;  ///< Hits are bits of one word.

    uint32_t id = 0;         ///< What a hit is reported as.
    std::string expression;  ///< PCRE syntax, as far as Hyperscan has it.
    bool caseless = true;
};

/// Patterns compiled for block mode: each text is scanned whole, by itself.
/// Read-only once compiled, shared by all Workers.
class Database {
public:
    /// Throws SetupError that names the expression and what is wrong with it.
    explicit Database(const std::vector<Pattern>& patterns);

    const hs_database* get() const noexcept { return database_.get(); }

private:
    struct Free {
        void operator()(hs_database* database) const noexcept;
    };
    std::unique_ptr<hs_database, Free> database_;
};

}  // namespace portcullis::signatures
