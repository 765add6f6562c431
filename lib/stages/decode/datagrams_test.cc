// Goal: what a Shadowland session says goes through all stages as the wire document has it:
// a flood of Connects is answered at the wire, what no receiver takes does not arrive, what
// breaks the rules arrives harmless or not at all, and nobody honest loses anything.
// Method: clients and a server talk by hand, datagram by datagram, through the real stages.

#include "stages/decode/datagrams.h"

#include <set>

#include "protocol/shadowland/connects.h"
#include "protocol/shadowland/payload.h"
#include "stages/detect/detect.h"
#include "stages/testing/shadowland_game.h"

namespace portcullis::stages {
namespace {

using namespace shadowland;
using testing::client;
using testing::Datagram;
using testing::game_server;
using testing::Passed;
using Game = testing::ShadowlandGame;
using Sealed = testing::SealedSession;
constexpr uint32_t id = Game::id;
constexpr auto configuration = testing::shadowland_configuration;

Endpoint source(uint32_t i) {
    return {IpAddress::v4(0x0b000000u + i * 2'654'435'761u % 0xffffff),
            uint16_t(1'024 + i % 60'000)};
}

TEST(Datagrams, AFloodOfConnectsIsAnsweredAtTheWire) {
    config::Config config = configuration();
    config.shadowland.connects_per_s = 50;
    Game game(config);
    game.know_the_secret();
    int passed = 0;
    for (uint32_t i = 0; i < 5'000; ++i) {
        const Passed one = game.up(connect(), source(i));
        if (one.went_on()) {
            ++passed;
            EXPECT_TRUE(game.injected.empty());
            continue;
        }
        ASSERT_EQ(one.drop, DropReason::answered);
        ASSERT_EQ(game.injected.size(), 1u);
        const testing::Sent& answer = game.injected[0];
        // Toward where it came from, addressed and tagged as the way back is.
        EXPECT_EQ(answer.out, Side::outside);
        EXPECT_EQ(answer.packet.source, game_server);
        EXPECT_EQ(answer.packet.destination, source(i));
        EXPECT_EQ(answer.bytes[5], std::byte{9});
        EXPECT_EQ(answer.bytes[11], std::byte{1});
        EXPECT_EQ(answer.bytes[15], std::byte{0x2a});
        EXPECT_LT(answer.packet.payload_size, connect().size());
    }
    EXPECT_EQ(passed, 50);
    EXPECT_EQ(game.connects(ConnectFate::answered), 4'950u);
    EXPECT_EQ(game.connects(ConnectFate::passed), 50u);
    EXPECT_EQ(game.context.flows.size(), 0u) << "a flood fills no table";
    EXPECT_GT(game.found("handshake.flood"), 0u);

    // An honest client among them: our cookie opens the server's door to it.
    ASSERT_EQ(game.up(connect()).drop, DropReason::answered);
    const Bytes answer = game.injected[0].packet.payload();
    const Datagram cookie(answer.begin() + header_size + 1, answer.end() - crc_size);
    game.now += 100ms;
    EXPECT_TRUE(game.up(connect(cookie)).went_on());
    EXPECT_TRUE(game.injected.empty());
    EXPECT_TRUE(game.down(accepted(id)).went_on());
    ASSERT_NE(game.flow(), nullptr);
    EXPECT_NE(game.flow()->player, Flow::none);
    // Nobody else's opens it.
    EXPECT_EQ(game.up(connect(cookie), source(3)).drop, DropReason::cookie_forged);
    game.now += 11s;
    EXPECT_EQ(game.up(connect(cookie)).drop, DropReason::cookie_expired);
}

TEST(Datagrams, AFloodPassesWhereNobodyCanAnswerOrNothingMayBeTouched) {
    for (const bool observing : {false, true}) {
        config::Config config = configuration();
        config.shadowland.connects_per_s = 10;
        if (observing) config.mode = verdicts::Mode::observe;
        Game game(config);
        if (observing) game.know_the_secret();
        for (uint32_t i = 0; i < 100; ++i) {
            EXPECT_TRUE(game.up(connect(), source(i)).went_on());
            EXPECT_TRUE(game.injected.empty());
        }
        EXPECT_EQ(game.connects(observing ? ConnectFate::answered : ConnectFate::flooded), 90u);
    }
}

TEST(Datagrams, OneAddressMayConnectSoOften) {
    for (const bool secret : {false, true}) {
        Game game;
        if (secret) game.know_the_secret();
        int limited = 0;
        for (uint16_t port = 1'024; port < 1'124; ++port) {
            const Passed one = game.up(connect(), {client.address, port});
            limited += one.drop == (secret ? DropReason::answered : DropReason::rate_limit);
        }
        EXPECT_EQ(limited, 80);
        EXPECT_EQ(game.connects(ConnectFate::over_source), secret ? 0u : 80u);
        EXPECT_GT(game.found("handshake.flood"), 0u);
        EXPECT_TRUE(game.up(connect(), source(1)).went_on());
    }
}

TEST(Datagrams, ASessionIsRememberedFromItsAcceptanceToItsGoodbye) {
    Game game;
    game.let_in();
    ASSERT_NE(game.flow(), nullptr);
    EXPECT_EQ(game.flow()->client(), client);
    EXPECT_EQ(game.flow()->client_side(), Side::outside);
    EXPECT_EQ(game.counts().sessions_begun.get(), 1u);
    const auto goodbye = control(ControlType::disconnect, Disconnect{}, Direction::to_server,
                                 {.connection_id = id, .sequence = 1});
    EXPECT_TRUE(game.up(goodbye).went_on());
    EXPECT_TRUE(game.flow()->said_goodbye);
    game.let_in(client, 8);
    EXPECT_FALSE(game.flow()->said_goodbye);
}

TEST(Datagrams, NobodyButTheServerLetsIn) {
    Game game;
    game.let_in();
    game.up(connect(Datagram(cookie_size)), source(1));
    game.forged(accepted(8), source(1));
    EXPECT_EQ(game.counts().sessions_begun.get(), 1u);
    EXPECT_EQ(game.flow(source(1)), nullptr);
    EXPECT_EQ(game.noticed(Notice::wrong_side), 1u);
    game.down(accepted(9), source(1));
    EXPECT_EQ(game.counts().sessions_begun.get(), 2u);
}

TEST(Datagrams, ForgedInTheServersNameTheyEndNothing) {
    Game game;
    game.let_in();
    const auto goodbye = control(ControlType::disconnect, Disconnect{}, Direction::to_client,
                                 {.connection_id = id, .sequence = 2});
    EXPECT_EQ(game.forged(goodbye).drop, DropReason::wrong_side);
    EXPECT_FALSE(game.flow()->said_goodbye);
    EXPECT_EQ(game.forged(accepted(8)).drop, DropReason::wrong_side);
    EXPECT_EQ(game.counts().sessions_begun.get(), 1u);
    EXPECT_TRUE(game.down(goodbye).went_on());
    EXPECT_TRUE(game.flow()->said_goodbye);
}

TEST(Datagrams, WithoutRoomForASessionWhatIsConfiguredHappens) {
    for (const auto choice : {config::OnFailure::open, config::OnFailure::closed}) {
        config::Config config = configuration();
        config.limits.players = 1;
        config.on_failure.memory = choice;
        Game game(config);
        game.let_in();
        game.up(connect(Datagram(cookie_size)), source(1));
        const Passed second = game.down(accepted(8), source(1));
        EXPECT_EQ(second.drop,
                  choice == config::OnFailure::open ? DropReason::none : DropReason::no_memory);
        EXPECT_EQ(game.noticed(Notice::session_pool_full), 1u);
        EXPECT_EQ(game.flow(source(1)), nullptr);
    }
}

/// A spoofer needs no more than an address and a port.
TEST(Datagrams, WhatAnybodyMaySendEndsNobodysSession) {
    config::Config config = configuration();
    config.policies[0].ladder = {{0.1, policy::Action::kick}};
    Game game(config);
    game.let_in();
    Cookie cookie;
    cookie.cookie = no_cookie;
    const Datagram spoofed[] = {
        plain({.flags = flag::control}, Datagram{std::byte{99}}),
        control(ControlType::cookie, cookie, Direction::to_server),
        accepted(77),
        plain({.connection_id = 12'345, .sequence = 7}, Datagram{std::byte{99}}),
        Datagram(100, std::byte{0xff}),
    };
    for (int i = 0; i < 20; ++i) {
        for (const Datagram& one : spoofed) {
            game.up(one);
            EXPECT_TRUE(game.injected.empty());
        }
    }
    EXPECT_EQ(game.flow()->state, FlowState::inspected);
    SyncEntity sync;
    sync.fields.delta = delta::anim;
    EXPECT_TRUE(game.up(Game::game(0, sync, Direction::to_server, 1)).went_on());
}

Datagram move(uint64_t sequence, uint32_t time_ms, float x, Channel channel = Channel::unreliable) {
    SyncEntity sync;
    sync.client_time_ms = time_ms;
    sync.fields.delta = delta::position;
    sync.fields.position = {x, 409'000, 1'000};
    return Game::game(0, sync, Direction::to_server, sequence, channel);
}

TEST(Datagrams, WhereAndWhoAPlayerIsTheServerSays) {
    Game game;
    game.let_in();
    EnterToWorld again;
    again.symbol.text = "Admin";
    const std::vector<std::byte> token(16);
    again.token = token;
    again.map = 999;
    game.up(Game::game(3, again, Direction::to_server, 1, Channel::reliable_ordered));
    EXPECT_EQ(game.found("state.forged"), 1u);
    EXPECT_EQ(game.context.detect->player_of(*game.flow()), "Alice");
    game.up(move(1, 1'000, 409'700));
    game.up(move(2, 1'050, 419'700));
    EXPECT_EQ(game.found("movement.teleport"), 1u);
}

/// What puts our clock ahead of the server's would make all that comes later look old.
TEST(Datagrams, ASyncThatTheServerDoesNotTakeIsNotBelieved) {
    for (const bool before : {true, false}) {
        Game game;
        if (before) {
            game.up(connect(Datagram(cookie_size)));
            game.down(accepted(id));
            game.up(move(1, UINT32_MAX, 409'700));
        }
        game.let_in();
        // The first on channel 1 never comes.
        if (!before) game.up(move(2, UINT32_MAX, 409'700, Channel::reliable_ordered));
        game.up(move(11, 1'000, 409'700));
        game.up(move(12, 1'050, 419'700));
        EXPECT_EQ(game.found("movement.teleport"), 1u) << before;
    }
}

TEST(Datagrams, AGoodbyeThatTheServerHoldsBackIsNone) {
    Game game;
    game.let_in();
    game.up(control(ControlType::disconnect, Disconnect{}, Direction::to_server,
                    {.connection_id = id, .channel = Channel::reliable_ordered, .sequence = 2}));
    EXPECT_FALSE(game.flow()->said_goodbye);
}

TEST(Datagrams, TheSameIdAgainIsANewPlayer) {
    Game game;
    game.let_in();
    game.up(move(1, 100'000, 409'700));
    game.up(control(ControlType::disconnect, Disconnect{}, Direction::to_server,
                    {.connection_id = id, .sequence = 2}));
    game.up(connect(Datagram(cookie_size)));
    game.down(accepted(id, 7'000));
    EXPECT_FALSE(game.flow()->said_goodbye);
    EXPECT_EQ(game.counts().sessions_begun.get(), 2u);
    for (uint64_t s = 1; s <= 40; ++s) {
        EXPECT_TRUE(game.up(move(s, uint32_t(1'000 + 50 * s), 409'700)).went_on());
    }
}

TEST(Datagrams, AFragmentWithoutRoomIsSaidAndMayBeRefused) {
    for (const auto answer : {config::OnFailure::open, config::OnFailure::closed}) {
        config::Config config = configuration();
        config.on_failure.memory = answer;
        Game game(config);
        game.let_in();
        const Datagram data(fragment_data_size);
        size_t without_room = 0;
        for (uint32_t who = 1; who <= 60; ++who) {
            game.let_in(source(who), id + who);
            uint64_t sequence = 0;
            for (uint16_t n = 0; n < 224; ++n) {
                const shadowland::Fragment fragment{uint16_t(n / 56), uint16_t(145 * (n % 56)),
                                                    65'536, data};
                const Passed one =
                    game.up(control(ControlType::fragment, fragment, Direction::to_server,
                                    {.connection_id = id + who,
                                     .flags = flag::fragment,
                                     .sequence = ++sequence}),
                            source(who));
                without_room += one.drop == DropReason::no_buffer;
            }
        }
        EXPECT_GT(game.noticed(Notice::stream_memory_full), 0u);
        const bool refused = answer == config::OnFailure::closed;
        EXPECT_EQ(without_room, refused ? game.noticed(Notice::stream_memory_full) : 0u);
        EXPECT_EQ(game.found("fragments.flood"), 0u);
    }
}

/// Every name under which a datagram does not go on.
TEST(Datagrams, WhatNoReceiverTakesDoesNotGoOnAndHasItsName) {
    Game game;
    game.let_in();
    const auto pong = Game::game(2, Pong{1, 5, 0}, Direction::to_server, 1);
    Datagram broken_crc = pong, wrong_channel = pong;
    broken_crc.back() ^= std::byte{1};
    wrong_channel[4] = std::byte{3};
    write_crc(wrong_channel);
    Datagram sealed(60);
    write_header({.connection_id = id, .flags = flag::sealed, .sequence = 1}, sealed);
    const Datagram unknown = plain({.connection_id = id, .sequence = 1}, Datagram{std::byte{0x44}});
    const std::array<std::byte, 5> bomb = {std::byte{0}, std::byte{0}, std::byte{1}};
    const struct {
        const char* story;
        Datagram datagram;
        DropReason drop;
        Endpoint from = client;
    } cases[] = {
        {"a sum that is wrong", broken_crc, DropReason::crc_bad},
        {"a channel that is none", wrong_channel, DropReason::header_invalid},
        {"sealed in a plain session", sealed, DropReason::crypto_downgrade},
        {"a type that nobody knows", unknown, DropReason::message_unknown},
        {"cut short", plain({.connection_id = id, .sequence = 2}, Datagram{std::byte{2}}),
         DropReason::message_malformed},
        {"the server's alone",
         control(ControlType::ping, Ping{1, 5}, Direction::to_server,
                 {.connection_id = id, .sequence = 3}),
         DropReason::message_direction},
        {"larger than it can be",
         plain({.connection_id = id, .flags = flag::compressed, .sequence = 4}, bomb),
         DropReason::compression_bomb},
        {"far ahead", Game::game(2, Pong{1, 5, 0}, Direction::to_server, 100'000),
         DropReason::replay_window},
        {"another's id", pong, DropReason::session_hijack, source(1)},
    };
    for (const auto& c : cases) EXPECT_EQ(game.up(c.datagram, c.from).drop, c.drop) << c.story;
    EXPECT_TRUE(game.up(Game::game(2, Pong{1, 5, 0}, Direction::to_server, 9)).went_on());
    EXPECT_EQ(game.up(Game::game(2, Pong{1, 5, 0}, Direction::to_server, 9)).drop,
              DropReason::replay_window);
}

TEST(Datagrams, UnknownTypesPassWhereTheServiceSaysSo) {
    config::Config config = configuration();
    config.services[1].unknown_types = config::UnknownTypes::pass;
    Game game(config);
    game.let_in();
    const Datagram own = plain({.connection_id = id, .sequence = 1}, Datagram{std::byte{0x44}});
    EXPECT_EQ(game.up(own).went, own);
    EXPECT_EQ(game.found("message.malformed"), 0u);
}

TEST(Datagrams, AStrangersDatagramsAreLimited) {
    config::Config config = configuration();
    config.shadowland.source_packets_per_s = 100;
    Game game(config);
    int limited = 0;
    for (uint64_t s = 1; s <= 1'000; ++s) {
        limited +=
            game.up(Game::game(2, Pong{}, Direction::to_server, s)).drop == DropReason::rate_limit;
    }
    EXPECT_EQ(limited, 700);
    EXPECT_EQ(game.context.flows.size(), 0u);
}

Datagram strike(uint64_t sequence, uint32_t time_ms, Channel channel) {
    const auto request =
        message_bytes(5, ActionRequest{.request_id = 1, .client_time_ms = time_ms, .action = 3},
                      Direction::to_server);
    // What nobody knows, the server refuses itself.
    const auto harmless =
        message_bytes(5, ActionRequest{.request_id = 2, .client_time_ms = time_ms, .action = 99},
                      Direction::to_server);
    return plain({.connection_id = id, .channel = channel, .sequence = sequence},
                 bundle_of({request, harmless}));
}

TEST(Datagrams, WhatBreaksTheRulesOnAReliableChannelArrivesHarmless) {
    for (const auto action : {policy::Action::drop, policy::Action::neutralise}) {
        config::Config config = configuration();
        config.policies[0].ladder = {{0.1, action}};
        Game game(config);
        game.let_in();
        const Datagram honest = strike(1, 1'000, Channel::reliable_ordered);
        EXPECT_EQ(game.up(honest).went, honest);
        const Datagram early = strike(2, 2'000, Channel::reliable_ordered);
        for (int copy = 0; copy < 2; ++copy) {
            const Passed one = game.up(early);
            ASSERT_TRUE(one.went_on());
            EXPECT_NE(one.went, early);
            EXPECT_EQ(one.went[header_size + 3], std::byte{payload_type::nop});
            EXPECT_TRUE(crc_holds(one.went));
            game.now += 250ms;
        }
        EXPECT_EQ(game.found("action.cooldown"), 1u);
        EXPECT_EQ(game.noticed(Notice::neutralised), 2u);
        EXPECT_EQ(game.flow()->state, FlowState::inspected);
    }
}

TEST(Datagrams, WhatBreaksTheRulesUnreliablyIsDroppedOrMadeHarmless) {
    for (const auto action : {policy::Action::drop, policy::Action::neutralise}) {
        config::Config config = configuration();
        config.policies[0].ladder = {{0.1, action}};
        Game game(config);
        game.let_in();
        game.up(strike(1, 1'000, Channel::unreliable));
        const Passed one = game.up(strike(2, 2'000, Channel::unreliable));
        if (action == policy::Action::drop) {
            EXPECT_EQ(one.drop, DropReason::verdict);
        } else {
            ASSERT_TRUE(one.went_on());
            EXPECT_EQ(one.went[header_size + 3], std::byte{payload_type::nop});
        }
    }
}

TEST(Datagrams, WhatCanNotBeMadeHarmlessEndsTheSession) {
    config::Config config = configuration();
    config.policies[0].ladder = {{0.1, policy::Action::drop}};
    Game game(config);
    game.let_in();
    // Too many for one packet to be remembered by.
    std::vector<Datagram> many;
    for (uint16_t i = 0; i < 20; ++i) {
        many.push_back(message_bytes(
            5, ActionRequest{.request_id = i, .client_time_ms = 1'000u + i, .action = 3},
            Direction::to_server));
    }
    const Passed one =
        game.up(plain({.connection_id = id, .channel = Channel::reliable_ordered, .sequence = 1},
                      bundle_of(many)));
    EXPECT_FALSE(one.went_on());
    EXPECT_EQ(game.flow()->state, FlowState::dead);
    ASSERT_EQ(game.injected.size(), 2u) << "both sides are told";
    EXPECT_EQ(game.up(strike(2, 20'000, Channel::unreliable)).drop, DropReason::flow_dead);
}

Datagram update(uint64_t sequence, uint32_t entity, float x,
                Channel channel = Channel::unreliable) {
    UpdateEntity message;
    message.entity = entity;
    message.fields.delta = delta::position;
    message.fields.position = {x, 409'000, 1'000};
    return Game::game(2, message, Direction::to_client, sequence, channel);
}

TEST(Datagrams, UpdatesOfWhatIsTooFarAwayDoNotArriveAlone) {
    for (const auto interest : {config::Aoi::counted, config::Aoi::enforced}) {
        config::Config config = configuration();
        config.services[1].aoi = interest;
        Game game(config);
        game.let_in();
        SyncEntity sync;
        sync.fields.delta = delta::position;
        sync.fields.position = {409'700, 409'000, 1'000};
        game.up(Game::game(0, sync, Direction::to_server, 1));
        CreateEntity item;
        item.entity = 99;
        item.type = 7;
        item.symbol.text = "Ring";
        item.position = {410'000, 409'000, 1'000};
        game.down(Game::game(1, item, Direction::to_client, 2, Channel::reliable_ordered));
        EXPECT_TRUE(game.down(update(1, 99, 410'000)).went_on());
        EXPECT_EQ(game.found("aoi.leak"), 0u);
        const Passed far = game.down(update(2, 99, 450'000));
        EXPECT_EQ(far.drop, interest == config::Aoi::enforced ? DropReason::out_of_interest
                                                              : DropReason::none);
        EXPECT_EQ(game.found("aoi.leak"), 1u);
        // In company, and where it would be sent again, it goes on.
        UpdateEntity still;
        still.entity = 99;
        still.fields.delta = delta::anim;
        const auto near = message_bytes(2, still, Direction::to_client);
        Datagram far_message = update(3, 99, 450'000);
        far_message = Datagram(far_message.begin() + header_size, far_message.end() - crc_size);
        EXPECT_TRUE(
            game.down(plain({.connection_id = id, .sequence = 3}, bundle_of({far_message, near})))
                .went_on());
        EXPECT_TRUE(game.down(update(3, 99, 450'000, Channel::reliable_ordered)).went_on());
        EXPECT_GT(game.counts().wasted_bytes[size_t(MessageKind::update_entity)].get(), 0u);
    }
}

TEST(Datagrams, APositionOutsideTheWorldIsNone) {
    Game game;
    game.let_in();
    game.now += 10s;  // He has heard by now where he is.
    SyncEntity sync;
    sync.fields.delta = delta::position;
    sync.fields.position = {820'000, 409'000, 1'000};
    game.up(Game::game(0, sync, Direction::to_server, 1));
    EXPECT_EQ(game.found("world.origin"), 0u) << "a little beyond its edge";
    sync.fields.position = {900'000, 409'000, 1'000};
    game.up(Game::game(0, sync, Direction::to_server, 2));
    EXPECT_EQ(game.found("world.origin"), 1u);
}

TEST(Datagrams, AKeyThatComesAfterThePlayerEnteredStillLetsHimBeJudged) {
    Game game;
    Sealed session(game);
    session.enter();
    game.context.shadowland_keys.add(session.key);
    game.now += 6s;
    session.leap();
    EXPECT_GT(game.found("movement.teleport"), 0u);
    EXPECT_EQ(game.noticed(Notice::map_unknown), 0u);
}

TEST(Datagrams, WhoseKeyComesTooLateIsNotJudgedByWhereHeGoesAndCounted) {
    Game game;
    Sealed session(game);
    session.enter();
    game.now += 11s;
    session.leap();
    EXPECT_EQ(game.noticed(Notice::opaque_flow), 1u);
    game.context.shadowland_keys.add(session.key);
    game.now += 1s;
    session.leap();
    EXPECT_EQ(game.found("movement.teleport"), 0u);
    EXPECT_EQ(game.noticed(Notice::map_unknown), 1u);
}

TEST(Datagrams, WhatLinesDoIsCounted) {
    Game game;
    game.let_in();
    UpdateEntityQuantized update;
    update.entity = 5;
    update.fields.delta = delta::anim;
    for (uint64_t s = 1; s <= 200; s += 2) {
        game.down(Game::game(4, update, Direction::to_client, s));
    }
    const auto fates = [&](Direction d, DatagramFate fate) {
        return game.counts().datagrams[index_of(d)][size_t(fate)].get();
    };
    EXPECT_EQ(fates(Direction::to_client, DatagramFate::arrived), 101u);
    EXPECT_EQ(fates(Direction::to_client, DatagramFate::lost), 67u);
    game.down(control(ControlType::ping, Ping{1, 5}, Direction::to_client,
                      {.connection_id = id, .sequence = 201}));
    game.now += 30ms;
    game.up(control(ControlType::pong, Pong{1, 5, 10}, Direction::to_server,
                    {.connection_id = id, .sequence = 1}));
    EXPECT_EQ(game.counts().round_trips.get(), 1u);
    EXPECT_EQ(game.counts().round_trip_us.get(), 20'000u);
}

}  // namespace
}  // namespace portcullis::stages
