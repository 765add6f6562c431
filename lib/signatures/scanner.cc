#include "signatures/scanner.h"

#include "base/setup_error.h"

namespace portcullis::signatures {

Scanner::Scanner(const Database& database) : database_(&database) {
    if (database.highest_id() > id_max) {
        throw SetupError(  // setup
            "A signature has the id " + std::to_string(database.highest_id()) + ", allowed: 0 to " +
            std::to_string(id_max));
    }
    scratch_.make_room_for(database);
}

Hits Scanner::scan(std::string_view text) noexcept {
    Hits hits = 0;
    const auto note = [](uint32_t id, void* into) noexcept {
        *static_cast<Hits*>(into) |= Hits{1} << id;
    };
    scratch_.scan(*database_, text, note, &hits);
    return hits;
}

Scanners::Scanners(const std::vector<Pattern>& patterns, uint16_t workers) : database_(patterns) {
    scanners_.reserve(workers);
    for (uint16_t i = 0; i < workers; ++i) scanners_.emplace_back(database_);
}

}  // namespace portcullis::signatures
