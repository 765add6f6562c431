#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "signatures/database.h"
#include "signatures/scratch.h"

namespace portcullis::signatures {

/// One rule of the operator's: what to look for, where, and what it means.
struct Rule {
    std::string name;
    std::string expression;
    bool caseless = true;
    float confidence = 0;
    uint32_t fields = 0;  ///< Bit n: texts of field n are searched.
};

/// The operator's rules, a Database for each field that any of them is about, so
/// that a text is searched only for what may stand in it.  Brings the working
/// memory of each Worker along.
class RuleBook {
public:
    static constexpr size_t fields_max = 16;

    /// Throws SetupError that names the expression and what is wrong with it.
    RuleBook(std::vector<Rule> rules, uint16_t workers);

    /// The surest rule that a text of this field meets, of equally sure ones the
    /// first; null when there is none.
    const Rule* find(uint16_t worker, uint8_t field, std::string_view text) noexcept;

    bool empty() const noexcept { return rules_.empty(); }

private:
    std::vector<Rule> rules_;  ///< The surest first.
    std::array<std::optional<Database>, fields_max> of_field_;
    std::vector<Scratch> scratch_;  ///< By Worker.
};

}  // namespace portcullis::signatures
