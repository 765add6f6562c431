#pragma once

#include "checks/combat/combat.h"
#include "checks/digging/digging.h"
#include "checks/exploit/exploit.h"
#include "checks/flood/flood.h"
#include "checks/identity/identity.h"
#include "checks/movement/movement.h"
#include "checks/packets/packets.h"
#include "checks/shadowland/shadowland.h"
#include "checks/timing/timing.h"

namespace portcullis::checks {

/// Every check of a Minecraft player.
using MinecraftChecks =
    JoinedLists<Combat, Digging, Exploit, Flood, Identity, Movement, Packets, Timing>;

/// Every check of a Shadowland player.
using ShadowlandChecks = Shadowland;

namespace detail {

template <class... A, class... B>
consteval size_t count_names(CheckList<A...>, CheckList<B...>) {
    size_t count = sizeof...(A);
    for (const std::string_view b : {B::name...}) {
        const bool known = ((A::name == b) || ...);
        count += known ? 0 : 1;
    }
    return count;
}

template <class... A, class... B>
consteval auto join_names(CheckList<A...> a, CheckList<B...> b) {
    std::array<std::string_view, count_names(CheckList<A...>{}, CheckList<B...>{})> names = {
        A::name...};
    size_t at = sizeof...(A);
    (void)a, (void)b;
    for (const std::string_view name : {B::name...}) {
        if (!((A::name == name) || ...)) names[at++] = name;
    }
    return names;
}

}  // namespace detail

/// The names of all checks of all protocols.  A CheckId is the place in this list:
/// first Minecraft's in their order, then those that only others have.
inline constexpr auto check_names = detail::join_names(MinecraftChecks{}, ShadowlandChecks{});
static_assert(check_names.size() <= 256);

/// The id of the check of this name; `check_names.size()` if there is none.
constexpr size_t check_id(std::string_view name) noexcept {
    size_t id = 0;
    while (id < check_names.size() && check_names[id] != name) ++id;
    return id;
}

/// Numbers checks by their name.
struct NameIds {
    template <class C>
    static constexpr CheckId of(size_t) noexcept {
        constexpr size_t id = check_id(C::name);
        static_assert(id < check_names.size());
        return static_cast<CheckId>(id);
    }
};

}  // namespace portcullis::checks
