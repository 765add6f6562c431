// Goal: docs/FORMATS.md says of each answer of the admin socket what is in it, and nothing else.
// Method: every command asked of a whole Control with a player, a flow and a block, against
// the page's table.

#include <cstdlib>
#include <fstream>
#include <map>
#include <regex>
#include <set>

#include "control/control_test_support.h"

namespace portcullis::control {
namespace {

using namespace testing;
using Keys = std::set<std::string>;

/// What is in them goes by other names: reasons, rings, kinds of records, traits.
const Keys open_keys = {"drops", "rings", "records", "context"};

/// "`a` `b`; `list[]`: `c`" as a, b, list[] and list[].c.
Keys keys_in(std::string cell) {
    static const std::regex group(R"((?:`([^`]+)`: )?((?:`[^`]+` ?)+))");
    static const std::regex word(R"(`([^`]+)`)");
    Keys keys;
    for (std::sregex_iterator at(cell.begin(), cell.end(), group), end; at != end; ++at) {
        const std::string path = (*at)[1], names = (*at)[2];
        const std::string before = path.empty() ? "" : path + '.';
        if (!path.empty()) keys.insert(path);
        for (std::sregex_iterator name(names.begin(), names.end(), word); name != end; ++name) {
            keys.insert(before + (*name)[1].str());
        }
    }
    return keys;
}

std::map<std::string, Keys> documented() {
    const char* root = std::getenv("PORTCULLIS_SOURCE_ROOT");
    std::ifstream page(std::string(root == nullptr ? "." : root) + "/docs/FORMATS.md");
    static const std::regex row(R"(^\| `([a-z]+)` \| (`.*`) \|$)");
    std::map<std::string, Keys> answers;
    std::smatch found;
    bool here = false;
    for (std::string line; std::getline(page, line);) {
        if (line.starts_with("## ")) here = line == "## Answers of the admin socket";
        if (here && std::regex_search(line, found, row)) answers[found[1]] = keys_in(found[2]);
    }
    return answers;
}

Keys keys_of(const Json& json, const std::string& path = "") {
    Keys keys;
    for (const auto& [name, value] : json.items()) {
        const bool list = value.is_array() && !value.empty() && value[0].is_object();
        const std::string key = path + name + (list ? "[]" : "");
        keys.insert(key);
        if (open_keys.contains(name)) continue;
        if (list || value.is_object()) keys.merge(keys_of(list ? value[0] : value, key + '.'));
    }
    return keys;
}

stages::FlowReport alices_flow() {
    stages::FlowReport r;
    r.client = {IpAddress::v4(0xc6336407), 1};
    r.server = *parse_endpoint("10.0.0.2:25565");
    r.counted = r.has_player = true;
    return r;
}

TEST_F(ControlTest, AnswersAsThePageSays) {
    start();
    {
        const std::lock_guard lock(heard_.mutex);
        heard_.status.conditions = {{"blocklist", false, "its disk is full"}};
    }
    wire_.tell(record(VerdictRecord::Kind::login, "Alice", 1));
    wire_.tell(record(VerdictRecord::Kind::verdict, "Alice", 1));
    ASSERT_TRUE(wait_for([&] { return heard_.count() == 2; }));
    (void)result({{"command", "block"}, {"prefix", "198.51.100.7"}});
    ASSERT_TRUE(wait_for([&] { return result({{"command", "blocks"}}).at("blocks").size() == 1; }));
    wire_.will_report({alices_flow(), last_report(0), last_report(1)});
    const Json asked[] = {
        {{"command", "status"}},
        {{"command", "health"}},
        {{"command", "wires"}},
        {{"command", "services"}},
        {{"command", "workers"}},
        {{"command", "flows"}},
        {{"command", "players"}},
        {{"command", "player"}, {"player", "Alice"}},
        {{"command", "block"}, {"prefix", "198.51.100.8"}},
        {{"command", "blocks"}},
        {{"command", "unblock"}, {"prefix", "198.51.100.9"}},
        {{"command", "trace"}, {"player", "Alice"}},
        {{"command", "traced"}, {"player", "Alice"}},
        {{"command", "kick"}, {"player", "Alice"}},
        {{"command", "sever"}, {"player", "Alice"}},
        {{"command", "config"}},
        {{"command", "reload"}},
    };
    const std::map<std::string, Keys> page = documented();
    EXPECT_EQ(page.size(), std::size(asked));
    for (const Json& request : asked) {
        const std::string command = request.at("command");
        ASSERT_TRUE(page.contains(command)) << command << " is not documented";
        EXPECT_EQ(keys_of(result(request)), page.at(command)) << command;
    }
}

}  // namespace
}  // namespace portcullis::control
