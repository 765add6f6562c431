#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "actions/report.h"
#include "base/ip.h"
#include "base/time.h"

namespace portcullis::actions {

struct Block {
    IpPrefix prefix;
    Nanos until{};
    std::string reason;
};

/// Who stays out, and until when, so that a restart does not let him in.
///
/// Kept in one small file, replaced whole by a thread of its own: neither
/// Control nor another action waits for that disk.  What Workers do about a
/// block is theirs; this only remembers.
class Blocklist {
public:
    static constexpr size_t blocks_max = 10'000;

    /// Reads what an earlier run left.  Throws SetupError: there, but unreadable
    /// or damaged.
    explicit Blocklist(std::string path);
    Blocklist(const Blocklist&) = delete;
    Blocklist& operator=(const Blocklist&) = delete;
    /// Saves what changed.
    ~Blocklist();

    enum class Added : uint8_t {
        new_block,
        longer,   ///< Was blocked, now until later.
        no_news,  ///< Was blocked as long, within a few seconds.
        full,
    };
    Added add(const Block& block);
    /// As an operator says, also when that is shorter.  False when full.
    bool set(const Block& block);
    /// False when it was not blocked.
    bool remove(const IpPrefix& prefix);
    /// Forgets what ended before `now`.
    void expire(Nanos now);

    std::vector<Block> blocks() const;
    Standing standing() const;

private:
    void read();
    /// In place of `old`, or as a new one.
    void put(std::vector<Block>::iterator old, const Block& block);
    void save_when_changed();
    std::string save(const std::vector<Block>& blocks) const;

    const std::string path_;
    mutable std::mutex mutex_;
    std::condition_variable work_;
    std::vector<Block> blocks_;
    bool changed_ = false, ending_ = false;
    std::string trouble_;
    std::thread thread_;  ///< Last: it uses all of the above.
};

}  // namespace portcullis::actions
