// Goal: the generated tables say what the protocol is, and are what the generator makes.
// Method: compare all ids with an independently checked list where that is at hand, and
// look at each place where the source data is known to be wrong.

#include "protocol/minecraft/tables.h"

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include <gtest/gtest.h>

#include "protocol/minecraft/to_client.h"

namespace portcullis::minecraft {
namespace {

constexpr const char* state_keys[] = {"handshaking", "status", "login", "configuration", "play"};
constexpr const char* direction_keys[] = {"serverbound", "clientbound"};

const Tables& tables_of(int32_t version) {
    const int index = find_tables(version);
    EXPECT_GE(index, 0) << version;
    return all_tables()[static_cast<size_t>(index)];
}

/// The id of a packet; -1: there is none.
int id_of(int32_t version, State state, protocol::Direction direction, Packet packet) {
    const auto rows =
        tables_of(version).rows[static_cast<size_t>(state)][static_cast<size_t>(direction)];
    for (size_t id = 0; id < rows.size(); ++id) {
        if (rows[id].packet == packet) return static_cast<int>(id);
    }
    return -1;
}

/// A layout as "name:code name:code".
std::string layout_of(int32_t version, protocol::Direction direction, Packet packet) {
    const auto rows = tables_of(version).rows[4][static_cast<size_t>(direction)];
    std::string text;
    for (const Row& row : rows) {
        if (row.packet != packet || row.program == Row::no_program) continue;
        const Program& program = programs()[row.program];
        for (const Op& op : ops().subspan(program.first, program.size)) {
            text += std::string(field_names()[op.name]) + ' ';
        }
    }
    return text;
}

TEST(Tables, CoverEveryReleaseAndAscend) {
    const auto all = all_tables();
    EXPECT_EQ(all.size(), 49u);
    EXPECT_EQ(all.front().version, 5);
    EXPECT_EQ(all.back().version, 775);
    EXPECT_TRUE(std::ranges::is_sorted(all, {}, &Tables::version));
    for (const int32_t version : {47, 108, 340, 485, 754, 765, 769}) {
        EXPECT_GE(find_tables(version), 0) << version;
    }
    for (const int32_t version : {-1, 0, 4, 46, 48, 776, 777, 1 << 30}) {
        EXPECT_EQ(find_tables(version), -1) << version;
    }
}

TEST(Tables, HoldProgramsThatStayInTheirBounds) {
    for (const Program& program : programs()) {
        ASSERT_LE(size_t{program.first} + program.size, ops().size());
        const auto body = ops().subspan(program.first, program.size);
        for (size_t i = 0; i < body.size(); ++i) {
            const bool block = body[i].code >= Op::Code::open;
            const bool members =
                body[i].code >= Op::Code::bits && !block && body[i].code <= Op::Code::packed_vector;
            if (block) {
                ASSERT_LE(i + 1 + body[i].size, body.size());
            }
            if (members) {
                ASSERT_LE(static_cast<size_t>(body[i].arg) + body[i].size, parts().size());
            }
            ASSERT_LT(body[i].name, field_names().size());
        }
    }
}

std::filesystem::path reference() {
    for (std::filesystem::path at = PORTCULLIS_SOURCE; at.has_relative_path();
         at = at.parent_path()) {
        const auto found = at.parent_path() / "shared" / "reference" / "minecraft-packet-ids.json";
        if (std::filesystem::exists(found)) return found;
    }
    return {};
}

TEST(Tables, HaveTheIdsOfTheReference) {
    const auto path = reference();
    if (path.empty()) GTEST_SKIP() << "no reference beside the source";
    std::ifstream file(path);
    const auto json = nlohmann::json::parse(file);
    int compared = 0;
    for (const auto& [version, protocol] : json["protocols"].items()) {
        for (size_t state = 0; state < Tables::states; ++state) {
            for (size_t direction = 0; direction < 2; ++direction) {
                const auto rows = tables_of(std::stoi(version)).rows[state][direction];
                std::set<std::pair<int, std::string>> ours;
                for (size_t id = 0; id < rows.size(); ++id) {
                    if (rows[id].packet == Packet::unknown) continue;
                    ours.emplace(id, packet_name(rows[id].packet));
                }
                std::set<std::pair<int, std::string>> theirs;
                const auto& all = protocol["all"];
                if (all.contains(state_keys[state])) {
                    for (const auto& [name, id] :
                         all[state_keys[state]][direction_keys[direction]].items()) {
                        if (name != "legacy_server_list_ping") theirs.emplace(id, name);
                    }
                }
                compared += static_cast<int>(theirs.size());
                EXPECT_EQ(ours, theirs)
                    << version << ' ' << state_keys[state] << ' ' << direction_keys[direction];
            }
        }
    }
    std::printf("%d ids compared\n", compared);
}

// ---- faults of the source data, corrected in tools/protocol/source.js ------------

TEST(Corrections, SpectateAndTestBlockAreExchangedIn770) {
    using enum protocol::Direction;
    EXPECT_EQ(id_of(770, State::play, to_server, Packet::spectate), 0x3c);
    EXPECT_EQ(id_of(770, State::play, to_server, Packet::test_instance_block_action), 0x3d);
}

TEST(Corrections, FeetComeBeforeTheHeadIn5) {
    using enum protocol::Direction;
    EXPECT_EQ(layout_of(5, to_server, Packet::position), "x y stance z on_ground ");
    EXPECT_EQ(layout_of(5, to_server, Packet::position_look), "x y stance z yaw pitch on_ground ");
}

TEST(Corrections, AttributesFollowTheRegistry) {
    const auto speed_of = [](int32_t version) {
        for (int32_t number = 0; number < 64; ++number) {
            if (attribute_by_number(static_cast<int16_t>(find_tables(version)), number) ==
                protocol::Attribute::movement_speed) {
                return number;
            }
        }
        return -1;
    };
    EXPECT_EQ(speed_of(766), 17);
    EXPECT_EQ(speed_of(767), 21);
    EXPECT_EQ(speed_of(769), 21);
    EXPECT_EQ(speed_of(771), 22);
    EXPECT_EQ(speed_of(775), 22);
}

TEST(Corrections, EnchantmentsAreOneTypeFrom767On) {
    using enum protocol::Direction;
    const auto program = [](int32_t version) {
        const auto rows = tables_of(version).rows[4][0];
        return rows[static_cast<size_t>(
                        id_of(version, State::play, to_server, Packet::enchant_item))]
            .program;
    };
    EXPECT_EQ(program(774), program(775));
    EXPECT_EQ(program(773), program(774));
}

TEST(Meaning, AttributesOfReference) {
    const auto path = reference();
    if (path.empty()) GTEST_SKIP() << "no reference beside the source";
    std::ifstream file(path);
    const auto json = nlohmann::json::parse(file);
    for (const auto& [version, list] : json["attribute_registry_ids"]["by_protocol"].items()) {
        for (const auto& [name, id] : list.items()) {
            const auto ours = attribute_by_number(
                static_cast<int16_t>(find_tables(std::stoi(version))), id.get<int>());
            const bool is_speed = name.ends_with("movement_speed");
            const bool is_gravity = name.ends_with("gravity");
            EXPECT_EQ(ours == protocol::Attribute::movement_speed, is_speed) << version << name;
            EXPECT_EQ(ours == protocol::Attribute::gravity, is_gravity) << version << name;
        }
    }
}

}  // namespace
}  // namespace portcullis::minecraft
