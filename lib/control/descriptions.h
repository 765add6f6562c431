#pragma once

#include <chrono>
#include <functional>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "control/order_desk.h"
#include "control/player_registry.h"
#include "records/player_context.h"

namespace portcullis::control {

/// Questions about a player that only his Worker can answer.  It is asked by an
/// Order and answers through a ring; who asked waits for that, but not for ever.
class Descriptions {
public:
    using Json = nlohmann::ordered_json;
    using Answer = std::function<void(const Json& context)>;
    static constexpr size_t waiting_max = 64;
    static constexpr std::chrono::milliseconds patience{500};

    explicit Descriptions(OrderDesk& orders) : orders_(orders) {}

    /// `answer` is called once, now or later: with null when no Worker can tell (an
    /// encrypted connection, another game, no answer in time).
    void ask(const PlayerRegistry::Entry& about, Answer answer);
    void heard(std::span<const verdicts::PlayerContext> contexts);
    /// Those who waited for too long get their null.
    void give_up(std::chrono::steady_clock::time_point now);

private:
    struct Waiting {
        Endpoint client, server;
        std::chrono::steady_clock::time_point until;
        Answer answer;
    };
    OrderDesk& orders_;
    std::vector<Waiting> waiting_;
};

/// As `ctl player` shows it.
Descriptions::Json json_of(const verdicts::PlayerContext& context);

}  // namespace portcullis::control
