#include "signatures/database.h"

#include <algorithm>

#include <hs/hs.h>

#include "base/setup_error.h"

namespace portcullis::signatures {

namespace {

/// Once a text is enough, and texts may hold line ends.
unsigned flags_of(const Pattern& pattern) {
    return HS_FLAG_SINGLEMATCH | HS_FLAG_DOTALL | (pattern.caseless ? HS_FLAG_CASELESS : 0u);
}

/// Hyperscan's own words, and which pattern they are about.
struct Failure {
    std::string says;
    int pattern = -1;  ///< -1: none in particular.
};

hs_database_t* compile(std::span<const Pattern> patterns, Failure& failure) {
    std::vector<const char*> expressions;
    std::vector<unsigned> flags, ids;
    for (const Pattern& pattern : patterns) {
        expressions.push_back(pattern.expression.c_str());
        flags.push_back(flags_of(pattern));
        ids.push_back(pattern.id);
    }
    hs_database_t* database = nullptr;
    hs_compile_error_t* error = nullptr;
    const hs_error_t status = hs_compile_multi(expressions.data(), flags.data(), ids.data(),
                                               static_cast<unsigned>(patterns.size()),
                                               HS_MODE_BLOCK, nullptr, &database, &error);
    if (status == HS_SUCCESS) return database;
    failure.says = error == nullptr ? "it does not compile" : error->message;
    if (error != nullptr) failure.pattern = error->expression;
    hs_free_compile_error(error);
    return nullptr;
}

}  // namespace

Database::Database(std::span<const Pattern> patterns) {
    Failure failure;
    database_.reset(compile(patterns, failure));
    if (database_ == nullptr) {
        const bool known = failure.pattern >= 0;
        const std::string which =
            known
                ? "signature \"" + patterns[static_cast<size_t>(failure.pattern)].expression + "\""
                : "signatures";
        throw SetupError("Can not compile the " + which + ": " + failure.says);  // setup
    }
    for (const Pattern& pattern : patterns) highest_id_ = std::max(highest_id_, pattern.id);
}

std::string Database::problem_with(const Pattern& pattern) {
    Failure failure;
    const std::unique_ptr<hs_database, Free> database(compile({&pattern, 1}, failure));
    return database == nullptr ? failure.says : "";
}

void Database::Free::operator()(hs_database* database) const noexcept {
    (void)hs_free_database(database);
}

}  // namespace portcullis::signatures
