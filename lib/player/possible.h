#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

namespace portcullis {

/// How far along the stream toward the client a thing was said, counted in
/// requests: what came before request n has reached the game once n is answered.
using RequestCount = uint32_t;

/// A value that the server sets and the client takes on at a time of its own.
///
/// From the moment the server said it until a later request has come back, the
/// old and the new may both hold, and everything set in between.  `low` and
/// `high` are the bounds of what may hold now: a check takes the one that
/// favours the player.
template <class T>
class Possible {
public:
    constexpr Possible() noexcept = default;
    constexpr explicit Possible(T value) noexcept : low_(value), high_(value), latest_(value) {}

    /// The server said `value` after `said` requests, of which the game has
    /// certainly reached number `reached`.
    constexpr void set(T value, RequestCount said, RequestCount reached) noexcept {
        if (certain(reached)) low_ = high_ = latest_;
        low_ = std::min(low_, value);
        high_ = std::max(high_, value);
        latest_ = value;
        said_ = said;
    }
    /// Something else has also been possible since, and nothing that comes back will
    /// tell which: until the server says it again.
    constexpr void may_be(T value, RequestCount reached) noexcept {
        if (certain(reached)) low_ = high_ = latest_;
        low_ = std::min(low_, value);
        high_ = std::max(high_, value);
        said_ = std::numeric_limits<RequestCount>::max();
    }
    constexpr T low(RequestCount reached) const noexcept {
        return certain(reached) ? latest_ : low_;
    }
    constexpr T high(RequestCount reached) const noexcept {
        return certain(reached) ? latest_ : high_;
    }
    constexpr T latest() const noexcept { return latest_; }

private:
    constexpr bool certain(RequestCount reached) const noexcept { return reached > said_; }

    T low_{}, high_{}, latest_{};
    RequestCount said_ = 0;
};

}  // namespace portcullis
