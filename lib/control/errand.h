#pragma once

#include <asio.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace portcullis::control {

/// Work that takes what it takes, since a driver is asked: on a thread of its own, one at a
/// time, and what it came to on the loop.  It may never come back; then it is left behind at
/// the end, and touches nothing of the loop any more.
class Errand {
public:
    using Said = std::vector<std::string>;

    /// `loop` lives until `end`.
    explicit Errand(asio::io_context& loop);
    Errand(const Errand&) = delete;
    Errand& operator=(const Errand&) = delete;
    /// As `end` with no time left.
    ~Errand();

    /// Not while the last one is under way.  `work` runs here, `then` on the loop.
    void run(std::function<Said()> work, std::function<void(const Said&)> then);

    /// For how long the one under way has been that; 0: none is.
    std::chrono::milliseconds under_way() const;

    /// Nothing is begun any more; waits for what is under way, no longer than until then.
    /// False: it hangs.
    bool end(std::chrono::steady_clock::time_point until) noexcept;

private:
    struct Shared;
    std::shared_ptr<Shared> shared_;  ///< Of the thread too, whichever lives longer.
};

}  // namespace portcullis::control
