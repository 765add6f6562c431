// Goal: an honest client is never acted on, whatever its line does to both directions.
// Method: a client that walks, stops and acts by what it has heard, a server that stuns, slows,
// sets back and moves it, and between them lines that lose, delay, mix, hold back and stall, from
// seeds; all checks hear what passes us, beside the server.
#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "checks/shadowland/scene_test_support.h"

namespace portcullis::checks {
namespace {

using shadowland::Place;
constexpr double ground = ShadowScene::ground;

/// One direction of a line: when what is sent now comes, if it does.
class Direction {
public:
    explicit Direction(std::mt19937& random) : random_(random) {
        usual_ms_ = pick(1, 250);
        jitter_ms_ = pick(0, 1) == 0 ? pick(0, 10) : pick(10, 200);
        lost_percent_ = pick(0, 1) == 0 ? 0 : pick(0, 30);
        spikes_percent_ = pick(0, 3) == 0 ? 5 : 0;
        stalls_ = pick(0, 1) == 0;
        holds_ = pick(0, 1) == 0;
        next_stall_ms_ = pick(2'000, 9'000);
    }
    std::optional<int> arrival(int now_ms) {
        if (stalls_ && now_ms >= next_stall_ms_) {
            stall_until_ms_ = now_ms + pick(200, 1'800);
            next_stall_ms_ = stall_until_ms_ + pick(3'000, 12'000);
        }
        if (pick(0, 99) < lost_percent_) return std::nullopt;
        const int delay_ms = usual_ms_ + pick(0, jitter_ms_) +
                             (pick(0, 99) < spikes_percent_ ? pick(300, 1'500) : 0);
        if (now_ms >= stall_until_ms_) return now_ms + delay_ms;
        if (!holds_) return std::nullopt;
        return stall_until_ms_ + usual_ms_;
    }

private:
    int pick(int low, int high) { return std::uniform_int_distribution(low, high)(random_); }
    std::mt19937& random_;
    int usual_ms_, jitter_ms_, lost_percent_, spikes_percent_, next_stall_ms_;
    int stall_until_ms_ = 0;
    bool stalls_, holds_;
};

class Game {
public:
    /// `pace`: of an honest one's.
    explicit Game(unsigned seed, double pace = 1)
        : random_(seed), up_(random_), down_(random_), pace_(pace) {
        scene_.player.now = 1'000s;
        rate_ = 1 + pick(-500, 500) / 1e6;
        every_ms_ = pick(0, 1) == 0 ? 50 : 17;
    }
    /// The gravest that was found, within two minutes or until the server gives up.
    std::optional<Finding> play() {
        say({.put = Place{409'000, 409'000, ground}});
        for (; now_ms_ < 120'000 && !over_; ++now_ms_) {
            scene_.player.now = 1'000s + std::chrono::milliseconds(now_ms_);
            serve();
            walk();
            while (!on_its_way_.empty() && on_its_way_.begin()->first <= now_ms_) {
                const auto come = std::move(on_its_way_.begin()->second);
                on_its_way_.erase(on_its_way_.begin());
                come();
            }
        }
        const auto gravest = std::ranges::max_element(scene_.said, {}, &Finding::confidence);
        if (gravest == scene_.said.end()) return std::nullopt;
        return *gravest;
    }

private:
    using Flags = std::pair<uint8_t, uint8_t>;  ///< State and buffs.
    struct Word {
        std::optional<Place> put = std::nullopt;
        std::optional<Flags> flags = std::nullopt;
    };
    struct Sent {
        Word word;
        int next_ms = 0;
        int times = 0;
        bool acknowledged = false;
    };

    int pick(int low, int high) { return std::uniform_int_distribution(low, high)(random_); }
    template <class Come>
    void send(Direction& line, Come come) {
        if (const auto at = line.arrival(now_ms_)) on_its_way_.emplace(*at, std::move(come));
    }

    // The server, and we beside it.
    void say(const Word& word) {
        const bool first = sent_.empty();  // That was said when the scene began.
        sent_.push_back({.word = word});
        if (word.put && !first) scene_.correct(*word.put);
        if (word.flags) scene_.change(word.flags->first, word.flags->second);
        scene_.player.sequence = sent_.size();
    }
    void serve() {
        for (size_t i = 0; i < sent_.size(); ++i) {
            Sent& one = sent_[i];
            if (one.acknowledged || now_ms_ < one.next_ms) continue;
            if (one.times == 11) {
                over_ = true;
                return;
            }
            ++one.times;
            one.next_ms = now_ms_ + 250;
            send(down_, [this, i] { hear(i); });
        }
        if (now_ms_ < next_word_ms_ || now_ms_ < 3'000) return;
        next_word_ms_ = now_ms_ + (pick(0, 3) == 0 ? pick(20, 200) : pick(500, 4'000));
        using namespace shadowland::state;
        switch (pick(0, 5)) {
            case 0:
                return say({.put = Place{last_.x + pick(-8'000, 0), last_.y + pick(-8'000, 8'000),
                                         ground}});
            case 1:
                for (int copies = pick(1, 12); copies-- > 0;) say({.put = last_});
                return;
            case 2:
                return say({.flags = Flags{alive, shadowland::buff::stunned}});
            case 3:
                return say({.flags = Flags{alive, shadowland::buff::slowed}});
            case 4:
                return say({.flags = Flags{uint8_t(alive | casting), 0}});
            default:
                return say({.flags = Flags{alive, 0}});
        }
    }
    void acknowledged(size_t i) {
        sent_[i].acknowledged = true;
        size_t all = 0;
        while (all < sent_.size() && sent_[all].acknowledged) ++all;
        scene_.player.on(shadowland::Delivered{scene_.channel, all});
    }

    // The client.
    void hear(size_t i) {
        const int ack_ms = now_ms_ + pick(0, 50);
        on_its_way_.emplace(ack_ms, [this, i] { send(up_, [this, i] { acknowledged(i); }); });
        held_[i] = true;
        for (; held_.count(heard_) > 0; ++heard_) {
            const Word& word = sent_[heard_].word;
            if (word.put) at_ = *word.put;
            if (word.flags) flags_ = *word.flags;
        }
    }
    uint32_t clock_ms() const { return static_cast<uint32_t>(50'000 + now_ms_ * rate_); }
    bool held() const { return (flags_.second & shadowland::buff::stunned) != 0; }
    void walk() {
        if (heard_ == 0) return;
        const bool slowed = (flags_.second & shadowland::buff::slowed) != 0;
        const double speed = held() ? 0 : slowed ? 297 : 594;
        if (pick(0, 999) == 0) heading_ = pick(90, 270) / 57.3;
        at_.x += std::cos(heading_) * speed * pace_ / 1e3;
        at_.y += std::sin(heading_) * speed * pace_ / 1e3;
        if (now_ms_ % every_ms_ == 0) {
            shadowland::Synced synced;
            synced.client_time_ms = clock_ms();
            synced.sequence = ++sequence_;
            synced.has_position = true;
            synced.position = {std::round(at_.x), std::round(at_.y), at_.z};
            synced.step = ShadowScene::step;
            send(up_, [this, synced] {
                scene_.tell(synced);
                if (!scene_.player.late(synced)) last_ = synced.position;
                scene_.player.on(synced);
            });
        }
        const bool casts = (flags_.first & shadowland::state::casting) != 0;
        if (held() || casts || now_ms_ < next_act_ms_) return;
        next_act_ms_ = now_ms_ + pick(620, 3'000);
        shadowland::Acted acted;
        acted.client_time_ms = clock_ms();
        acted.sequence = ++requests_;
        acted.action = 1;
        acting_[requests_] = false;
        request(acted, 0);
    }
    void request(const shadowland::Acted& acted, int times) {
        if (acting_[acted.sequence] || times == 11) return;
        send(up_, [this, acted] {
            if (!std::exchange(acting_[acted.sequence], true)) scene_.act(acted);
        });
        on_its_way_.emplace(now_ms_ + 250, [=, this] { request(acted, times + 1); });
    }

    std::mt19937 random_;
    Direction up_, down_;
    double pace_;
    ShadowScene scene_;
    std::multimap<int, std::function<void()>> on_its_way_;
    int now_ms_ = 0;
    bool over_ = false;

    std::vector<Sent> sent_;
    int next_word_ms_ = 0;
    Place last_{409'000, 409'000, ground};  ///< As the server has it.

    std::map<size_t, bool> held_;
    size_t heard_ = 0;
    Place at_;
    Flags flags_{shadowland::state::alive, 0};
    double heading_ = 3;
    double rate_ = 1;
    int every_ms_ = 50;
    uint64_t sequence_ = 0, requests_ = 0;
    int next_act_ms_ = 3'000;
    std::map<uint64_t, bool> acting_;
};

TEST(ShadowLine, NoLineMakesAnHonestClientACheat) {
    for (unsigned seed = 1; seed <= 300; ++seed) {
        Game game(seed);
        const auto gravest = game.play();
        if (!gravest) continue;
        EXPECT_LT(gravest->confidence, 0.95f)
            << "seed " << seed << " " << ShadowScene::Set::names[gravest->check] << " "
            << gravest->evidence.observed << " over " << gravest->evidence.limit;
    }
}

TEST(ShadowLine, WhoWalksAThirdFasterIsFoundOnAlmostAny) {
    constexpr unsigned games = 40;
    unsigned found = 0;
    for (unsigned seed = 1; seed <= games; ++seed) {
        Game game(seed, 1.33);
        const auto gravest = game.play();
        found += gravest && gravest->confidence >= 0.95f;
    }
    EXPECT_GT(found, games * 9 / 10);
}

}  // namespace
}  // namespace portcullis::checks
