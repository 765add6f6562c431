#include "verdicts/repair.h"

#include <filesystem>
#include <fstream>
#include <utility>

#include <unistd.h>

#include "base/setup_error.h"
#include "verdicts/database.h"
#include "verdicts/reader.h"
#include "verdicts/store.h"

namespace portcullis::verdicts {

namespace {

namespace fs = std::filesystem;

/// Whether records may be there.  A log that was killed while it was first made has none.
bool holds_records(const std::string& path) {
    std::error_code failed;
    for (const auto& file : fs::directory_iterator(path, failed)) {
        const std::string ending = file.path().extension();
        if ((ending == ".sst" || ending == ".log") && file.file_size(failed) > 0) return true;
    }
    return false;
}

/// CURRENT only names the newest list of files, so it can be written anew.
void name_the_newest_list(const std::string& path) {
    std::string newest;
    for (const auto& file : fs::directory_iterator(path)) {
        const std::string name = file.path().filename();
        const auto number = [](const std::string& of) { return std::pair(of.size(), of); };
        if (name.starts_with("MANIFEST-") && number(name) > number(newest)) newest = name;
    }
    std::ifstream in(path + "/CURRENT");
    std::string named;
    if (newest.empty() || (std::getline(in, named) && fs::exists(path + '/' + named))) return;
    std::ofstream(path + "/CURRENT") << newest << '\n';
}

[[noreturn]] void give_up(const std::string& path, const Problem& problem) {
    const bool held = problem.kind == Problem::Kind::held;
    const bool refused = problem.kind == Problem::Kind::refused;
    throw SetupError("verdict log " + path + " cannot be repaired: " + problem.says +
                     (held      ? "; stop the appliance that writes to it"
                      : refused ? "; repair it as the user that it belongs to"
                                : "; move the directory aside, and a new log is begun"));
}

void salvage(const std::string& path, Repaired& repaired) {
    rocksdb::DBOptions options = database_options();
    options.info_log = std::make_shared<Losses>(
        [&repaired](const std::string& line) { repaired.said.push_back(line); });
    const auto status = rocksdb::RepairDB(path, options, family_descriptors({}));
    if (!status.ok()) give_up(path, problem_of(status, path, R_OK | W_OK));
    const auto store = Store::open(path);
    // What the list of files knew of the index is gone with it.
    const auto indexed = store ? (*store)->index_all() : std::unexpected(store.error());
    if (!indexed) throw SetupError("verdict log " + path + ": " + indexed.error().says);
}

}  // namespace

std::string damage_advice(const std::string& path) {
    return "the log is damaged: `portcullis verdicts repair --log " + path +
           "` keeps what can be read, once the appliance is stopped; or move the directory aside, "
           "and a new log is begun";
}

std::string path_of_damaged(const std::string& path) {
    return path.substr(0, path.find_last_not_of('/') + 1) + ".damaged";
}

bool lost_its_beginning(const std::string& path) {
    std::error_code failed;
    return !fs::exists(path + "/CURRENT", failed) && holds_records(path);
}

Repaired repair(const std::string& path) {
    if (!holds_records(path)) throw SetupError("there is no verdict log at " + path);
    Repaired repaired;
    name_the_newest_list(path);
    // Files that he may not read, RocksDB would take for broken ones and put away.
    const auto opened = Store::open(path);
    if (!opened && opened.error().kind == Problem::Kind::refused) give_up(path, opened.error());
    if (!opened) salvage(path, repaired);
    const Reader reader(path);
    reader.each({}, [&](const Entry&) {
        ++repaired.entries;
        return true;
    });
    return repaired;
}

}  // namespace portcullis::verdicts
