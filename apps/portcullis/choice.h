#pragma once

#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "config/problems.h"

namespace portcullis::app {

/// Of an option that takes one of some words, which stand for enumerators.
template <class Value>
CLI::Validator choice(const std::map<std::string, Value>& words) {
    std::vector<std::string> names;
    for (const auto& [name, value] : words) names.push_back(name);
    const auto judge = [words, names](std::string& given) -> std::string {
        const auto at = words.find(given);
        if (at == words.end()) {
            return config::in_quotes(given) + config::suggestion(given, names) +
                   "; allowed: " + config::alternatives(names);
        }
        given = std::to_string(static_cast<int>(at->second));  // As CLI11 reads an enumerator.
        return {};
    };
    return CLI::Validator(judge, config::alternatives(names));
}

/// Of one whose value is the word itself.
inline CLI::Validator choice(const std::vector<std::string>& names) {
    const auto judge = [names](std::string& given) -> std::string {
        if (std::ranges::find(names, given) != names.end()) return {};
        return config::in_quotes(given) + config::suggestion(given, names) +
               "; allowed: " + config::alternatives(names);
    };
    return CLI::Validator(judge, config::alternatives(names));
}

}  // namespace portcullis::app
