#include "control/errand.h"

#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

namespace portcullis::control {

using Clock = std::chrono::steady_clock;

struct Errand::Shared {
    explicit Shared(asio::io_context& of) : loop(of) {}

    void serve() {
        std::unique_lock lock(mutex);
        while (true) {
            changed.wait(lock, [this] { return work || ending; });
            if (ending) break;
            const auto task = std::exchange(work, {});
            lock.unlock();
            Said said = task();
            lock.lock();
            since.reset();
            // The loop lives, since nobody has ended this.
            if (!ending) {
                asio::post(loop, [done = std::move(then), all = std::move(said)] { done(all); });
            }
        }
        ended = true;
        changed.notify_all();
    }

    asio::io_context& loop;
    std::mutex mutex;
    std::condition_variable changed;
    std::function<Said()> work;
    std::function<void(const Said&)> then;
    std::optional<Clock::time_point> since;
    bool ending = false, ended = false;
};

Errand::Errand(asio::io_context& loop) : shared_(std::make_shared<Shared>(loop)) {
    std::thread([shared = shared_] { shared->serve(); }).detach();
}

Errand::~Errand() { (void)end(Clock::now()); }

void Errand::run(std::function<Said()> work, std::function<void(const Said&)> then) {
    {
        const std::lock_guard lock(shared_->mutex);
        if (shared_->since || shared_->ending) return;
        shared_->since = Clock::now();
        shared_->work = std::move(work);
        shared_->then = std::move(then);
    }
    shared_->changed.notify_all();
}

std::chrono::milliseconds Errand::under_way() const {
    const std::lock_guard lock(shared_->mutex);
    if (!shared_->since) return {};
    return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - *shared_->since);
}

bool Errand::end(Clock::time_point until) noexcept {
    std::unique_lock lock(shared_->mutex);
    shared_->ending = true;
    shared_->changed.notify_all();
    return shared_->changed.wait_until(lock, until, [this] { return shared_->ended; });
}

}  // namespace portcullis::control
