// Goal: what docs/METRICS.md lists is exposed, and nothing else is.
// Method: a scrape of a whole Control with a service of each game, a sink that has something
// to tell and a fake packet side, against the page's table.

#include <cstdlib>
#include <fstream>
#include <memory>
#include <regex>
#include <set>
#include <sstream>

#include "control/control_test_support.h"
#include "control/state.h"

namespace portcullis::control {
namespace {

using namespace testing;

std::set<std::string> documented() {
    const char* root = std::getenv("PORTCULLIS_SOURCE_ROOT");
    std::ifstream page(std::string(root == nullptr ? "." : root) + "/docs/METRICS.md");
    static const std::regex row(R"(^\| `(portcullis_[a-z_]+)` \|)");
    std::set<std::string> names;
    std::smatch found;
    for (std::string line; std::getline(page, line);) {
        if (std::regex_search(line, found, row)) names.insert(found[1]);
    }
    return names;
}

std::set<std::string> exposed(const std::string& text) {
    static const std::regex type(R"(^# TYPE (\S+) )");
    static const std::regex sample(R"(^([a-z_]+?)(_bucket|_sum|_count)?[{ ])");
    std::set<std::string> typed, sampled, names;
    std::istringstream lines(text);
    std::smatch found;
    for (std::string line; std::getline(lines, line);) {
        if (std::regex_search(line, found, type)) typed.insert(found[1]);
        if (line.starts_with('#') || !std::regex_search(line, found, sample)) continue;
        const std::string whole = found[1].str() + found[2].str();
        names.insert(typed.contains(whole) ? whole : found[1].str());
    }
    return names;
}

TEST(Scrape, ExposesWhatThePageListsAndNothingElse) {
    config::Config config;
    config.wires.push_back({"edge", {}, {}});
    for (const char* service : {"minecraft@10.0.0.2:25565", "shadowland@10.0.0.3:3565"}) {
        config.services.push_back(config::parse_service(service));
    }
    pipeline::FakeWireSide wire{2};
    Heard heard;
    heard.status.outcomes = {{"rcon", "failed", 2}};
    heard.status.conditions = {{"rcon/survival", false, "connection refused"}};
    State state(config, wire, 1s);
    state.sinks.push_back(std::make_unique<Recorder>(heard));
    const std::set<std::string> page = documented();
    EXPECT_GT(page.size(), 60u);
    EXPECT_EQ(exposed(scrape(state)), page);
}

}  // namespace
}  // namespace portcullis::control
