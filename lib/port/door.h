#pragma once

#include <atomic>
#include <cstdint>

namespace portcullis::port {

/// Whether Workers may use a port, and by which id.  Whoever takes the device away
/// shuts the door and waits until each Worker has turned once more; then nobody is
/// inside.  A Worker looks at it once a turn.
class Door {
public:
    static constexpr int shut_id = -1;

    int id() const noexcept { return id_.load(std::memory_order_acquire); }
    bool is_open() const noexcept { return id() != shut_id; }
    /// How often it was opened: interrupts armed before the last time are gone.
    uint32_t openings() const noexcept { return openings_.load(std::memory_order_relaxed); }

    void open(uint16_t id) noexcept {
        openings_.store(openings() + 1, std::memory_order_relaxed);
        id_.store(id, std::memory_order_release);
    }
    void shut() noexcept { id_.store(shut_id, std::memory_order_release); }

private:
    std::atomic<int> id_{shut_id};
    std::atomic<uint32_t> openings_{0};
};

}  // namespace portcullis::port
