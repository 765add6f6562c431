// Goal: what no stage dislikes leaves a replay as it came: every frame, byte for byte, in order,
// with its time and its size on the wire, whatever it is.
// Method: captures of odd frames through a Worker without stages and through the whole pipeline.
#include "pipeline/replay.h"

#include <cstdlib>
#include <iostream>
#include <random>

#include <gtest/gtest.h>

#include "base/setup_error.h"
#include "pipeline/testing/folder.h"
#include "policy/rule_set.h"

namespace portcullis::pipeline {
namespace {

constexpr unsigned seed = 20261120;

struct Frame {
    Nanos time{};
    uint32_t original_size = 0;
    std::string bytes;
    bool operator==(const Frame&) const = default;
};
void PrintTo(const Frame& frame, std::ostream* out) {
    *out << frame.bytes.size() << " of " << frame.original_size << " bytes at "
         << frame.time.count();
}

/// Frames of all sizes and kinds: no IP, cut short, jumbo, glued together by offloading.
std::vector<Frame> odd_frames() {
    std::cout << "seed " << seed << "\n";
    std::mt19937 random(seed);
    constexpr size_t sizes[] = {0,    1,    13,    14,    15,    33,    54,    60,    64,
                                1514, 1518, 2047,  2048,  2049,  2175,  2176,  2177,  4000,
                                9018, 9216, 32768, 65000, 65407, 65408, 65535, 65550, 70000};
    std::vector<Frame> frames;
    Nanos time(1'700'000'000'000'000'000);
    for (int round = 0; round < 20; ++round) {
        for (size_t size : sizes) {
            Frame frame;
            frame.bytes.resize(size);
            for (char& c : frame.bytes) c = static_cast<char>(random());
            if (size > 14) {
                // Some look like IP, most of those broken.
                const auto type =
                    std::array<uint16_t, 4>{0x0008, 0xdd86, 0x0608, 0xcc88}[random() % 4];
                std::memcpy(frame.bytes.data() + 12, &type, 2);
            }
            frame.original_size = static_cast<uint32_t>(size + (random() % 3 == 0 ? 500 : 0));
            time += Nanos(random() % 4 == 0 ? random() % 2'000'000'000 : random() % 50'000);
            frame.time = time;
            if (random() % 30 == 0) frame.time -= 1ms;  // Captures are not always in order.
            frames.push_back(std::move(frame));
        }
    }
    return frames;
}

/// Says which frame is the first that differs, not all of them.
void expect_same(const std::vector<Frame>& left, const std::vector<Frame>& frames) {
    EXPECT_EQ(left.size(), frames.size());
    for (size_t i = 0; i < std::min(left.size(), frames.size()); ++i) {
        ASSERT_EQ(left[i], frames[i]) << "frame " << i;
    }
}

class ReplayTest : public testing::Test {
protected:
    std::vector<Frame> replay(const std::vector<Frame>& frames, const std::string& pipeline) {
        std::vector<Frame> left;
        const char* source = std::getenv("PORTCULLIS_SOURCE");
        Replay replay({config_, read_pipeline(std::string(source) + "/pipelines/" + pipeline),
                       rules_, *wire_, nullptr,
                       [&](const CapturedFrame& f) {
                           left.push_back({f.time, f.original_size, std::string(as_text(f.bytes))});
                       },
                       [](const verdicts::VerdictRecord&) {}});
        for (const Frame& f : frames) replay.feed({f.time, f.original_size, as_bytes(f.bytes)});
        replay.finish();
        for (size_t i = 0; i < drop_reason_names.size(); ++i) {
            const uint64_t drops = replay.counters().wire[0].drops[i].get();
            EXPECT_EQ(drops, 0u) << drop_reason_names[i];
        }
        return left;
    }
    static void SetUpTestSuite() { wire_ = std::make_unique<ReplayWire>(); }
    static void TearDownTestSuite() { wire_.reset(); }

    static config::Config small_config() {
        config::Config config =
            config::offline({config::parse_service("minecraft@10.0.0.2:25565")});
        config.limits.flows = 1024;
        config.limits.half_open = 1024;
        config.limits.players = 16;
        return config;
    }

    static inline std::unique_ptr<ReplayWire> wire_;
    const config::Config config_ = small_config();
    const std::shared_ptr<const policy::RuleSet> rules_ = policy::RuleSet::compile(config_);
};

TEST_F(ReplayTest, CarriesOddFramesAcrossAsTheyCame) {
    const std::vector<Frame> frames = odd_frames();
    expect_same(replay(frames, "inspect/forward.yaml"), frames);
}

TEST_F(ReplayTest, CarriesWhatIsForNoServiceThroughTheWholePipeline) {
    const std::vector<Frame> frames = odd_frames();
    expect_same(replay(frames, "inspect/inline.yaml"), frames);
}

TEST_F(ReplayTest, CanBeDoneAgain) {
    const std::vector<Frame> frames = odd_frames();
    for (int i = 0; i < 5; ++i)
        EXPECT_EQ(replay(frames, "inspect/inline.yaml").size(), frames.size());
}

}  // namespace
}  // namespace portcullis::pipeline

int main(int argc, char** argv) {
    testing::InitGoogleTest(&argc, argv);
    const portcullis::port::Eal eal(portcullis::pipeline::offline_eal());
    return RUN_ALL_TESTS();
}
