#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "base/side.h"
#include "base/time.h"

namespace portcullis::port {

/// Decides which port of a wire has its link set down, so that a break on one side is seen
/// on the other, as with a cable: routers, bonds and spanning trees there go another way.
///
/// At most one port of a wire is held down, and only while the other, which nobody holds,
/// has no link: so two ports never wait for each other.
class LinkPropagation {
public:
    using Links = std::array<bool, static_cast<size_t>(Side::count)>;

    /// A port that was started or let go has so long to find its link before it counts as
    /// lost: negotiating speed and training the line take seconds.
    static constexpr Nanos rise_max = 10s;
    /// What the driver refused is asked for again after this.
    static constexpr Nanos retry_interval = 1s;

    /// A port's link as it is to be set.
    struct Change {
        Side side{};
        bool up = false;
        bool operator==(const Change&) const = default;
    };

    /// What is to be set now, if anything: by what is seen of both links, at a time that
    /// never goes back.  The caller answers with `applied`, `refused` or `impossible`.
    std::optional<Change> look(const Links& up, Nanos now) noexcept;
    void applied(const Change& change, Nanos now) noexcept;
    void refused(Nanos now) noexcept { next_try_ = now + retry_interval; }
    /// The port's driver knows no such thing: it is never asked again.
    void impossible(Side side) noexcept { able_[index(side)] = false; }

    /// Whose link is set down.
    std::optional<Side> held() const noexcept { return held_; }

private:
    static size_t index(Side side) noexcept { return static_cast<size_t>(side); }

    std::optional<Side> held_;
    std::array<std::optional<Nanos>, static_cast<size_t>(Side::count)> rises_until_;
    std::array<bool, static_cast<size_t>(Side::count)> able_{true, true};
    std::optional<Nanos> next_try_;
};

}  // namespace portcullis::port
