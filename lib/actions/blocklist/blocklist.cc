#include "actions/blocklist/blocklist.h"

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <nlohmann/json.hpp>
#include <utility>

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include "records/disk_wait.h"

namespace portcullis::actions {

namespace {

using Json = nlohmann::ordered_json;

/// Ends that lie closer together are the same: a flood of verdicts about one
/// address is one block.
constexpr Nanos same_end = std::chrono::seconds(10);
constexpr auto between_saves = std::chrono::milliseconds(100);
constexpr auto between_tries = std::chrono::seconds(5);

std::string line_of(const Block& block) {
    Json json = {{"prefix", to_string(block.prefix)},
                 {"until_ns", block.until.count()},
                 {"reason", block.reason}};
    if (block.by_operator) json["by_operator"] = true;
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::optional<Block> block_in(const std::string& line) {
    // Not const: a member that is missing then reads as null.
    auto json = Json::parse(line, nullptr, false);
    if (!json.is_object() || !json["prefix"].is_string() || !json["until_ns"].is_number_integer() ||
        !json["reason"].is_string()) {
        return std::nullopt;
    }
    const auto prefix = parse_prefix(json["prefix"].get<std::string>());
    if (!prefix) return std::nullopt;
    return Block{*prefix, Nanos(json["until_ns"].get<int64_t>()), json["reason"],
                 json["by_operator"] == true};
}

/// Writes all and waits until it is on the disk.  Empty, or what went wrong.
std::string write_file(const std::string& path, std::string_view text) {
    const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
    if (file < 0) return std::strerror(errno);
    std::string trouble;
    while (!text.empty() && trouble.empty()) {
        const ssize_t size = write(file, text.data(), text.size());
        if (size < 0 && errno != EINTR) trouble = std::strerror(errno);
        if (size > 0) text.remove_prefix(static_cast<size_t>(size));
    }
    if (trouble.empty() && fsync(file) != 0) trouble = std::strerror(errno);
    if (close(file) != 0 && trouble.empty()) trouble = std::strerror(errno);
    return trouble;
}

/// A new name for a file is on the disk once its directory is.  Empty, or what went wrong.
std::string sync_directory(const std::string& path) {
    const int directory = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0) return std::strerror(errno);
    std::string trouble;
    if (fsync(directory) != 0) trouble = std::strerror(errno);
    close(directory);
    return trouble;
}

}  // namespace

class Blocklist::Book {
public:
    using List = std::vector<Block>;

    explicit Book(std::string where) : path_(std::move(where)) {}

    void await_open(Opening::Clock::time_point until) {
        if (!opening_.await(until)) spdlog::error("{}", does_not_answer());
    }

    Added add(const Block& block) {
        const std::lock_guard lock(mutex_);
        const auto old = std::ranges::find(blocks_, block.prefix, &Block::prefix);
        if (old == blocks_.end()) return put(block) ? Added::new_block : Added::full;
        if (block.until <= old->until + same_end) return Added::no_news;
        const bool by_operator = old->by_operator;
        *old = block;
        old->by_operator = by_operator;
        changed();
        return Added::longer;
    }

    bool set(const Block& block) {
        const std::lock_guard lock(mutex_);
        const auto old = std::ranges::find(blocks_, block.prefix, &Block::prefix);
        if (old == blocks_.end()) return put(block);
        *old = block;
        changed();
        return true;
    }

    bool has_room_for_operator(const IpPrefix& prefix) const {
        const std::lock_guard lock(mutex_);
        return blocks_.size() < blocks_max ||
               std::ranges::find(blocks_, prefix, &Block::prefix) != blocks_.end() ||
               !std::ranges::all_of(blocks_, &Block::by_operator);
    }

    void shift(Nanos step) {
        const std::lock_guard lock(mutex_);
        for (Block& block : blocks_) block.until += step;
        if (!read_) shifted_ += step;
        changed();
    }

    bool remove(const IpPrefix& prefix) {
        {
            const std::lock_guard lock(mutex_);
            if (!read_ && unblocked_.size() < blocks_max) {
                unblocked_.push_back(prefix);
                changed();
            }
        }
        return erase_if([&](const Block& block) { return block.prefix == prefix; });
    }

    bool erase_if(const auto& unwanted) {
        const std::lock_guard lock(mutex_);
        if (std::erase_if(blocks_, unwanted) == 0) return false;
        changed();
        return true;
    }

    uint64_t changes() const {
        const std::lock_guard lock(mutex_);
        return changes_;
    }

    uint64_t saved() const {
        const std::lock_guard lock(mutex_);
        return saved_;
    }

    List blocks() const {
        const std::lock_guard lock(mutex_);
        return blocks_;
    }

    bool take_read() {
        const std::lock_guard lock(mutex_);
        return std::exchange(read_untold_, false);
    }

    std::vector<IpPrefix> take_displaced() {
        const std::lock_guard lock(mutex_);
        return std::exchange(displaced_, {});
    }

    Standing standing() const {
        if (!opening_.has_ended()) return {false, does_not_answer()};
        const std::string hangs = disk_.trouble("block list " + path_);
        if (!hangs.empty()) return {false, hangs};
        const std::lock_guard lock(mutex_);
        if (!trouble_.empty()) return {false, trouble_};
        if (!damage_.empty()) return {false, damage_};
        if (blocks_.size() < blocks_max) return {};
        return {false, "the block list is full with " + std::to_string(blocks_max) +
                           " blocks: those of verdicts that end first give way to new ones"};
    }

    void serve_until_ended() {
        if (read_until_ended()) save_when_changed();
        const std::lock_guard lock(mutex_);
        has_ended_ = true;
        ended_.notify_one();
    }

    /// False: it is stuck on the disk.
    bool end(std::chrono::milliseconds limit) {
        std::unique_lock lock(mutex_);
        ending_ = true;
        work_.notify_one();
        return ended_.wait_for(lock, limit, [this] { return has_ended_; });
    }

private:
    std::string path_of_damaged() const { return path_ + ".damaged"; }

    std::string does_not_answer() const {
        return "block list " + path_ +
               " does not answer since the start: blocks of earlier runs do not hold until it does";
    }

    /// What an earlier run left.
    struct Left {
        List blocks;
        std::string damage;  ///< Of the first line that is none.
        std::string fault;   ///< Why this user may not read it.
    };

    /// False at the end.  What was not read is not written over.
    bool read_until_ended() {
        while (true) {
            const Left left = read();
            const std::string damage = left.damage.empty() ? "" : keep_damaged(left);
            std::unique_lock lock(mutex_);
            trouble_ = left.fault;
            damage_ = damage;
            if (left.fault.empty()) take_over(left.blocks);
            lock.unlock();
            const bool late = opening_.ended(left.fault);
            if (late) spdlog::info("block list {}: {} blocks read", path_, left.blocks.size());
            if (left.fault.empty()) return true;
            lock.lock();
            if (work_.wait_for(lock, between_tries, [this] { return ending_; })) return false;
        }
    }

    /// Lines that can be read hold, whatever stands beside them.
    Left read() const {
        Left left;
        errno = 0;
        std::ifstream file(path_);
        if (!file && (errno == ENOENT || errno == ENOTDIR)) return left;
        if (!file && (errno == EACCES || errno == EPERM)) {
            left.fault = "block list " + path_ + " cannot be read: " + std::strerror(errno) +
                         "; make it readable for this user";
            return left;
        }
        std::string line;
        for (size_t number = 1; std::getline(file, line); ++number) {
            if (const auto block = block_in(line)) {
                left.blocks.push_back(*block);
            } else if (left.damage.empty()) {
                left.damage = "line " + std::to_string(number) + " is no entry";
            }
        }
        if (!file.eof() && left.damage.empty()) left.damage = std::strerror(errno);
        return left;
    }

    /// What was said meanwhile holds: an operator's word, and of others the longer block.
    void take_over(const List& left) {
        const List meanwhile = blocks_;
        for (Block block : left) {
            block.until += shifted_;
            if (std::ranges::find(unblocked_, block.prefix) != unblocked_.end()) continue;
            const bool known =
                std::ranges::find(meanwhile, block.prefix, &Block::prefix) != meanwhile.end();
            if (known) {
                lengthen(block);
            } else if (blocks_.size() < blocks_max) {
                blocks_.push_back(block);
            } else {
                (void)put(block);
            }
        }
        unblocked_.clear();
        read_ = read_untold_ = true;
    }

    void lengthen(const Block& block) {
        const auto mine = std::ranges::find(blocks_, block.prefix, &Block::prefix);
        if (mine == blocks_.end() || mine->by_operator) return;
        const Nanos until = std::max(mine->until, block.until);
        if (block.by_operator || until > mine->until) *mine = block;
        mine->until = until;
    }

    /// What is saved next would end it.  What is to be said of it.
    std::string keep_damaged(const Left& left) const {
        const std::string aside = path_of_damaged();
        unlink(aside.c_str());
        const bool kept = link(path_.c_str(), aside.c_str()) == 0;
        std::string said =
            "block list " + path_ + " was damaged (" + left.damage + "); " +
            std::to_string(left.blocks.size()) + " blocks of it hold" +
            (kept ? "; it is kept as " + aside + ", remove that to end this message" : "");
        spdlog::error("{}", said);
        return said;
    }

    void changed() {
        ++changes_;
        work_.notify_one();
    }

    /// As a new one.  False when it finds no room.
    bool put(const Block& block) {
        if (blocks_.size() >= blocks_max && !make_room(block)) return false;
        blocks_.push_back(block);
        changed();
        return true;
    }

    bool make_room(const Block& block) {
        const auto sooner = [](const Block& a, const Block& b) {
            return a.by_operator == b.by_operator ? a.until < b.until : b.by_operator;
        };
        const auto first = std::ranges::min_element(blocks_, sooner);
        if (first->by_operator || (!block.by_operator && block.until <= first->until)) return false;
        displaced_.push_back(first->prefix);
        *first = blocks_.back();
        blocks_.pop_back();
        return true;
    }

    void save_when_changed() {
        std::unique_lock lock(mutex_);
        const auto ending = [this] { return ending_; };
        while (true) {
            const auto something = [this] { return saved_ < changes_ || ending_; };
            if (damage_.empty()) work_.wait(lock, something);
            if (!damage_.empty()) work_.wait_for(lock, between_tries, something);
            if (saved_ < changes_) {
                const std::string trouble = save(lock);
                if (!trouble.empty() && ending_) return;
                // Many blocks at once are one file; a broken disk is not asked all the time.
                if (trouble.empty()) work_.wait_for(lock, between_saves, ending);
                if (!trouble.empty()) work_.wait_for(lock, between_tries, ending);
            } else if (ending_) {
                return;
            }
            if (!damage_.empty()) look_for_damaged(lock);
        }
    }

    /// Said until somebody has taken it away.
    void look_for_damaged(std::unique_lock<std::mutex>& lock) {
        lock.unlock();
        std::error_code failed;
        const bool there = std::filesystem::exists(path_of_damaged(), failed) || failed;
        lock.lock();
        if (!there) damage_.clear();
    }

    std::string save(std::unique_lock<std::mutex>& lock) {
        const uint64_t change = changes_;
        const List copy = blocks_;
        lock.unlock();
        const std::string trouble = write(copy);
        lock.lock();
        if (trouble.empty()) {
            saved_ = change;
        } else if (trouble_.empty()) {
            spdlog::error("{}", trouble);
        }
        trouble_ = trouble;
        return trouble;
    }

    std::string write(const List& blocks) {
        const DiskWait::Asking asking(disk_);
        std::string text;
        for (const Block& block : blocks) text += line_of(block) + '\n';
        const std::string fresh = path_ + ".new";
        const std::filesystem::path directory = std::filesystem::path(path_).parent_path();
        std::error_code error;
        std::filesystem::create_directories(directory, error);
        std::string trouble = write_file(fresh, text);
        if (trouble.empty() && rename(fresh.c_str(), path_.c_str()) != 0)
            trouble = std::strerror(errno);
        if (trouble.empty()) trouble = sync_directory(directory.empty() ? "." : directory);
        if (trouble.empty()) return {};
        return "block list " + path_ + " cannot be saved: " + trouble +
               "; blocks hold, but would not survive a restart";
    }

    const std::string path_;
    /// Never held while the disk is asked for something.
    mutable std::mutex mutex_;
    std::condition_variable work_, ended_;
    List blocks_;
    std::vector<IpPrefix> displaced_;
    uint64_t changes_ = 0, saved_ = 0;
    bool ending_ = false, has_ended_ = false;
    std::string trouble_;
    std::string damage_;  ///< Of the file that an earlier run left.
    // For as long as that is not read:
    std::vector<IpPrefix> unblocked_;
    Nanos shifted_{};
    bool read_ = false, read_untold_ = false;
    Opening opening_;
    DiskWait disk_;
};

Blocklist::Blocklist(Opening::Later, std::string path)
    : book_(std::make_shared<Book>(std::move(path))),
      thread_([book = book_] { book->serve_until_ended(); }) {}
Blocklist::Blocklist(std::string path) : Blocklist(Opening::later, std::move(path)) {
    await_open(Opening::deadline());
}

Blocklist::~Blocklist() { finish(std::chrono::seconds(1)); }

void Blocklist::finish(std::chrono::milliseconds limit) noexcept {
    if (!thread_.joinable()) return;
    if (book_->end(limit)) return thread_.join();
    spdlog::error("the block list could not be saved: its disk does not answer");
    thread_.detach();
}

void Blocklist::await_open(Opening::Clock::time_point until) { book_->await_open(until); }
bool Blocklist::take_read() { return book_->take_read(); }
Blocklist::Added Blocklist::add(const Block& block) { return book_->add(block); }
bool Blocklist::set(const Block& block) { return book_->set(block); }
bool Blocklist::has_room_for_operator(const IpPrefix& prefix) const {
    return book_->has_room_for_operator(prefix);
}
bool Blocklist::remove(const IpPrefix& prefix) { return book_->remove(prefix); }
void Blocklist::shift(Nanos step) { book_->shift(step); }
void Blocklist::expire(Nanos now) {
    (void)book_->erase_if([now](const Block& block) { return block.until <= now; });
}
uint64_t Blocklist::changes() const { return book_->changes(); }
uint64_t Blocklist::saved() const { return book_->saved(); }
std::vector<Block> Blocklist::blocks() const { return book_->blocks(); }
std::vector<IpPrefix> Blocklist::take_displaced() { return book_->take_displaced(); }
Standing Blocklist::standing() const { return book_->standing(); }

}  // namespace portcullis::actions
