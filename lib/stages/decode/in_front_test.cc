// Goal: behind a proxy a player is who and where the proxy says, as far as it is
// configured to be believed; what is done about him never meets the proxy that he shares.
// Method: a client and a server talk by hand through the real stages, with headers and
// forwarding as balancers and game proxies make them.

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "protocol/minecraft/talk_test_support.h"
#include "protocol/minecraft/velocity.h"
#include "stages/testing/game.h"

namespace portcullis::stages {
namespace {

using namespace std::string_literals;
using minecraft::testing::Made;
using minecraft::testing::packet;
using minecraft::testing::plain_frame;
using testing::Game;
using verdicts::VerdictRecord;
using Kind = VerdictRecord::Kind;

const IpAddress real = *parse_address("203.0.113.9");
const std::string header = "PROXY TCP4 203.0.113.9 10.0.0.2 40000 25565\r\n";
const std::string uuid_text = "069a79f444e94726a5befca90e38aaf5";
const std::string uuid_bytes = "\x06\x9a\x79\xf4\x44\xe9\x47\x26\xa5\xbe\xfc\xa9\x0e\x38\xaa\xf5";
const std::string secret = "very secret";
const Endpoint proxy = testing::client;

/// A file with the secret; gone with the tests.
const std::string& secret_file() {
    struct File {
        File() {
            char name[] = "/tmp/portcullis-secret-XXXXXX";
            close(mkstemp(name));
            path = name;
            std::ofstream(path) << secret << '\n';
        }
        ~File() { std::filesystem::remove(path); }
        std::string path;
    };
    static const File file;
    return file.path;
}

config::Config balanced() {
    config::Config config = testing::configuration();
    config.services[0].proxy_protocol = true;
    return config;
}
config::Config forwarded(config::Forwarding way, bool verified = true) {
    config::Config config = testing::configuration();
    config.policies[0].ladder = {{0.1, policy::Action::kick}};
    config.services[0].forwarding = way;
    if (verified) config.services[0].forwarding_secret_file = secret_file();
    return config;
}

std::string hello(const std::string& host = "play.example", int next = 2) {
    return plain_frame(packet(0).varint(754).text(host).i16(25565).varint(next).str());
}
std::string login_start() { return plain_frame(packet(0).text("Alice").str()); }
std::string success() { return plain_frame(packet(2).raw(uuid_bytes).text("Alice").str()); }

void log_in(Game& game, const std::string& first) {
    game.client_says(first + login_start());
    game.server_says(success());
}
std::vector<VerdictRecord> of_kind(Game& game, Kind kind) {
    std::vector<VerdictRecord> all = game.told();
    std::erase_if(all, [&](const VerdictRecord& record) { return record.kind != kind; });
    return all;
}
uint64_t faults(const Game& game, protocol::Fault fault) {
    return game.counters().faults[static_cast<size_t>(fault)].get();
}
verdicts::Order block(const IpAddress& address) {
    verdicts::Order order;
    order.kind = verdicts::Order::Kind::block;
    order.prefix = {address, 128};
    order.lasts = std::chrono::hours(1);
    return order;
}

// ---- the PROXY header ----

TEST(ProxyHeader, NamesThePlayersAddress) {
    Game game(balanced());
    log_in(game, header + hello());
    const auto logins = of_kind(game, Kind::login);
    ASSERT_EQ(logins.size(), 1u);
    EXPECT_EQ(logins[0].player.address, real);
    EXPECT_EQ(logins[0].player.name.view(), "Alice");
    EXPECT_EQ(logins[0].client, proxy) << "as on the wire";
    EXPECT_TRUE(logins[0].through_proxy);
    EXPECT_EQ(logins[0].culprit(), real);
    EXPECT_EQ(game.noticed(Notice::proxy_header), 1u);
}

TEST(ProxyHeader, IsReadAtEveryCut) {
    const std::string binary =
        "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xcb\0\x71\x09\x0a\0\0\2\x9c\x40\x63\xdd"s;
    for (const std::string& front : {header, binary}) {
        const std::string bytes = front + hello() + login_start();
        // Every cut of the header itself is its own test's; a line costs a second here.
        for (const size_t cut : {size_t{1}, size_t{7}, front.size() - 1, front.size(),
                                 front.size() + 1, bytes.size() - 1}) {
            Game game(balanced());
            game.client_says(bytes.substr(0, cut));
            game.client_says(bytes.substr(cut));
            game.server_says(success());
            const auto logins = of_kind(game, Kind::login);
            ASSERT_EQ(logins.size(), 1u) << cut;
            EXPECT_EQ(logins[0].player.address, real) << cut;
        }
        Game slow(balanced());
        for (const char byte : bytes) slow.client_says(std::string(1, byte));
        slow.server_says(success());
        const auto logins = of_kind(slow, Kind::login);
        ASSERT_EQ(logins.size(), 1u);
        EXPECT_EQ(logins[0].player.address, real);
    }
}

TEST(ProxyHeader, OfAHealthCheckNamesNobody) {
    Game game(balanced());
    log_in(game, "\r\n\r\n\0\r\nQUIT\n\x20\0\0\0"s + hello());
    const auto logins = of_kind(game, Kind::login);
    ASSERT_EQ(logins.size(), 1u);
    EXPECT_FALSE(logins[0].player.address_told());
    EXPECT_EQ(logins[0].culprit(), std::nullopt) << "only the proxy's address is known";
    EXPECT_EQ(faults(game, protocol::Fault::no_proxy_header), 0u);
}

TEST(ProxyHeader, ThatDoesNotComeIsNamedAndTheGameIsReadAllTheSame) {
    for (const std::string& first : {hello(), "\xfe\x01\xfa"s}) {
        Game game(balanced());
        EXPECT_TRUE(game.client_says(first));
        EXPECT_EQ(faults(game, protocol::Fault::no_proxy_header), 1u);
    }
    Game game(balanced());
    log_in(game, hello());
    const auto logins = of_kind(game, Kind::login);
    ASSERT_EQ(logins.size(), 1u);
    EXPECT_FALSE(logins[0].player.address_told());
}

// Whoever reads the header less strictly goes on to the game behind it.
TEST(ProxyHeader, ThatIsBrokenAndEndsIsNotBelievedAndTheGameIsRead) {
    const std::string bad_sum =
        "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x13\xcb\0\x71\x09\x0a\0\0\2\x9c\x40\x63\xdd\3\0\4\1\2\3\4"s;
    for (const std::string& front : {"PROXY TCP4 203.0.113.9 10.0.0.2 040000 25565\r\n"s,
                                     "PROXY TCP4 nobody 10.0.0.2 1 2\r\n"s, bad_sum}) {
        Game game(balanced());
        log_in(game, front + hello());
        EXPECT_EQ(faults(game, protocol::Fault::bad_proxy_header), 1u);
        EXPECT_EQ(game.noticed(Notice::decoder_error), 0u);
        const auto logins = of_kind(game, Kind::login);
        ASSERT_EQ(logins.size(), 1u);
        EXPECT_FALSE(logins[0].player.address_told());
        EXPECT_EQ(logins[0].culprit(), std::nullopt) << "only the proxy's address is known";
    }
}

// Servers take up to 64 KiB of it.
TEST(ProxyHeader, ThatIsTooLongToBeBelievedIsSkipped) {
    for (const size_t size : {size_t{4097}, size_t{0xffff} + 16}) {
        std::string front = "\r\n\r\n\0\r\nQUIT\n\x21\x11"s;
        front += static_cast<char>((size - 16) >> 8);
        front += static_cast<char>((size - 16) & 0xff);
        front.resize(size, '\4');
        const std::string bytes = front + hello();
        Game game(balanced());
        for (size_t at = 0; at < bytes.size(); at += 1000) {
            EXPECT_TRUE(game.client_says(bytes.substr(at, 1000)));
            game.server_says("");  // It acknowledges.
        }
        log_in(game, "");
        EXPECT_EQ(faults(game, protocol::Fault::bad_proxy_header), 1u);
        EXPECT_EQ(of_kind(game, Kind::login).size(), 1u) << size;
    }
}

TEST(ProxyHeader, ThatIsBrokenMeetsThePolicyOfTheDecoder) {
    const std::string broken = "PROXY UNKNOWN " + std::string(200, 'x') + hello();
    Game open(balanced());
    EXPECT_TRUE(open.client_says(broken));
    EXPECT_TRUE(open.client_says(login_start()));
    EXPECT_EQ(faults(open, protocol::Fault::bad_proxy_header), 1u);
    EXPECT_EQ(open.noticed(Notice::decoder_error), 1u);
    EXPECT_TRUE(of_kind(open, Kind::login).empty());

    config::Config config = balanced();
    config.on_failure.decoder = config::OnFailure::closed;
    Game closed(config);
    EXPECT_FALSE(closed.client_says(broken));
    EXPECT_EQ(closed.last_drop(), DropReason::decoder_error);
    EXPECT_FALSE(closed.client_says(login_start()));
}

TEST(ProxyHeader, ThatNobodyExpectsIsNamedReadAndNotBelieved) {
    Game game(testing::configuration());
    log_in(game, header + hello());
    EXPECT_EQ(faults(game, protocol::Fault::unexpected_proxy_header), 1u);
    const auto logins = of_kind(game, Kind::login);
    ASSERT_EQ(logins.size(), 1u) << "what a server reads behind it is inspected";
    EXPECT_FALSE(logins[0].player.address_told());
    EXPECT_EQ(logins[0].culprit(), proxy.address);
}

TEST(ProxyHeader, FromAStrangerIsNotBelieved) {
    config::Config config = balanced();
    config.policies[0].ladder = {{0.1, policy::Action::kick}};
    config.services[0].proxies = {*parse_prefix("10.9.9.0/24")};
    Game game(config);
    EXPECT_FALSE(game.client_says(header + hello() + login_start()));
    const auto told = of_kind(game, Kind::verdict);
    ASSERT_EQ(told.size(), 1u);
    EXPECT_EQ(checks::check_names[told[0].check], "identity.forwarding");
    EXPECT_EQ(told[0].note.view(), "stranger");
    EXPECT_FALSE(told[0].player.address_told());
    EXPECT_EQ(told[0].culprit(), proxy.address) << "no proxy, so its address is its own";
}

// ---- blocking ----

TEST(Blocked, ThePlayerBehindTheProxyIsKeptOutAndNobodyElse) {
    Game blocked(balanced());
    blocked.obey(block(real));
    EXPECT_FALSE(blocked.client_says(header + hello() + login_start()));
    EXPECT_EQ(blocked.last_drop(), DropReason::blocked);
    EXPECT_EQ(blocked.noticed(Notice::blocked_in_front), 1u);
    EXPECT_EQ(blocked.injected.size(), 2u) << "both sides are told";

    Game other(balanced());
    other.obey(block(real));
    log_in(other, "PROXY TCP4 203.0.113.10 10.0.0.2 40000 25565\r\n" + hello());
    EXPECT_EQ(of_kind(other, Kind::login).size(), 1u);
}

TEST(Blocked, WhoIsPlayingAlreadyIsSeveredWhenHeSpeaks) {
    Game game(balanced());
    log_in(game, header + hello());
    game.obey(block(*parse_address("203.0.113.10")));
    EXPECT_TRUE(game.client_says(plain_frame(packet(0x10).i64(1).str())));
    game.obey(block(real));
    EXPECT_FALSE(game.client_says(plain_frame(packet(0x10).i64(1).str())));
    EXPECT_EQ(game.last_drop(), DropReason::blocked);
    EXPECT_FALSE(game.client_says(plain_frame(packet(0x10).i64(1).str())));
    EXPECT_EQ(game.last_drop(), DropReason::flow_dead);
}

TEST(Blocked, AStatusRequestToo) {
    Game game(balanced());
    game.obey(block(real));
    EXPECT_FALSE(game.client_says(header + hello("play.example", 1)));
    EXPECT_EQ(game.last_drop(), DropReason::blocked);
}

TEST(Blocked, NothingIsTouchedWhileObserving) {
    config::Config config = balanced();
    config.mode = verdicts::Mode::observe;
    Game game(config);
    game.obey(block(real));
    EXPECT_TRUE(game.client_says(header + hello() + login_start()));
    EXPECT_EQ(game.noticed(Notice::blocked_in_front), 1u);
    EXPECT_TRUE(game.injected.empty());
}

TEST(Blocked, AProxyThatIsNamedNeverIs) {
    config::Config config = balanced();
    config.services[0].proxies = {{proxy.address, 128}};
    Game game(config);
    game.obey(block(proxy.address));
    EXPECT_TRUE(game.client_says(header + hello() + login_start()));
}

// ---- BungeeCord ----

std::string bungeecord(const std::string& properties = "") {
    std::string host = "play.example\000203.0.113.9\0"s + uuid_text;
    if (!properties.empty()) host += '\0' + properties;
    return hello(host);
}
std::string with_token(const std::string& token) {
    return bungeecord(R"([{"name":"bungeeguard-token","value":")" + token + R"("}])");
}

TEST(BungeeCord, ForwardsTheAddress) {
    Game game(forwarded(config::Forwarding::bungeecord, false));
    log_in(game, bungeecord());
    const auto logins = of_kind(game, Kind::login);
    ASSERT_EQ(logins.size(), 1u);
    EXPECT_EQ(logins[0].player.address, real);
    EXPECT_EQ(logins[0].player.version, 754);
}

TEST(BungeeCord, NeedsTheTokenWhereOneIsConfigured) {
    Game good(forwarded(config::Forwarding::bungeecord));
    log_in(good, with_token(secret));
    ASSERT_EQ(of_kind(good, Kind::login).size(), 1u);

    for (const std::string& first : {bungeecord(), with_token("guess")}) {
        Game forged(forwarded(config::Forwarding::bungeecord));
        EXPECT_FALSE(forged.client_says(first + login_start()));
        const auto told = of_kind(forged, Kind::verdict);
        ASSERT_EQ(told.size(), 1u);
        EXPECT_EQ(told[0].note.view(), "forged");
        EXPECT_EQ(told[0].action, policy::Action::kick);
        EXPECT_FALSE(told[0].player.address_told());
        EXPECT_EQ(told[0].player.uuid, protocol::Uuid{});
    }
}

TEST(BungeeCord, MissingIsOnlyWrittenDown) {
    Game game(forwarded(config::Forwarding::bungeecord));
    EXPECT_TRUE(game.client_says(hello() + login_start()));
    const auto told = of_kind(game, Kind::verdict);
    ASSERT_EQ(told.size(), 1u);
    EXPECT_EQ(told[0].note.view(), "missing");
    EXPECT_FALSE(told[0].acts);

    Game status(forwarded(config::Forwarding::bungeecord));
    status.client_says(hello("play.example", 1));
    EXPECT_TRUE(of_kind(status, Kind::verdict).empty()) << "status requests have none";
}

TEST(BungeeCord, IsNotBelievedWhereItIsNotConfigured) {
    Game game(testing::configuration());
    log_in(game, bungeecord());
    const auto told = game.told();
    ASSERT_EQ(told.size(), 2u);
    EXPECT_EQ(told[0].note.view(), "unexpected");
    EXPECT_FALSE(told[0].acts);
    EXPECT_FALSE(told[1].player.address_told());
}

// ---- Velocity ----

std::string signed_answer(const std::string& key) {
    const std::string said =
        Made().varint(4).text("203.0.113.9").raw(uuid_bytes).text("Alice").varint(0).str();
    std::string mac(32, '\0');
    unsigned size = 0;
    HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
         reinterpret_cast<const unsigned char*>(said.data()), said.size(),
         reinterpret_cast<unsigned char*>(mac.data()), &size);
    return mac + said;
}
std::string answer(const std::string& data) {
    return plain_frame(packet(2).varint(-5).boolean(true).raw(data).str());
}
void ask(Game& game) {
    game.client_says(hello() + login_start());
    game.server_says(
        plain_frame(packet(4).varint(-5).text(minecraft::velocity_channel).u8(4).str()));
}

TEST(Velocity, ForwardsWhatTheSecretProves) {
    Game game(forwarded(config::Forwarding::velocity));
    ask(game);
    EXPECT_TRUE(game.client_says(answer(signed_answer(secret))));
    game.server_says(success());
    const auto logins = of_kind(game, Kind::login);
    ASSERT_EQ(logins.size(), 1u);
    EXPECT_EQ(logins[0].player.address, real);
    EXPECT_EQ(logins[0].player.uuid[0], 0x06);
}

TEST(Velocity, AForgerIsThrownOut) {
    Game game(forwarded(config::Forwarding::velocity));
    ask(game);
    EXPECT_FALSE(game.client_says(answer(signed_answer("guess"))));
    const auto told = of_kind(game, Kind::verdict);
    ASSERT_EQ(told.size(), 1u);
    EXPECT_EQ(told[0].note.view(), "forged");
    EXPECT_EQ(told[0].action, policy::Action::kick);
    EXPECT_FALSE(told[0].player.address_told());
    EXPECT_EQ(told[0].culprit(), std::nullopt) << "the claimed address is another's";
}

TEST(Velocity, WhoComesPastTheProxyIsWrittenDown) {
    Game game(forwarded(config::Forwarding::velocity));
    ask(game);
    EXPECT_TRUE(game.client_says(plain_frame(packet(2).varint(-5).boolean(false).str())));
    const auto told = of_kind(game, Kind::verdict);
    ASSERT_EQ(told.size(), 1u);
    EXPECT_EQ(told[0].note.view(), "missing");
}

TEST(Velocity, TheBlockedAreKeptOutOnceTheyAreKnown) {
    Game game(forwarded(config::Forwarding::velocity));
    game.obey(block(real));
    ask(game);
    EXPECT_FALSE(game.client_says(answer(signed_answer(secret))));
    EXPECT_EQ(game.last_drop(), DropReason::blocked);
}

// ---- what follows from it ----

TEST(InFront, ExemptionsGoByThePlayersOwnAddress) {
    for (const auto& [address, spared] : {std::pair(real, true), std::pair(proxy.address, false)}) {
        config::Config config = balanced();
        config.policies[0].ladder = {{0.1, policy::Action::kick}};
        config.policies[0].exempt_addresses = {{address, 128}};
        Game game(config);
        log_in(game, header + hello());
        game.server_says(plain_frame(packet(0x24).i32(7).str()));
        game.told();
        // Serverbound look of 1.16.5, with a head turned too far.
        const std::string look = plain_frame(packet(0x14).f32(0).f32(120).boolean(true).str());
        EXPECT_EQ(game.client_says(look), spared);
    }
}

TEST(InFront, FloodgateIsBelievedOnlyWhereItIsConfigured) {
    Game game(testing::configuration());
    log_in(game, hello("play.example\0^Floodgate^>iv!data"s));
    const auto logins = of_kind(game, Kind::login);
    ASSERT_EQ(logins.size(), 1u);
    EXPECT_TRUE(logins[0].player.floodgate) << "noted in any case";
}

TEST(InFront, TheModLoaderIsNoted) {
    Game game(testing::configuration());
    log_in(game, hello("play.example\0FML3\0"s));
    const auto logins = of_kind(game, Kind::login);
    ASSERT_EQ(logins.size(), 1u);
    EXPECT_EQ(logins[0].player.loader.view(), "FML3");
}

}  // namespace
}  // namespace portcullis::stages
