// Goal: a Worker allocates nothing once it is made, whatever comes.
// Method: every malloc and operator new of the process, the cryptographic library's too, is
// counted while captures of real sessions (logins, play, a cheat and its kick, sealed packets,
// cookies) go through the whole pipeline; the frames are read beforehand.
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

#include "keys/parse.h"
#include "pipeline/replay.h"
#include "policy/rule_set.h"

namespace {

bool counting = false;
uint64_t allocations = 0;

void count() {
    if (counting) ++allocations;
}

void* allocate(size_t size, size_t alignment) {
    count();
    void* const memory =
        std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
    if (memory == nullptr) throw std::bad_alloc();
    return memory;
}

}  // namespace

#ifdef __GLIBC__
// In the place of the library's own, which it still has under these names.
extern "C" {
void* __libc_malloc(size_t size);
void* __libc_calloc(size_t count, size_t size);
void* __libc_realloc(void* memory, size_t size);
void* malloc(size_t size) {
    count();
    return __libc_malloc(size);
}
void* calloc(size_t number, size_t size) {
    count();
    return __libc_calloc(number, size);
}
void* realloc(void* memory, size_t size) {
    count();
    return __libc_realloc(memory, size);
}
}
#endif

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
    for (const char* name : {"attack-cookie-forged", "attack-fragments-timeout",
                             "attack-heartbeat-missing", "cheat-cooldown"}) {
        found.push_back(source() + "/tests/data/shadowland/" + name + ".pcap");
    }
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

/// The keys of a Shadowland capture, as a key feed gives them.
std::vector<keys::Key> keys_beside(const std::string& path) {
    const std::string beside = path.substr(0, path.size() - 5) + ".keys.json";
    std::vector<keys::Key> found;
    std::ifstream file(beside);
    if (!file) return found;
    using nlohmann::json;
    const json all = json::parse(file);
    const json server = "10.88.0.2:3565";
    const auto add = [&](json line) {
        line["protocol"] = "shadowland";
        line["server"] = server;
        const auto key = keys::parse(line.dump());
        ASSERT_TRUE(key) << key.error();
        found.push_back(*key);
    };
    add({{"cookie_secret", all["cookie_secret"]}, {"integrity_secret", all["integrity_secret"]}});
    for (const json& session : all["sessions"]) {
        for (const json& epoch : session.value("epochs", json::array())) {
            add({{"client", session["client"]},
                 {"connection_id", session["connection_id"]},
                 {"epoch", epoch["epoch"]},
                 {"c2s", epoch["c2s"]},
                 {"s2c", epoch["s2c"]}});
        }
    }
    return found;
}

TEST(Worker, AllocatesNothing) {
    const config::Config config = [] {
        config::Config c = config::offline({});
        c.limits.flows = c.limits.half_open = 4096;
        c.limits.players = 64;
        c.verdict_log.evidence = {.from = policy::Action::log};
        return c;
    }();
    const std::shared_ptr<const policy::RuleSet> rules = policy::RuleSet::compile(config);
    ReplayWire wire;
    for (const std::string& path : captures()) {
        const std::vector<Frame> frames = read(path);
        const std::vector<keys::Key> keys = keys_beside(path);
        uint64_t records = 0;
        Replay replay({config, read_pipeline(source() + "/pipelines/inspect/inline.yaml"), rules,
                       wire, nullptr, nullptr,
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
}

}  // namespace
}  // namespace portcullis::pipeline

int main(int argc, char** argv) {
    testing::InitGoogleTest(&argc, argv);
    const portcullis::port::Eal eal(portcullis::pipeline::offline_eal());
    return RUN_ALL_TESTS();
}
