// Goal: the generated tables say what the protocol is, and are what the generator makes.
// Method: compare all ids with an independently checked list (tests/data/protocol/ids.txt), and
// look at each place where the source data is known to be wrong.

#include "protocol/minecraft/tables.h"

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

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

using Ids = std::set<std::pair<int, std::string>>;

/// A line of tests/data/protocol/ids.txt: what has which id, in some versions.
struct Listed {
    std::string state, direction;  ///< Or "attributes", and nothing.
    std::vector<int32_t> versions;
    Ids ids;
};

std::vector<Listed> listed() {
    std::ifstream file(PORTCULLIS_SOURCE "/tests/data/protocol/ids.txt");
    EXPECT_TRUE(file) << "tests/data/protocol/ids.txt";
    std::vector<Listed> all;
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with('#')) continue;
        Listed& list = all.emplace_back();
        std::istringstream words(line);
        std::string versions, name;
        words >> list.state;
        if (list.state != "attributes") words >> list.direction;
        words >> versions;
        std::istringstream numbers(versions);
        for (std::string number; std::getline(numbers, number, ',');) {
            list.versions.push_back(std::stoi(number));
        }
        for (int id = 0; words >> name; ++id) {
            if (name != "-") list.ids.emplace(id, name);
        }
    }
    return all;
}

Ids ids_in(int32_t version, size_t state, size_t direction) {
    Ids ids;
    const auto rows = tables_of(version).rows[state][direction];
    for (size_t id = 0; id < rows.size(); ++id) {
        if (rows[id].packet != Packet::unknown) ids.emplace(id, packet_name(rows[id].packet));
    }
    return ids;
}

TEST(Tables, HaveTheIdsOfTheList) {
    size_t compared = 0, rows = 0;
    std::set<int32_t> versions;
    for (const Listed& list : listed()) {
        const auto state = std::ranges::find(state_keys, list.state) - state_keys;
        const auto direction = std::ranges::find(direction_keys, list.direction) - direction_keys;
        if (list.state == "attributes") continue;
        ASSERT_TRUE(state < 5 && direction < 2) << list.state << ' ' << list.direction;
        for (const int32_t version : list.versions) {
            EXPECT_EQ(ids_in(version, static_cast<size_t>(state), static_cast<size_t>(direction)),
                      list.ids)
                << version << ' ' << list.state << ' ' << list.direction;
            compared += list.ids.size();
            versions.insert(version);
        }
    }
    // Nor do we have what the list has not.
    for (const Tables& tables : all_tables()) {
        if (!versions.contains(tables.version)) continue;
        for (size_t state = 0; state < Tables::states; ++state) {
            for (size_t way = 0; way < 2; ++way) rows += ids_in(tables.version, state, way).size();
        }
    }
    EXPECT_EQ(rows, compared);
    EXPECT_GE(versions.size(), 46u);
    std::printf("%zu ids of %zu versions compared\n", compared, versions.size());
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

TEST(Corrections, LoginsHaveDimensionsOfFourBytesFrom108On) {
    using enum protocol::Direction;
    const auto program = [](int32_t version) {
        const auto rows = tables_of(version).rows[4][1];
        return rows[static_cast<size_t>(id_of(version, State::play, to_client, Packet::login))]
            .program;
    };
    EXPECT_EQ(program(108), program(109));
    EXPECT_NE(program(107), program(109));
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

TEST(Corrections, WhatARespawnKeepsAreBitsFrom761On) {
    const auto code_of = [](int32_t version) {
        const auto rows = tables_of(version).rows[4][1];
        const Program& program =
            programs()[rows[static_cast<size_t>(id_of(version, State::play,
                                                      protocol::Direction::to_client,
                                                      Packet::respawn))]
                           .program];
        for (const Op& op : ops().subspan(program.first, program.size)) {
            if (op.slot == Slot::copy_metadata) return op.code;
        }
        return Op::Code::stop;
    };
    EXPECT_EQ(code_of(760), Op::Code::boolean);
    for (const int32_t version : {761, 762, 763, 764, 765, 766, 769}) {
        EXPECT_EQ(code_of(version), Op::Code::u8) << version;
    }
}

TEST(Meaning, AttributesOfTheList) {
    size_t compared = 0;
    for (const Listed& list : listed()) {
        if (list.state != "attributes") continue;
        for (const int32_t version : list.versions) {
            for (const auto& [id, name] : list.ids) {
                const auto ours =
                    attribute_by_number(static_cast<int16_t>(find_tables(version)), id);
                const bool is_speed = name.ends_with("movement_speed");
                const bool is_gravity = name.ends_with("gravity");
                EXPECT_EQ(ours == protocol::Attribute::movement_speed, is_speed) << version << name;
                EXPECT_EQ(ours == protocol::Attribute::gravity, is_gravity) << version << name;
                ++compared;
            }
        }
    }
    EXPECT_GT(compared, 200u);
}

// Up to 765 attributes have texts; what mods make an arm longer by is told there.
TEST(Tables, KnowsTheReachOfModdedWeapons) {
    struct {
        std::string_view name;
        protocol::Attribute attribute;
        double told, meant;
    } constexpr cases[] = {
        {"forge:attack_range", protocol::Attribute::entity_interaction_range, 5, 5},
        {"forge:entity_reach", protocol::Attribute::entity_interaction_range, 6, 6},
        {"reach-entity-attributes:attack_range", protocol::Attribute::entity_interaction_range, 3,
         6},
        {"minecraft:generic.movement_speed", protocol::Attribute::movement_speed, 0.1, 0.1},
        {"forge:swim_speed", protocol::Attribute::other, 1, 1},
        {"", protocol::Attribute::other, 1, 1},
    };
    for (const auto& c : cases) {
        const AttributeMeant meant = attribute_by_name(c.name);
        EXPECT_EQ(meant.attribute, c.attribute) << c.name;
        EXPECT_DOUBLE_EQ(meant.on_top_of + c.told, c.meant) << c.name;
    }
}

}  // namespace
}  // namespace portcullis::minecraft
