// Goal: a Worker allocates nothing once it is made, whatever comes.
// Method: every operator new of the process is counted while captures of real sessions (logins,
// play, a cheat and its kick; Shadowland sealed and plain, with its keys) go through the whole
// pipeline; the frames are read beforehand.
#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <new>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "pipeline/replay.h"
#include "policy/rule_set.h"

namespace {

bool counting = false;
uint64_t allocations = 0;

void* allocate(size_t size, size_t alignment) {
    if (counting) ++allocations;
    void* const memory =
        std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
    if (memory == nullptr) throw std::bad_alloc();
    return memory;
}

}  // namespace

void* operator new(size_t size) { return allocate(size, alignof(std::max_align_t)); }
void* operator new[](size_t size) { return allocate(size, alignof(std::max_align_t)); }
void* operator new(size_t size, std::align_val_t a) { return allocate(size, size_t(a)); }
void* operator new[](size_t size, std::align_val_t a) { return allocate(size, size_t(a)); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, size_t, std::align_val_t) noexcept { std::free(memory); }
void operator delete[](void* memory, size_t, std::align_val_t) noexcept { std::free(memory); }

namespace portcullis::pipeline {
namespace {

struct Frame {
    Nanos time;
    uint32_t original_size;
    std::vector<std::byte> bytes;
};

std::string source() {
    const char* folder = std::getenv("PORTCULLIS_SOURCE");
    return folder == nullptr ? "." : folder;
}

/// The captures that come with the source, and those beside it when they are there.
std::vector<std::string> captures() {
    std::vector<std::string> found = {source() + "/tests/data/inspect/not_finite.pcap"};
    for (const char* name : {"1.16.5-mixed-20bots.pcap", "1.8.8-cheat-zipbomb.pcap",
                             "1.21.4-cheat-jndi.pcap", "1.20.4-legit-walk-encrypted.pcap"}) {
        const std::string path = source() + "/../shared/captures/minecraft/" + name;
        if (std::filesystem::exists(path)) found.push_back(path);
    }
    return found;
}

std::vector<Frame> read(const std::string& path) {
    std::vector<Frame> frames;
    CaptureReader reader(path);
    while (const auto frame = reader.next()) {
        frames.push_back({frame->time, frame->original_size,
                          std::vector<std::byte>(frame->bytes.begin(), frame->bytes.end())});
    }
    return frames;
}

std::array<std::byte, 32> from_hex(const std::string& text) {
    std::array<std::byte, 32> bytes{};
    for (size_t i = 0; i < bytes.size(); ++i) {
        bytes[i] = static_cast<std::byte>(std::stoul(text.substr(2 * i, 2), nullptr, 16));
    }
    return bytes;
}

/// The session keys beside a capture of Shadowland.
std::vector<keys::Key> keys_of(const std::string& path) {
    std::vector<keys::Key> keys;
    std::ifstream file(path.substr(0, path.size() - 5) + ".keys.json");
    if (!file) return keys;
    const nlohmann::json all = nlohmann::json::parse(file);
    for (const auto& session : all["sessions"]) {
        if (!session.contains("epochs")) continue;
        for (const auto& epoch : session["epochs"]) {
            keys.emplace_back(keys::ShadowlandKey{
                *parse_endpoint(session["client"].get<std::string>()),
                *parse_endpoint("10.88.0.2:3565"), session["connection_id"], epoch["epoch"],
                from_hex(epoch["c2s"]), from_hex(epoch["s2c"])});
        }
    }
    return keys;
}

class Worker_ : public testing::Test {
protected:
    Worker_() {
        config_.limits.flows = config_.limits.half_open = 4096;
        config_.limits.players = 64;
        rules_ = policy::RuleSet::compile(config_);
    }
    void allocates_nothing(const std::string& path) {
        const std::vector<Frame> frames = read(path);
        const std::vector<keys::Key> keys = keys_of(path);
        uint64_t records = 0;
        Replay replay({config_, read_pipeline(source() + "/pipelines/inspect/inline.yaml"), rules_,
                       wire_, nullptr, nullptr,
                       [&records](const verdicts::VerdictRecord&) { ++records; }, keys});
        allocations = 0;
        counting = true;
        for (const Frame& frame : frames) {
            replay.feed({frame.time, frame.original_size, frame.bytes});
        }
        replay.finish();
        counting = false;
        std::cout << path << ": " << frames.size() << " packets, " << records << " records, "
                  << allocations << " allocations\n";
        EXPECT_GT(records, 0u);
        EXPECT_EQ(allocations, 0u);
    }

private:
    config::Config config_ = config::offline({});
    std::shared_ptr<const policy::RuleSet> rules_;
    ReplayWire wire_;
};

TEST_F(Worker_, AllocatesNothing) {
    for (const std::string& path : captures()) allocates_nothing(path);
}

TEST_F(Worker_, AllocatesNothingForShadowland) {
    for (const char* name : {"legit-enc-1-compressed-fragments", "legit-plain-1-blink"}) {
        allocates_nothing(source() + "/tests/data/shadowland/" + name + ".pcap");
    }
    for (const char* name : {"mixed-30-enc", "attack-fragments-flood", "legit-enc-2-rekey-twice"}) {
        const std::string path = source() + "/../shared/captures/shadowland/" + name + ".pcap";
        if (std::filesystem::exists(path)) allocates_nothing(path);
    }
}

}  // namespace
}  // namespace portcullis::pipeline

int main(int argc, char** argv) {
    testing::InitGoogleTest(&argc, argv);
    const portcullis::port::Eal eal(portcullis::pipeline::offline_eal());
    return RUN_ALL_TESTS();
}
