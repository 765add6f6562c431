#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <filesystem>
#include <mutex>
#include <string>
#include <utility>

#include <sys/syscall.h>
#include <unistd.h>

namespace portcullis::actions {

/// A disk whose every `fsync` of a file with `of` in its path is seen, and waits while it is
/// held.  One at a time, and in one source of a program alone: it takes the place of the
/// system's own `fsync`.
class SlowDisk {
public:
    explicit SlowDisk(std::string of) {
        const std::lock_guard lock(state().mutex);
        state().of = std::move(of);
        state().asked = 0;
    }
    SlowDisk(const SlowDisk&) = delete;
    SlowDisk& operator=(const SlowDisk&) = delete;
    ~SlowDisk() {
        hold(false);
        const std::lock_guard lock(state().mutex);
        state().of.clear();
    }

    void hold() { hold(true); }
    void let_go() { hold(false); }

    size_t asked() const {
        const std::lock_guard lock(state().mutex);
        return state().asked;
    }
    bool last_was_directory() const {
        const std::lock_guard lock(state().mutex);
        return state().directory;
    }
    /// False after ten seconds.
    bool wait_for_asked(size_t times) {
        std::unique_lock lock(state().mutex);
        return state().changed.wait_for(lock, std::chrono::seconds(10),
                                        [&] { return state().asked >= times; });
    }

    static void on_fsync(int file) {
        std::error_code unknown;
        const auto link = "/proc/self/fd/" + std::to_string(file);
        const auto path = std::filesystem::read_symlink(link, unknown);
        State& disk = state();
        std::unique_lock lock(disk.mutex);
        if (disk.of.empty() || !path.string().contains(disk.of)) return;
        ++disk.asked;
        disk.directory = std::filesystem::is_directory(path, unknown);
        disk.changed.notify_all();
        disk.changed.wait(lock, [&] { return !disk.held; });
    }

private:
    /// Never destroyed: a thread that was left behind may still be in it.
    struct State {
        std::mutex mutex;
        std::condition_variable changed;
        std::string of;
        size_t asked = 0;
        bool held = false, directory = false;
    };
    static State& state() {
        static State& disk = *new State;
        return disk;
    }

    static void hold(bool held) {
        const std::lock_guard lock(state().mutex);
        state().held = held;
        state().changed.notify_all();
    }
};

}  // namespace portcullis::actions

extern "C" int fsync(int file) {
    portcullis::actions::SlowDisk::on_fsync(file);
    return static_cast<int>(syscall(SYS_fsync, file));
}
