#include "actions/blocklist/blocklist.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include "base/setup_error.h"

namespace portcullis::actions {

namespace {

using Json = nlohmann::ordered_json;

/// Ends that lie closer together are the same: a flood of verdicts about one
/// address is one block.
constexpr Nanos same_end = std::chrono::seconds(10);
constexpr auto between_saves = std::chrono::milliseconds(100);
constexpr auto between_tries = std::chrono::seconds(5);

std::string line_of(const Block& block) {
    return Json{{"prefix", to_string(block.prefix)},
                {"until_ns", block.until.count()},
                {"reason", block.reason}}
        .dump(-1, ' ', false, Json::error_handler_t::replace);
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
    return Block{*prefix, Nanos(json["until_ns"].get<int64_t>()), json["reason"]};
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

}  // namespace

Blocklist::Blocklist(std::string path) : path_(std::move(path)) {
    read();
    thread_ = std::thread([this] { save_when_changed(); });
}

Blocklist::~Blocklist() {
    {
        const std::lock_guard lock(mutex_);
        ending_ = true;
    }
    work_.notify_one();
    thread_.join();
}

void Blocklist::read() {
    std::error_code error;
    if (!std::filesystem::exists(path_, error)) return;
    std::ifstream file(path_);
    std::string line;
    size_t number = 0;
    while (std::getline(file, line)) {
        ++number;
        const auto block = block_in(line);
        if (!block) {
            throw SetupError(path_ + ":" + std::to_string(number) +
                             ": not an entry of a block list; mend the line or remove the file");
        }
        blocks_.push_back(*block);
    }
    if (!file.eof()) {
        throw SetupError("block list " + path_ + " cannot be read: " + std::strerror(errno) +
                         "; make it readable for this user");
    }
}

Blocklist::Added Blocklist::add(const Block& block) {
    const std::lock_guard lock(mutex_);
    const auto old = std::ranges::find(blocks_, block.prefix, &Block::prefix);
    if (old != blocks_.end() && block.until <= old->until + same_end) return Added::no_news;
    if (old == blocks_.end() && blocks_.size() == blocks_max) return Added::full;
    const Added added = old == blocks_.end() ? Added::new_block : Added::longer;
    put(old, block);
    return added;
}

bool Blocklist::set(const Block& block) {
    const std::lock_guard lock(mutex_);
    const auto old = std::ranges::find(blocks_, block.prefix, &Block::prefix);
    if (old == blocks_.end() && blocks_.size() == blocks_max) return false;
    put(old, block);
    return true;
}

void Blocklist::put(std::vector<Block>::iterator old, const Block& block) {
    if (old != blocks_.end()) {
        *old = block;
    } else {
        blocks_.push_back(block);
    }
    changed_ = true;
    work_.notify_one();
}

bool Blocklist::remove(const IpPrefix& prefix) {
    const std::lock_guard lock(mutex_);
    const bool there = std::erase_if(blocks_, [&](const Block& b) { return b.prefix == prefix; });
    if (!there) return false;
    changed_ = true;
    work_.notify_one();
    return true;
}

void Blocklist::expire(Nanos now) {
    const std::lock_guard lock(mutex_);
    if (std::erase_if(blocks_, [&](const Block& b) { return b.until <= now; }) == 0) return;
    changed_ = true;
    work_.notify_one();
}

std::vector<Block> Blocklist::blocks() const {
    const std::lock_guard lock(mutex_);
    return blocks_;
}

Standing Blocklist::standing() const {
    const std::lock_guard lock(mutex_);
    return {trouble_.empty(), trouble_};
}

void Blocklist::save_when_changed() {
    std::unique_lock lock(mutex_);
    while (true) {
        work_.wait(lock, [this] { return changed_ || ending_; });
        if (!changed_) return;
        changed_ = false;
        const std::vector<Block> copy = blocks_;
        lock.unlock();
        const std::string trouble = save(copy);
        lock.lock();
        if (!trouble.empty()) {
            if (trouble_.empty()) spdlog::error("{}", trouble);
            if (ending_) return;
            changed_ = true;
        }
        trouble_ = trouble;
        // Many blocks at once are one file; a broken disk is not asked all the time.
        const auto ending = [this] { return ending_; };
        if (trouble.empty()) {
            work_.wait_for(lock, between_saves, ending);
        } else {
            work_.wait_for(lock, between_tries, ending);
        }
    }
}

std::string Blocklist::save(const std::vector<Block>& blocks) const {
    std::string text;
    for (const Block& block : blocks) text += line_of(block) + '\n';
    const std::string fresh = path_ + ".new";
    std::error_code error;
    std::filesystem::create_directories(std::filesystem::path(path_).parent_path(), error);
    std::string trouble = write_file(fresh, text);
    if (trouble.empty() && rename(fresh.c_str(), path_.c_str()) != 0)
        trouble = std::strerror(errno);
    if (trouble.empty()) return {};
    return "block list " + path_ + " cannot be saved: " + trouble +
           "; blocks hold, but would not survive a restart";
}

}  // namespace portcullis::actions
