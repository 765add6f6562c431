#pragma once

#include <atomic>
#include <chrono>
#include <string>

#include "base/concat.h"

namespace portcullis {

/// How long a thread of the slow side has been asking its disk for one thing.
///
/// A disk that fails says so; one that hangs says nothing, and neither can the thread that
/// waits for it.  So others look.
class DiskWait {
public:
    using Clock = std::chrono::steady_clock;
    /// No disk that is well takes so long.
    static constexpr std::chrono::seconds patience{5};

    /// For as long as the disk is asked; one at a time, and only by the thread itself.
    class Asking {
    public:
        explicit Asking(DiskWait& wait) noexcept : wait_(wait) {
            wait_.since_ = Clock::now().time_since_epoch().count();
        }
        Asking(const Asking&) = delete;
        Asking& operator=(const Asking&) = delete;
        ~Asking() { wait_.since_ = 0; }

    private:
        DiskWait& wait_;
    };

    /// What is to be said of a disk that does not answer; empty, while it is not missed.
    std::string trouble(const std::string& what, Clock::time_point now = Clock::now()) const {
        const Clock::rep since = since_;
        if (since == 0) return {};
        const auto waited = now.time_since_epoch() - Clock::duration(since);
        if (waited < patience) return {};
        const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(waited);
        return concat(what, ": the disk has not answered for ", seconds.count(), " s");
    }

private:
    std::atomic<Clock::rep> since_{0};  ///< 0: it is not asked.
};

}  // namespace portcullis
