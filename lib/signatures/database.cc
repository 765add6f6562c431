#include "signatures/database.h"

#include <hs/hs.h>

#include "base/setup_error.h"

namespace portcullis::signatures {

Database::Database(const std::vector<Pattern>& patterns) {
    std::vector<const char*> expressions;
    std::vector<unsigned> flags, ids;
    for (const Pattern& pattern : patterns) {
        if (pattern.id > Pattern::id_max) {
            throw SetupError("The signature \"" + pattern.expression + "\" has id " +
                             std::to_string(pattern.id) + ", allowed: 0 to " +
                             std::to_string(Pattern::id_max));
        }
        expressions.push_back(pattern.expression.c_str());
        // Once a text is enough, and texts may hold line ends.
        flags.push_back(HS_FLAG_SINGLEMATCH | HS_FLAG_DOTALL |
                        (pattern.caseless ? HS_FLAG_CASELESS : 0u));
        ids.push_back(pattern.id);
    }

    hs_database_t* database = nullptr;
    hs_compile_error_t* error = nullptr;
    const hs_error_t status = hs_compile_multi(expressions.data(), flags.data(), ids.data(),
                                               static_cast<unsigned>(patterns.size()),
                                               HS_MODE_BLOCK, nullptr, &database, &error);
    if (status != HS_SUCCESS) {
        std::string text = "Can not compile the signatures";
        if (error != nullptr) {
            if (error->expression >= 0) {
                const auto index = static_cast<size_t>(error->expression);
                text = "Can not compile the signature \"" + patterns[index].expression + '"';
            }
            text += std::string(": ") + error->message;
            hs_free_compile_error(error);
        }
        throw SetupError(text);
    }
    database_.reset(database);
}

void Database::Free::operator()(hs_database* database) const noexcept {
    (void)hs_free_database(database);
}

}  // namespace portcullis::signatures
