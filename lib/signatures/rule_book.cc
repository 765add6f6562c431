#include "signatures/rule_book.h"

#include <algorithm>

namespace portcullis::signatures {

RuleBook::RuleBook(std::vector<Rule> rules, uint16_t workers)
    : rules_(std::move(rules)), scratch_(workers) {
    std::ranges::stable_sort(rules_, std::greater(), &Rule::confidence);
    for (size_t field = 0; field < fields_max; ++field) {
        std::vector<Pattern> patterns;
        for (size_t i = 0; i < rules_.size(); ++i) {
            if ((rules_[i].fields >> field & 1u) == 0) continue;
            patterns.push_back(
                {static_cast<uint32_t>(i), rules_[i].expression, rules_[i].caseless});
        }
        if (patterns.empty()) continue;
        of_field_[field].emplace(patterns);
        for (Scratch& scratch : scratch_) scratch.make_room_for(*of_field_[field]);
    }
}

const Rule* RuleBook::find(uint16_t worker, uint8_t field, std::string_view text) noexcept {
    if (worker >= scratch_.size() || field >= fields_max || !of_field_[field]) return nullptr;
    auto first = static_cast<uint32_t>(rules_.size());
    const auto note = [](uint32_t id, void* into) noexcept {
        auto& lowest = *static_cast<uint32_t*>(into);
        lowest = std::min(lowest, id);
    };
    scratch_[worker].scan(*of_field_[field], text, note, &first);
    return first < rules_.size() ? &rules_[first] : nullptr;
}

}  // namespace portcullis::signatures
