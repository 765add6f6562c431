#pragma once

#include <algorithm>
#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include "base/time.h"

/// How a check is heard, and what it may say.
///
/// A Check is a class with a `name` ("family.name"), `Settings`, and one `on`
/// for each Event it hears.  One object of it belongs to each player and holds
/// what the check must remember of him; the Settings are shared by all.
///
///     void on(const protocol::Attack&, const Player&, const Settings&, Findings&) noexcept;
///
/// There is nothing to register: the compiler wires every `on` it finds.
/// A check hears a client's event before the Player has taken it in, so it can
/// compare the two; a server's event after.
namespace portcullis {
class Player;
}

namespace portcullis::checks {

/// A check's place in the list of all checks' names (`check_names` in all.h).  Two
/// protocols' checks of one name share it.
using CheckId = uint8_t;

/// What was seen against what is possible, in one unit.
struct Evidence {
    double observed = 0;
    double limit = 0;
    std::string_view unit = {};  ///< A literal: "blocks/tick", "packets/s".
    std::string_view note = {};  ///< A literal, or empty: which variant of the rule.
};

struct Finding {
    CheckId check = 0;
    /// 0..1: the share of such findings that a cheat or an attack explains and no
    /// honest player on any line does.  At 1 a vanilla client can not do it.
    float confidence = 0;
    Evidence evidence;
};

/// Where checks put what they found while one Event was heard.
class Findings {
public:
    static constexpr size_t findings_max = 16;

    /// `worker` says whose scratch memory a check may use.
    explicit Findings(uint16_t worker = 0) noexcept : worker_(worker) {}

    uint16_t worker() const noexcept { return worker_; }

    void add(float confidence, const Evidence& evidence) noexcept {
        if (size_ < findings_max) {
            items_[size_++] = {check_, confidence, evidence};
        } else {
            ++lost_;
        }
    }

    const Finding* begin() const noexcept { return items_.data(); }
    const Finding* end() const noexcept { return items_.data() + size_; }
    bool empty() const noexcept { return size_ == 0; }
    /// Those that had no room.
    uint32_t lost() const noexcept { return lost_; }
    void clear() noexcept { size_ = lost_ = 0; }

    /// Whose findings come next; for CheckSet.
    void speaker(CheckId check) noexcept { check_ = check; }

private:
    std::array<Finding, findings_max> items_;
    uint32_t size_ = 0;
    uint32_t lost_ = 0;
    CheckId check_ = 0;
    uint16_t worker_;
};

/// One row of a check's settings: what the configuration calls it, where it is
/// kept, what it may be, and what it means.  The default is the member's own.
template <class Settings>
struct Parameter {
    std::string_view name;
    double Settings::* member;
    double min;
    double max;
    std::string_view help;
};

/// `Who` is the Player of the check's protocol.
template <class C, class Event, class Who = Player>
concept Hears =
    requires(C& c, const Event& e, const Who& p, const typename C::Settings& s, Findings& out) {
        { c.on(e, p, s, out) } noexcept;
    };

template <class... Check>
struct CheckList {};

namespace detail {
template <class... Lists>
struct Joined;
template <class... A>
struct Joined<CheckList<A...>> {
    using type = CheckList<A...>;
};
template <class... A, class... B, class... More>
struct Joined<CheckList<A...>, CheckList<B...>, More...> : Joined<CheckList<A..., B...>, More...> {
};
}  // namespace detail

template <class... Lists>
using JoinedLists = typename detail::Joined<Lists...>::type;

/// Numbers a list's checks by their place in it.
struct PlaceIds {
    template <class C>
    static constexpr CheckId of(size_t place) noexcept {
        return static_cast<CheckId>(place);
    }
};

template <class List, class Who = Player, class Ids = PlaceIds>
class CheckSet;

/// All checks of one player.
template <class... Check, class Who, class Ids>
class CheckSet<CheckList<Check...>, Who, Ids> {
public:
    static constexpr size_t size = sizeof...(Check);
    static constexpr std::array<std::string_view, size> names = {Check::name...};

    /// Shared by all players of one policy, read-only once built.
    struct Settings {
        std::tuple<typename Check::Settings...> of;
        std::bitset<size> enabled = std::bitset<size>().set();
    };

    template <class Event>
    void deliver(const Event& event, const Who& player, const Settings& settings,
                 Findings& out) noexcept {
        tell(event, player, settings, out, std::index_sequence_for<Check...>());
    }

    /// Asks the memory for what the checks that hear it will need for an Event: of
    /// each the front, which is all of most.
    template <class Event>
    void fetch_for() const noexcept {
        fetch_each<Event>(std::index_sequence_for<Check...>());
    }

    /// Of a check what judging one packet of the client may change of that by which it
    /// judges: all of it, or this much of its front.
    static constexpr size_t front_bytes = 128;
    using Fronts = std::array<std::array<std::byte, front_bytes>, size>;
    using Which = std::bitset<size>;
    /// The checks that hear an Event.
    template <class Event>
    static constexpr Which hearers_of() noexcept {
        static_assert(size <= 64);
        uint64_t which = 0;
        size_t i = 0;
        ((which |= uint64_t{Hears<Check, Event, Who>} << i++), ...);
        return Which(which);
    }
    /// So that a packet can be judged anew: keeps the fronts of some checks before, and
    /// puts them back after.
    void keep_fronts(const Which& which, Fronts& fronts) const noexcept {
        each_front(*this, which, [&](size_t i, const std::byte* front, size_t bytes) {
            std::memcpy(fronts[i].data(), front, bytes);
        });
    }
    void put_back(const Which& which, const Fronts& fronts) noexcept {
        each_front(*this, which, [&](size_t i, std::byte* front, size_t bytes) {
            std::memcpy(front, fronts[i].data(), bytes);
        });
    }

private:
    template <class Self, class Visit>
    static void each_front(Self& self, const Which& which, Visit visit) noexcept {
        const auto one = [&]<size_t I>(std::integral_constant<size_t, I>) {
            auto& check = std::get<I>(self.checks_);
            using C = std::remove_cvref_t<decltype(check)>;
            static_assert(std::is_trivially_copyable_v<C>, "a player's checks are kept as bytes");
            static_assert(
                sizeof(C) <= front_bytes || requires { C::judges_by_front; },
                "what follows the front would keep what the first judging changed");
            if constexpr (!std::is_empty_v<C>) {
                using Byte = std::conditional_t<std::is_const_v<Self>, const std::byte, std::byte>;
                if (which[I]) {
                    visit(I, reinterpret_cast<Byte*>(&check), std::min(sizeof(C), front_bytes));
                }
            }
        };
        [&]<size_t... I>(std::index_sequence<I...>) {
            (one(std::integral_constant<size_t, I>()), ...);
        }(std::index_sequence_for<Check...>());
    }
    template <class Event, size_t... I>
    void fetch_each(std::index_sequence<I...>) const noexcept {
        (fetch_one<Event>(std::get<I>(checks_)), ...);
    }
    template <class Event, class C>
    static void fetch_one(const C& check) noexcept {
        if constexpr (Hears<C, Event, Who>) __builtin_prefetch(&check);
    }
    template <class Event, size_t... I>
    void tell(const Event& event, const Who& player, const Settings& settings, Findings& out,
              std::index_sequence<I...>) noexcept {
        (tell_one<I>(event, player, settings, out), ...);
    }
    template <size_t I, class Event>
    void tell_one(const Event& event, const Who& player, const Settings& settings,
                  Findings& out) noexcept {
        using C = std::tuple_element_t<I, std::tuple<Check...>>;
        static_assert(
            Hears<C, Event, Who> || !requires(C& c, const typename C::Settings& s) {
                c.on(event, player, s, out);
            }, "an `on` without noexcept would not be heard");
        if constexpr (Hears<C, Event, Who>) {
            if (!settings.enabled[I]) return;
            out.speaker(Ids::template of<C>(I));
            std::get<I>(checks_).on(event, player, std::get<I>(settings.of), out);
        }
    }

    std::tuple<Check...> checks_;
};

}  // namespace portcullis::checks
