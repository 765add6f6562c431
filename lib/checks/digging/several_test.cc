// Goal: who begins blocks all around himself is found; whose clicks are all at the block
// under his crosshair is not, whatever tool he has and his line does.
// Method: ticks with so many blocks in each, on even lines, stalling and swelling ones.

#include "checks/digging/several.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include <gtest/gtest.h>

#include "checks/story.h"

namespace portcullis::checks {
namespace {

using protocol::Dig;

constexpr int32_t versions[] = {47, 340, 754, 767, 769, 774};
bool shows_ticks(int32_t version) { return version <= 47 || version >= 768; }

struct Hands {
    explicit Hands(int32_t version) : story(version) {
        for (int i = 0; i < 100; ++i) {
            story.wait(50ms).client(protocol::Swing{});
            end_tick();
        }
    }
    void end_tick() {
        if (story.player.version <= 47) story.client(stand());
        if (story.player.version >= 768) story.client(protocol::TickEnded{});
    }
    void start(int32_t x) {
        story.client(Dig{.status = 0, .block = {x, 64, 0}, .face = 1});
        story.client(protocol::Swing{});
    }
    /// `act` in each tick; each arrives when `arrives` says, seconds from the first.
    void ticks(int count, const std::function<double(double)>& arrives,
               const std::function<void(int)>& act) {
        const Nanos begin = story.player.now;
        for (int i = 0; i < count; ++i) {
            const double at = arrives(i * 0.05);
            story.player.now = std::max(story.player.now, begin + Nanos(int64_t(at * 1e9)));
            act(i);
            end_tick();
        }
    }
    Story<DigSeveral> story;
};

double even(double said) { return said; }
const std::pair<const char*, std::function<double(double)>> lines[] = {
    {"even", even},
    {"delivers each 300 ms", [](double said) { return std::ceil(said / 0.3) * 0.3; }},
    {"stalls of 3 s",
     [](double said) {
         const double phase = std::fmod(said, 10);
         return phase < 3 ? said - phase + 3 : said;
     }},
    {"swells to 9 s, then what was sent in them comes together",
     [](double said) {
         const double phase = std::fmod(said, 40);
         return phase < 31 ? said + phase * 9 / 31 : said - phase + 40;
     }},
    {"half a per cent fast", [](double said) { return said / 1.005; }},
};

TEST(DigSeveral, LetsOneBlockATickBe) {
    for (const auto& [line, arrives] : lines) {
        for (const int32_t version : versions) {
            Hands hands(version);
            hands.ticks(2400, arrives, [&](int i) {
                // All breaks at one blow; three clicks in the tick are at the same block.
                for (int click = 0; click < 3; ++click) hands.start(i);
            });
            EXPECT_EQ(hands.story.findings(), 0u) << line << ", protocol " << version;
        }
    }
}

TEST(DigSeveral, LetsTwoHandsBe) {
    for (const int32_t version : {47, 769}) {
        Hands hands(version);
        hands.ticks(400, even, [&](int i) {
            for (int hand = 0; hand < 2; ++hand) hands.start(2 * i + hand);
        });
        EXPECT_EQ(hands.story.findings(), 0u) << version;
    }
}

TEST(DigSeveral, FindsWhoDigsUpAllAround) {
    for (const int32_t version : versions) {
        for (const int blocks : {3, 10}) {
            Hands hands(version);
            // Where ticks are not seen it takes ten seconds' work more than a tick's each.
            const int ticks = shows_ticks(version) ? 1 : 220 / (blocks - 1) + 20;
            hands.ticks(ticks, even, [&](int i) {
                for (int k = 0; k < blocks; ++k) hands.start(blocks * i + k);
            });
            EXPECT_GE(hands.story.confidence(), acts_at) << version << ' ' << blocks;
        }
    }
}

TEST(DigSeveral, DoesNotBlameAClientThatStoppedShowingItsTicks) {
    for (const Nanos apart : {50ms, 150ms}) {
        Hands hands(47);
        for (int i = 0; i < 40; ++i) {
            hands.story.wait(apart);
            hands.start(i);
        }
        EXPECT_EQ(hands.story.findings(), 0u) << apart / 1ms;
    }
}

TEST(DigSeveral, ATranslatorsTicksAreNotTheClients) {
    Story<DigSeveral> story(47);
    story.player.line.translated = true;
    for (int i = 0; i < 400; ++i) {
        // Its clock says that he is there; his line brings six ticks together.
        story.wait(300ms).client(stand());
        for (int k = 0; k < 6; ++k) {
            story.client(Dig{.status = 0, .block = {6 * i + k, 64, 0}, .face = 1});
        }
    }
    EXPECT_EQ(story.findings(), 0u);
}

TEST(DigSeveral, LetsCreativeModeBedrockAndCancelsBe) {
    Hands creative(769), bedrock(769), ghosts(769);
    creative.story.server(protocol::Joined{.self = 1, .mode = protocol::GameMode::creative});
    bedrock.story.player.is_bedrock();
    for (int i = 0; i < 100; ++i) {
        creative.start(i);
        bedrock.start(i);
        ghosts.story.client(Dig{.status = 1, .block = {i, 64, 0}, .face = 0});
    }
    EXPECT_EQ(creative.story.findings(), 0u);
    EXPECT_EQ(bedrock.story.findings(), 0u);
    EXPECT_EQ(ghosts.story.findings(), 0u);
}

}  // namespace
}  // namespace portcullis::checks
