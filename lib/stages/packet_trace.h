#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "base/inline_text.h"
#include "base/time.h"
#include "packet/ring.h"
#include "policy/packet_wishes.h"
#include "records/record.h"
#include "stages/packet_observer.h"

namespace portcullis::stages {

class Count;

/// Tells Control of decoded packets that somebody wants to see: `logging.packets`,
/// `logging.trace_players`, `ctl trace`.
///
/// While nobody does, it costs a Worker one question a burst.  Else packets become plain
/// records with their fields as text of a bounded size, at most as many a second as
/// Control would write; what goes beyond, or finds no room in the ring, is counted.
class PacketTrace final : public PacketObserver {
public:
    static constexpr size_t followed_max = 16;  ///< By order, at a time.

    PacketTrace(Ring<verdicts::PacketRecord>& out, Count& lost) noexcept : out_(out), lost_(lost) {}

    /// Before each burst.
    void begin(const policy::PacketWishes& wishes, Nanos now) noexcept {
        wishes_ = &wishes;
        on_ = wishes.any() || followed_size_ > 0;
        if (on_) refill(now);
    }
    void obey(const verdicts::Order& order, Nanos now) noexcept;

    bool on() const noexcept { return on_; }
    /// Whether this player's next packets may be wanted; they are told after it.  `player`
    /// may be empty.
    bool follow(std::string_view player) noexcept;

    void on_packet(const Flow& flow, const minecraft::Frame& frame, Nanos now) noexcept override;
    void on_message(const Flow& flow, const ToldMessage& message, Nanos now) noexcept override;

private:
    struct Followed {
        InlineText<32> player;
        Nanos until{};
    };

    void refill(Nanos now) noexcept;
    bool take_token() noexcept;
    void tell(const Flow& flow, protocol::Direction direction, std::string_view state,
              std::string_view name, Nanos now) noexcept;
    void send() noexcept;

    Ring<verdicts::PacketRecord>& out_;
    Count& lost_;
    const policy::PacketWishes* wishes_ = nullptr;
    std::array<Followed, followed_max> followed_;
    size_t followed_size_ = 0;
    bool on_ = false;
    bool whole_ = false;  ///< Of who is told of now, every packet is wanted.
    Nanos now_{};
    double tokens_ = 0;
    verdicts::PacketRecord record_;  ///< Being written.
};

}  // namespace portcullis::stages
