#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "actions/report.h"
#include "base/ip.h"
#include "base/time.h"
#include "records/opening.h"

namespace portcullis::actions {

struct Block {
    IpPrefix prefix;
    Nanos until{};
    std::string reason;
    bool by_operator = false;
};

/// Who stays out, and until when, so that a restart does not let him in.
///
/// Kept in one small file, replaced whole by a thread of its own: neither
/// Control nor another action waits for that disk.  What Workers do about a
/// block is theirs; this only remembers.
///
/// When full, the block that ends first gives way, but no operator's.
class Blocklist {
public:
    static constexpr size_t blocks_max = 10'000;

    /// Reads what an earlier run left.  What cannot be read of it is kept in a file
    /// beside, and said.  Throws SetupError: this user may not read it.  From a disk that does
    /// not answer within Opening::patience it is read once that does, and what was said
    /// meanwhile holds.
    explicit Blocklist(std::string path);
    /// The same, but begins only.
    Blocklist(Opening::Later, std::string path);
    Blocklist(const Blocklist&) = delete;
    Blocklist& operator=(const Blocklist&) = delete;
    /// As `finish` with one second.
    ~Blocklist();

    /// Waits until it is read, no longer than until then.  Throws as the constructor does.
    void await_open(Opening::Clock::time_point until);

    enum class Added : uint8_t {
        new_block,
        longer,   ///< Was blocked, now until later.
        no_news,  ///< Was blocked as long, within a few seconds.
        full,     ///< And all others hold longer, or are operators'.
    };
    Added add(const Block& block);
    /// As an operator says, also when that is shorter.  False when full of operators' blocks.
    [[nodiscard]] bool set(const Block& block);
    bool has_room_for_operator(const IpPrefix& prefix) const;
    /// False when it was not blocked.
    bool remove(const IpPrefix& prefix);
    /// The wall clock was set by `step`: all blocks last as long as before.
    void shift(Nanos step);
    /// Forgets what ended before `now`.
    void expire(Nanos now);

    /// How many changes there were; and up to which of them the disk has, so that they
    /// outlive a crash and a loss of power.
    uint64_t changes() const;
    uint64_t saved() const;

    std::vector<Block> blocks() const;
    /// Once, after what an earlier run left was read: Workers do not know of it yet.
    bool take_read();
    /// Which gave way to others since the last call.
    std::vector<IpPrefix> take_displaced();
    Standing standing() const;

    /// Saves what changed and returns within `limit`, with a disk that hangs too.
    /// Nothing may be added afterwards.
    void finish(std::chrono::milliseconds limit) noexcept;

private:
    class Book;
    std::shared_ptr<Book> book_;  ///< Of the thread too, which may be stuck on the disk for ever.
    std::thread thread_;
};

}  // namespace portcullis::actions
