// Goal: records read exactly as documented, whatever a player calls himself,
// and ids, times and UUIDs read back as they were written.
// Method: literal expected lines; hostile names through a strict JSON parser.

#include "verdicts/json.h"

#include <limits>
#include <nlohmann/json.hpp>

#include <gtest/gtest.h>

#include "records/id.h"

namespace portcullis::verdicts {
namespace {

constexpr std::string_view checks[] = {"movement.fly", "movement.speed"};
constexpr std::string_view services[] = {"survival"};
constexpr Names names{checks, services};

VerdictRecord alice() {
    VerdictRecord record;
    record.action = policy::Action::kick;
    record.check = 1;
    record.confidence = 0.97f;
    record.level = 12.5f;
    record.time = *parse_time("2026-11-20T03:21:07.123456Z");
    record.client = *parse_endpoint("198.51.100.7:50122");
    record.server = *parse_endpoint("10.0.0.2:25565");
    record.player.name.assign("Alice");
    record.in_game = true;
    record.player.uuid = *parse_uuid("069a79f4-44e9-4726-a5be-fca90e38aaf5");
    record.player.version = 767;
    record.observed = 1.42;
    record.limit = 0.71;
    record.unit.assign("blocks/tick");
    record.id_high = 0x0190a6c25d3f7001;
    record.id_low = 0x9c412f0000000007;
    return record;
}

TEST(Json, SaysAVerdictAsDocumented) {
    EXPECT_EQ(to_json(alice(), names),
              R"({"type":"verdict","id":"0190a6c2-5d3f-7001-9c41-2f0000000007",)"
              R"("time":"2026-11-20T03:21:07.123456Z","service":"survival",)"
              R"("protocol":"minecraft","flow":{"client":"198.51.100.7:50122",)"
              R"("server":"10.0.0.2:25565"},"player":{"name":"Alice",)"
              R"("uuid":"069a79f4-44e9-4726-a5be-fca90e38aaf5","version":767},)"
              R"("check":"movement.speed","confidence":0.97,"level":12.5,"action":"kick",)"
              R"("mode":"enforce","evidence":{"observed":1.42,"limit":0.71,)"
              R"("unit":"blocks/tick"}})");
}

TEST(Json, SaysWhoOnlyCallsHimselfSo) {
    VerdictRecord record = alice();
    EXPECT_EQ(to_text(record, names).find("calls himself"), std::string::npos);
    record.in_game = false;
    EXPECT_NE(to_json(record, names).find(R"("version":767,"in_game":false},)"), std::string::npos);
    EXPECT_TRUE(to_text(record, names).ends_with("; not in the game, he only calls himself so"));
    record.player.name.assign("");  // Nobody said a name.
    EXPECT_EQ(to_json(record, names).find("in_game"), std::string::npos);
}

TEST(Json, SaysComingAndGoing) {
    VerdictRecord record = alice();
    record.kind = VerdictRecord::Kind::login;
    EXPECT_EQ(to_json(record, names),
              R"({"type":"login","id":"0190a6c2-5d3f-7001-9c41-2f0000000007",)"
              R"("time":"2026-11-20T03:21:07.123456Z","service":"survival",)"
              R"("flow":{"client":"198.51.100.7:50122","server":"10.0.0.2:25565"},)"
              R"("player":{"name":"Alice","uuid":"069a79f4-44e9-4726-a5be-fca90e38aaf5",)"
              R"("version":767}})");
    record.kind = VerdictRecord::Kind::disconnect;
    record.end = EndReason::kicked;
    EXPECT_EQ(to_json(record, names),
              R"({"type":"disconnect","id":"0190a6c2-5d3f-7001-9c41-2f0000000007",)"
              R"("time":"2026-11-20T03:21:07.123456Z",)"
              R"("flow":{"client":"198.51.100.7:50122","server":"10.0.0.2:25565"},)"
              R"("player":{"name":"Alice","uuid":"069a79f4-44e9-4726-a5be-fca90e38aaf5",)"
              R"("version":767},"reason":"kicked"})");
}

TEST(Json, SaysWhatAProxyTold) {
    VerdictRecord record = alice();
    record.kind = VerdictRecord::Kind::login;
    record.player.address = *parse_address("203.0.113.9");
    record.player.loader.assign("FML3");
    record.player.floodgate = true;
    EXPECT_NE(to_json(record, names)
                  .find(R"("version":767,"address":"203.0.113.9","loader":"FML3",)"
                        R"("floodgate":true}})"),
              std::string::npos);
    std::string text;
    append_text(text, record, "", "survival");
    EXPECT_NE(text.find("203.0.113.9"), std::string::npos) << "his own address, not the proxy's";
    EXPECT_EQ(text.find("198.51.100.7"), std::string::npos);
}

TEST(Json, IsJsonWhateverAPlayerSends) {
    for (unsigned first = 0; first < 256; ++first) {
        for (unsigned second = 0; second < 256; ++second) {
            VerdictRecord record = alice();
            const char text[] = {static_cast<char>(first), static_cast<char>(second)};
            record.player.name = std::string_view(text, 2);
            record.note = record.player.name.view();
            const auto parsed = nlohmann::json::parse(to_json(record, names));  // Throws if not.
            if (first < 0x80 && second < 0x80) {
                EXPECT_EQ(parsed["player"]["name"], std::string(text, 2));
            }
        }
    }
}

TEST(Json, HasNoWordForWhatIsNotANumber) {
    VerdictRecord record = alice();
    record.observed = std::numeric_limits<double>::quiet_NaN();
    record.limit = std::numeric_limits<double>::infinity();
    const auto parsed = nlohmann::json::parse(to_json(record, names));
    EXPECT_TRUE(parsed["evidence"]["observed"].is_null());
    EXPECT_TRUE(parsed["evidence"]["limit"].is_null());
}

TEST(Text, IsOneLineWhateverAPlayerSends) {
    VerdictRecord record = alice();
    record.player.name.assign("Al\x1b[2J\nice");
    const std::string line = to_text(record, names);
    for (const char c : line) EXPECT_GE(static_cast<uint8_t>(c), 0x20);
    EXPECT_NE(line.find("movement.speed"), std::string::npos);
    EXPECT_NE(line.find("1.42 against 0.71 blocks/tick"), std::string::npos);
}

// U+009B begins a terminal's commands as ESC [ does, and old ones take the bare byte for it.
TEST(Text, CommandsOfTheSecondSetReachNoTerminal) {
    VerdictRecord record = alice();
    record.player.name.assign(
        "Al\xc2\x9b"
        "2J\x9b"
        "ice \xc3\xa4");
    const std::string line = to_text(record, names);
    EXPECT_NE(line.find("Al?2J?ice \xc3\xa4"), std::string::npos) << line;
    const std::string json = to_json(record, names);
    EXPECT_EQ(json.find("\xc2\x9b"), std::string::npos) << json;
    EXPECT_EQ(nlohmann::json::parse(json)["player"]["name"],
              "Al\xc2\x9b"
              "2J\xef\xbf\xbd"
              "ice \xc3\xa4");
    std::string fields;
    append_valid_utf8(fields,
                      "a\xc2\x9b"
                      "b");
    EXPECT_EQ(fields, "a\\u009bb");
}

TEST(Time, ReadsBackAsWritten) {
    for (const char* text : {"1970-01-01T00:00:00.000000Z", "2024-02-29T23:59:59.999999Z",
                             "2026-11-20T03:21:07.123456Z"}) {
        const auto time = parse_time(text);
        ASSERT_TRUE(time) << text;
        EXPECT_EQ(time_text(*time), text);
    }
    EXPECT_EQ(parse_time("2026-11-20"), parse_time("2026-11-20T00:00Z"));
    EXPECT_EQ(parse_time("2026-11-20 01:02:03"), parse_time("2026-11-20T01:02:03.000Z"));
    for (const char* text : {"", "now", "2026-13-01", "2026-02-30", "2026-11-20T24:00", "99999",
                             "2026-11-20T01:02:03.Z", "2026-11-20T01:02:03Zx"}) {
        EXPECT_FALSE(parse_time(text)) << text;
    }
}

TEST(Id, SortsByTimeAndNeverRepeats) {
    IdSource one(3, 0x12345678), restarted(3, 0x12345679), other(4, 0x12345678);
    const Nanos now = 1'795'000'000s + 5ms;
    const VerdictId first = one.next(now);
    EXPECT_LT(first, one.next(now));
    EXPECT_LT(one.next(now), one.next(now + 1ms));
    EXPECT_NE(first, restarted.next(now));
    EXPECT_NE(first, other.next(now));
    EXPECT_EQ(first.milliseconds(), 1'795'000'000'005u);
    EXPECT_EQ(first.high >> 12 & 0xf, 7u);  // RFC 9562: version 7,
    EXPECT_EQ(first.low >> 62, 2u);         // variant 10.
}

TEST(Id, ReadsBackAsWritten) {
    IdSource source(0xabc, random_run());
    const VerdictId id = source.next(1'795'000'000s);
    EXPECT_EQ(parse_id(to_string(id)), id);
    EXPECT_EQ(to_string(*parse_id("0190A6C2-5D3F-7001-9C41-2F0000000007")),
              "0190a6c2-5d3f-7001-9c41-2f0000000007");
    for (const char* text : {"", "0190", "0190a6c2x5d3f-7001-9c41-2f0000000007",
                             "0190a6c2-5d3f-7001-9c41-2f000000000g"}) {
        EXPECT_FALSE(parse_id(text)) << text;
    }
}

}  // namespace
}  // namespace portcullis::verdicts
