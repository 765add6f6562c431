#pragma once

#include <array>
#include <cstdint>

#include "base/time.h"
#include "player/possible.h"

namespace portcullis {

/// Requests that come back: keep-alives, pings, teleports.  They tell how long
/// the way is, and how far the game has read what the server sent.
///
/// A client answers each kind in order, so an answer buries what waits before it: what
/// was passed by never comes.  The game reads all but the keep-alives, which its network
/// thread answers, so what it has certainly read without an answer is buried as well.
/// Ids may repeat.  So an answer counts for a request only when the answers to those left
/// out before it were heard too; a client that leaves one out proves less, not more.
class RoundTrips {
public:
    enum class Kind : uint8_t { keep_alive, ping, teleport };
    static constexpr size_t kinds = 3;
    /// Of all kinds.  When there are more, the kind with most of them is thinned out
    /// evenly: its oldest, which tells the delay, and its newest always stay.
    static constexpr size_t waiting_max = 20;
    static constexpr size_t samples_max = 8;

    /// What was asked.
    struct Answer {
        bool known = false;  ///< There was such a request.
        Nanos sent{};
    };

    void sent(Kind kind, int64_t id, Nanos now) noexcept;
    /// When a request that has not come back was sent.
    Answer sent_at(Kind kind, int64_t id) const noexcept;
    /// `ticks`: the client's movement packets until now.
    Answer answered(Kind kind, int64_t id, Nanos now, uint32_t ticks) noexcept;
    /// The client ticked; after enough of them a keep-alive speaks for the game too.
    void ticked(uint32_t ticks) noexcept;

    RequestCount requests() const noexcept { return requests_; }
    RequestCount reached() const noexcept { return reached_; }

    bool measured() const noexcept { return samples_ > 0; }
    /// The quickest there and back of the last samples; `unmeasured` without any.
    Nanos low() const noexcept;
    /// The slowest of them, or the age of what is not back yet when that is more.
    Nanos high(Nanos now) const noexcept;

    /// What is taken for the slowest before anything came back.
    static constexpr Nanos unmeasured = 1s;

private:
    /// The client's network thread answers keep-alives itself.  The game may be
    /// amid ten ticks of catching up then, before it reads what came earlier.
    static constexpr uint32_t ticks_behind_keep_alive = 12;

    struct Waiting {
        int64_t id = 0;
        Nanos sent{};
        RequestCount number = 0;
        uint16_t left_out = 0;  ///< Of its kind, between the one before and this.
        Kind kind{};
    };

    void thin_out() noexcept;
    /// The oldest that this may be the answer to; null: none.
    const Waiting* find(Kind kind, int64_t id) const noexcept;
    void reach(RequestCount number) noexcept;
    template <class Gone>
    void forget(const Gone& gone) noexcept;

    std::array<Waiting, waiting_max> waiting_{};  ///< Oldest first.
    std::array<uint32_t, samples_max> sample_us_{};
    uint32_t waiting_size_ = 0;
    uint32_t samples_ = 0;
    RequestCount requests_ = 0;
    RequestCount reached_ = 0;
    RequestCount reached_soon_ = 0;  ///< By the network thread.
    uint32_t ticks_when_soon_ = 0;
    /// Answers of each kind since the last that was known.
    std::array<uint16_t, kinds> unknown_{};
};

}  // namespace portcullis
