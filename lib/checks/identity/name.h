#pragma once

#include <algorithm>

#include "checks/check.h"
#include "player/player.h"

namespace portcullis::checks {

/// Name: a login under a name that no account has and no server takes.
///
/// Accounts have 3 to 16 of A-Z, a-z, 0-9 and _, some of the oldest fewer.  But names
/// need no account: Floodgate puts a sign before a Bedrock name, which may have spaces;
/// servers without authentication let people use their own letters.  So only what no
/// client types is certain: nothing at all, and control characters, which forge lines in
/// logs and consoles.  Colour codes come next, from clients made to stand out.
class IdentityName {
public:
    static constexpr std::string_view name = "identity.name";
    static constexpr float weight = 10;  ///< One is enough, where it is certain.

    struct Settings {};

    void on(const protocol::LoginStart& login, const Player&, const Settings&,
            Findings& out) noexcept {
        const std::string_view given = login.name;
        const auto size = static_cast<double>(given.size());
        if (given.empty()) {
            out.add(1, {.observed = 0, .limit = 1, .unit = "bytes", .note = "no name"});
        } else if (std::ranges::any_of(given, is_control)) {
            out.add(1, {.observed = size, .unit = "bytes", .note = "control characters"});
        } else if (given.find(colour_sign) != given.npos) {
            out.add(colours, {.observed = size, .unit = "bytes", .note = "colour codes"});
        } else if (!std::ranges::all_of(given, is_usual)) {
            out.add(unusual, {.observed = size, .unit = "bytes", .note = "unusual characters"});
        }
    }

private:
    static constexpr float colours = 0.9f;
    static constexpr float unusual = 0.2f;
    static constexpr std::string_view colour_sign = "\xc2\xa7";  ///< The section sign.

    static constexpr bool is_control(char c) noexcept {
        return static_cast<uint8_t>(c) < 0x20 || c == 0x7f;
    }
    /// What accounts have, and the signs that Floodgate and its like put before.
    static constexpr bool is_usual(char c) noexcept {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               std::string_view("_.*-+ ").find(c) != std::string_view::npos;
    }
};

}  // namespace portcullis::checks
