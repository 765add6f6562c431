#include "port/link_propagation.h"

namespace portcullis::port {

std::optional<LinkPropagation::Change> LinkPropagation::look(const Links& up, Nanos now) noexcept {
    for (size_t side = 0; side < up.size(); ++side) {
        auto& until = rises_until_[side];
        if (!until) until = now + rise_max;
        if (up[side]) until = now;
    }
    if (next_try_ && now < *next_try_) return std::nullopt;
    if (held_) {
        if (up[index(opposite(*held_))]) return Change{*held_, true};
        // It was opened anew, or somebody else has set it up.
        if (up[index(*held_)]) return Change{*held_, false};
        return std::nullopt;
    }
    for (const Side side : {Side::outside, Side::inside}) {
        const Side other = opposite(side);
        const bool lost = !up[index(side)] && now >= *rises_until_[index(side)];
        if (lost && up[index(other)] && able_[index(other)]) return Change{other, false};
    }
    return std::nullopt;
}

void LinkPropagation::applied(const Change& change, Nanos now) noexcept {
    next_try_.reset();
    if (change.up) {
        held_.reset();
        rises_until_[index(change.side)] = now + rise_max;
    } else {
        held_ = change.side;
    }
}

}  // namespace portcullis::port
