#pragma once

namespace portcullis::policy {

/// What a check says of itself.
struct Trait {
    float weight = 1;          ///< Levels that one certain finding is worth.
    bool spoofable = false;    ///< Anybody may have sent it: no more than drop.
    bool statistical = false;  ///< Likelihood, not impossibility: tells people, never acts.
};

template <class C>
consteval Trait trait_of() {
    Trait trait;
    if constexpr (requires { C::weight; }) trait.weight = C::weight;
    if constexpr (requires { C::statistical; }) trait.statistical = C::statistical;
    if constexpr (requires { C::spoofable; }) trait.spoofable = C::spoofable;
    return trait;
}

}  // namespace portcullis::policy
