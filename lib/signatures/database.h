#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

struct hs_database;

namespace portcullis::signatures {

/// One thing to look for.
struct Pattern {
    uint32_t id = 0;         ///< What a hit is reported as.
    std::string expression;  ///< PCRE syntax, as far as Hyperscan has it.
    bool caseless = true;
};

/// Patterns compiled for block mode: each text is scanned whole, by itself.
/// Read-only once compiled, shared by all Workers.
class Database {
public:
    /// Throws SetupError that names the expression and what is wrong with it.
    explicit Database(std::span<const Pattern> patterns);

    const hs_database* get() const noexcept { return database_.get(); }
    uint32_t highest_id() const noexcept { return highest_id_; }

    /// What is wrong with a pattern by itself; empty when nothing is.
    static std::string problem_with(const Pattern& pattern);

private:
    struct Free {
        void operator()(hs_database* database) const noexcept;
    };
    std::unique_ptr<hs_database, Free> database_;
    uint32_t highest_id_ = 0;
};

}  // namespace portcullis::signatures
