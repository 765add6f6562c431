// Goal: what was written comes back the same, in this build, in an older one
// that knows fewer fields, and never as something else when bytes are damaged.
// Method: random records there and back; unknown fields put in; every cut and
// every single-byte damage of one record.

#include "verdicts/entry.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <random>

#include <gtest/gtest.h>

#include "verdicts/json.h"

namespace portcullis::verdicts {
namespace {

using Random = std::mt19937_64;

std::string random_text(Random& random, size_t size_max) {
    std::string text(random() % (size_max + 1), ' ');
    for (char& c : text) c = static_cast<char>(random());
    return text;
}

VerdictRecord random_verdict(Random& random) {
    VerdictRecord record;
    record.protocol = static_cast<protocol::Protocol>(random() % 2);
    record.mode = static_cast<Mode>(random() % 2);
    record.action = static_cast<policy::Action>(random() % 7);
    record.worker = static_cast<uint16_t>(random());
    record.acts = random() % 2 == 0;
    record.confidence = static_cast<float>(random() % 1001) / 1000.0f;
    record.level = static_cast<float>(random() % 10'000) / 8.0f;
    record.repeats = random() % 2 == 0 ? 0 : static_cast<uint32_t>(random());
    record.id_high = random();
    record.id_low = random();
    record.time = Nanos(static_cast<int64_t>(random() >> 1));
    record.client = {IpAddress::v4(static_cast<uint32_t>(random())),
                     static_cast<uint16_t>(random())};
    for (uint8_t& octet : record.server.address.octets) octet = static_cast<uint8_t>(random());
    record.server.port = static_cast<uint16_t>(random());
    record.player.name.assign(random_text(random, 32));
    for (uint8_t& octet : record.player.uuid) octet = static_cast<uint8_t>(random());
    record.player.version = static_cast<int32_t>(random());
    for (uint8_t& octet : record.player.address.octets) octet = static_cast<uint8_t>(random());
    record.player.loader.assign(random_text(random, 7));
    record.player.floodgate = random() % 2 == 0;
    record.through_proxy = random() % 2 == 0;
    record.in_game = random() % 2 == 0;
    record.observed = std::bit_cast<double>(random());
    record.limit = static_cast<double>(random() % 1000) - 500;
    record.unit.assign(random_text(random, 23));
    record.note.assign(random_text(random, 47));
    return record;
}

void expect_same(const VerdictRecord& a, const VerdictRecord& b) {
    EXPECT_EQ(a.kind, b.kind);
    EXPECT_EQ(a.worker, b.worker);
    EXPECT_EQ(a.acts, b.acts);
    EXPECT_EQ(a.through_proxy, b.through_proxy);
    EXPECT_EQ(a.in_game, b.in_game);
    EXPECT_EQ(std::bit_cast<uint32_t>(a.confidence), std::bit_cast<uint32_t>(b.confidence));
    EXPECT_EQ(std::isnan(a.observed), std::isnan(b.observed));
    // The rest is all in the text.
    std::string a_json, b_json;
    append_json(a_json, a, "family.check", "service");
    append_json(b_json, b, "family.check", "service");
    EXPECT_EQ(a_json, b_json);
}

std::string encoded(const VerdictRecord& record) {
    std::string bytes;
    encode(bytes, record, "family.check", "service");
    return bytes;
}

TEST(Entry, ReadsBackAsWritten) {
    const uint64_t seed = std::random_device{}();
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Random random(seed);
    for (int i = 0; i < 10'000; ++i) {
        const VerdictRecord record = random_verdict(random);
        const auto entry = decode_entry({record.id_high, record.id_low}, as_bytes(encoded(record)));
        ASSERT_TRUE(entry);
        expect_same(record, entry->record);
        EXPECT_EQ(entry->check, "family.check");
        EXPECT_EQ(entry->service, "service");
    }
}

TEST(Entry, KeepsWhyAPlayerLeft) {
    VerdictRecord record;
    record.kind = VerdictRecord::Kind::disconnect;
    for (size_t i = 0; i < end_reason_names.size(); ++i) {
        record.end = static_cast<EndReason>(i);
        const auto entry = decode_entry({}, as_bytes(encoded(record)));
        ASSERT_TRUE(entry);
        EXPECT_EQ(entry->record.kind, VerdictRecord::Kind::disconnect);
        EXPECT_EQ(entry->record.end, record.end);
    }
}

TEST(Entry, SkipsFieldsThatANewerBuildAdded) {
    Random random(1);
    const VerdictRecord record = random_verdict(random);
    std::string bytes = encoded(record);
    bytes.insert(1, std::string("\xc8\x03new", 5));
    bytes += std::string("\xc9\x00", 2);
    const auto entry = decode_entry({record.id_high, record.id_low}, as_bytes(bytes));
    ASSERT_TRUE(entry);
    expect_same(record, entry->record);
}

TEST(Entry, BelievesOlderBuildsThatAPlayerWasInTheGame) {
    VerdictRecord record;
    record.in_game = true;
    const std::string older = encoded(record);  // They wrote no such field.
    record.in_game = false;
    EXPECT_NE(older, encoded(record));
    EXPECT_TRUE(decode_entry({}, as_bytes(older))->record.in_game);
    EXPECT_FALSE(decode_entry({}, as_bytes(encoded(record)))->record.in_game);
}

TEST(Entry, ReadsANameItDoesNotKnowAsUnknown) {
    std::string bytes(1, static_cast<char>(encoding_version));
    bytes += std::string("\x04\x06", 2) + "banish";
    const auto entry = decode_entry({}, as_bytes(bytes));
    ASSERT_TRUE(entry);
    EXPECT_EQ(name_in(policy::action_names, entry->record.action), "unknown");
}

TEST(Entry, RefusesAnotherVersionAndEveryCutWithinAField) {
    Random random(2);
    const std::string bytes = encoded(random_verdict(random));
    std::string other = bytes;
    other[0] = static_cast<char>(encoding_version + 1);
    EXPECT_FALSE(decode_entry({}, as_bytes(other)));

    size_t whole = 0;
    for (size_t size = 0; size <= bytes.size(); ++size) {
        if (decode_entry({}, as_bytes(std::string_view(bytes).substr(0, size)))) ++whole;
    }
    // Only a cut between two fields passes for a record with fewer of them.
    EXPECT_LT(whole, 29u);
}

TEST(Entry, SurvivesEverySingleDamagedByte) {
    Random random(3);
    const std::string bytes = encoded(random_verdict(random));
    for (size_t at = 0; at < bytes.size(); ++at) {
        for (unsigned value = 0; value < 256; ++value) {
            std::string damaged = bytes;
            damaged[at] = static_cast<char>(value);
            const auto entry = decode_entry({}, as_bytes(damaged));
            if (!entry) continue;
            const VerdictRecord& record = entry->record;
            EXPECT_LE(record.kind, VerdictRecord::Kind::count) << at << ' ' << value;
            EXPECT_LE(record.protocol, protocol::Protocol::count) << at << ' ' << value;
            EXPECT_LE(record.mode, Mode::count) << at << ' ' << value;
            EXPECT_LE(record.action, policy::Action::count) << at << ' ' << value;
            EXPECT_LE(record.end, EndReason::count) << at << ' ' << value;
            std::string json;
            append_json(json, record, entry->check, entry->service);
            EXPECT_TRUE(nlohmann::json::accept(json)) << at << ' ' << value << ' ' << json;
        }
    }
}

TEST(Outcome, ReadsBackAsWritten) {
    Outcome outcome{{1, 2}, Target::webhook, Result::expired, 3, 4, 5s, {}};
    outcome.detail.assign("nobody there");
    outcome.name.assign("/etc/portcullis/discord.url");
    std::string bytes;
    encode(bytes, outcome);
    const auto back = decode_outcome({1, 2}, as_bytes(bytes));
    ASSERT_TRUE(back);
    EXPECT_EQ(back->target, outcome.target);
    EXPECT_EQ(back->result, outcome.result);
    EXPECT_EQ(back->place, outcome.place);
    EXPECT_EQ(back->attempts, outcome.attempts);
    EXPECT_EQ(back->time, outcome.time);
    EXPECT_EQ(back->detail, outcome.detail);
    EXPECT_EQ(back->name, outcome.name);
}

TEST(Entry, KnowsWhoWasAsked) {
    const Asked asked[] = {{Target::wire},
                           {Target::webhook, 3, {"/etc/portcullis/discord.url"}},
                           {Target::rcon, 0, {"survival"}}};
    Random random(5);
    const VerdictRecord record = random_verdict(random);
    std::string bytes;
    encode(bytes, record, "family.check", "service", asked);
    const auto back = decode_entry({1, 2}, as_bytes(bytes));
    ASSERT_TRUE(back);
    ASSERT_EQ(back->asked.size(), std::size(asked));
    for (size_t i = 0; i < std::size(asked); ++i) {
        EXPECT_EQ(back->asked[i].target, asked[i].target);
        EXPECT_EQ(back->asked[i].place, asked[i].place);
        EXPECT_EQ(back->asked[i].name, asked[i].name);
    }
    expect_same(back->record, [&] {
        VerdictRecord same = record;
        same.id_high = 1;
        same.id_low = 2;
        return same;
    }());
    // As an older build wrote it.
    EXPECT_TRUE(decode_entry({1, 2}, as_bytes(encoded(record)))->asked.empty());
}

}  // namespace
}  // namespace portcullis::verdicts
