// Goal: what was told to anybody is found again, whatever happens to the
// process, the disk or the directory; what is lost is counted to the unit.
// Method: a real database in a directory of its own; a child that is killed at
// random moments while it says through a pipe what was committed; the directory
// taken away under a running log.

#include "verdicts/log.h"

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <set>
#include <thread>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/setup_error.h"
#include "verdicts/reader.h"
#include "verdicts/repair.h"
#include "verdicts/store.h"

namespace portcullis::verdicts {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

constexpr std::string_view checks[] = {"movement.fly", "movement.speed", "combat.reach"};
constexpr std::string_view services[] = {"survival", "creative"};
constexpr Names names{checks, services};

class TestDirectory {
public:
    TestDirectory() {
        std::string path = (fs::temp_directory_path() / "portcullis-log-XXXXXX").string();
        if (mkdtemp(path.data()) == nullptr) throw std::runtime_error("mkdtemp");
        path_ = path;
    }
    TestDirectory(const TestDirectory&) = delete;
    TestDirectory& operator=(const TestDirectory&) = delete;
    ~TestDirectory() { fs::remove_all(path_); }
    std::string log() const { return path_ / "log"; }

private:
    fs::path path_;
};

Nanos now() { return std::chrono::system_clock::now().time_since_epoch(); }

VerdictRecord record_of(std::string_view player, uint8_t check, std::string_view address,
                        Nanos time) {
    VerdictRecord record;
    record.player.name.assign(player);
    record.player.uuid = {1, 2, static_cast<uint8_t>(player.front())};
    record.check = check;
    record.client = {*parse_address(address), 50'000};
    record.server = *parse_endpoint("10.0.0.2:25565");
    record.time = time;
    record.confidence = 0.97f;
    record.unit.assign("blocks/tick");
    return record;
}

VerdictRecord some_record() { return record_of("Alice", 1, "198.51.100.7", now()); }

void add(Log& log, const VerdictRecord& record) { log.append(std::span(&record, 1)); }

Log::Settings quick(const std::string& path) {
    Log::Settings settings;
    settings.path = path;
    settings.flush = 2ms;
    settings.retry_first = 10ms;
    settings.retry_max = 20ms;
    return settings;
}

/// True as soon as `done` is, within ten seconds.
bool eventually(const std::function<bool()>& done) {
    for (int i = 0; i < 1000; ++i) {
        if (done()) return true;
        std::this_thread::sleep_for(10ms);
    }
    return false;
}

bool settled(const Log& log) {
    return eventually([&] { return log.counts().waiting == 0; });
}

std::vector<Entry> all(const std::string& path, const Query& query = {}) {
    std::vector<Entry> entries;
    Reader(path).each(query, [&](const Entry& entry) {
        entries.push_back(entry);
        return true;
    });
    return entries;
}

std::string players(const std::vector<Entry>& entries) {
    std::string text;
    for (const Entry& entry : entries) text += std::string(entry.record.player.name.view()) + ' ';
    return text;
}

TEST(Log, FindsByPlayerCheckAddressAndTime) {
    const TestDirectory directory;
    const Nanos start = now();
    {
        Log log(quick(directory.log()), names);
        add(log, record_of("Alice", 1, "198.51.100.7", start));
        add(log, record_of("Bob", 0, "198.51.100.8", start + 1s));
        add(log, record_of("Al", 1, "2001:db8::1", start + 2s));
        add(log, record_of("Alice", 2, "198.51.100.9", start + 3s));
        VerdictRecord login = record_of("Bob", 0, "198.51.100.8", start + 4s);
        login.kind = VerdictRecord::Kind::login;
        add(log, login);
    }
    const std::string path = directory.log();
    EXPECT_EQ(players(all(path)), "Alice Bob Al Alice Bob ");
    EXPECT_EQ(players(all(path, {.newest_first = true})), "Bob Alice Al Bob Alice ");
    EXPECT_EQ(players(all(path, {.player = "aLICE"})), "Alice Alice ");
    EXPECT_EQ(players(all(path, {.player = "Al", .newest_first = true})), "Al ");
    EXPECT_EQ(players(all(path, {.player = uuid_text({1, 2, 'B'})})), "Bob Bob ");
    EXPECT_EQ(players(all(path, {.player = "nobody"})), "");
    EXPECT_EQ(players(all(path, {.check = "movement.speed"})), "Alice Al ");
    EXPECT_EQ(players(all(path, {.player = "Alice", .check = "combat.reach"})), "Alice ");
    EXPECT_EQ(players(all(path, {.address = parse_prefix("2001:db8::1")})), "Al ");
    EXPECT_EQ(players(all(path, {.address = parse_prefix("198.51.100.8/30")})), "Bob Alice Bob ");
    EXPECT_EQ(players(all(path, {.since = start + 1s, .until = start + 3s})), "Bob Al ");
    EXPECT_EQ(players(all(path, {.player = "Alice", .since = start + 1s})), "Alice ");
    EXPECT_EQ(players(all(path, {.until = start + 1s, .newest_first = true})), "Alice ");
    EXPECT_EQ(players(all(path, {.verdicts_only = true})), "Alice Bob Al Alice ");
    EXPECT_EQ(players(all(path, {.min_confidence = 0.98})), "");
    EXPECT_EQ(players(all(path, {.min_confidence = 0.97})), "Alice Bob Al Alice ");
}

// Each way to ask reads what it finds and the key at which it ends, whatever else
// the log holds.
TEST(Log, ReadsNoMoreKeysThanItAnswersWith) {
    const TestDirectory directory;
    const Nanos start = now() - 24h;
    constexpr size_t hours = 24, a_round = 100, rounds = hours * 4;
    {
        Log log(quick(directory.log()), names);
        for (size_t round = 0; round < rounds; ++round) {
            for (size_t i = 0; i < a_round; ++i) {
                const bool him = i == 0;
                add(log, record_of(him ? "Alice" : "Bob" + std::to_string(i), him ? 2 : 1,
                                   him ? "198.51.100.7" : "203.0.113." + std::to_string(i),
                                   start + round * 15min + i * 1s));
            }
        }
    }
    const Reader reader(directory.log());
    const auto cost = [&](const Query& query) {
        const uint64_t before = reader.keys_read();
        size_t found = 0;
        reader.each(query, [&](const Entry&) { return ++found, true; });
        return std::pair(found, reader.keys_read() - before);
    };
    const auto expect = [&](const char* what, const Query& query, size_t found) {
        EXPECT_EQ(cost(query).first, found) << what;
        EXPECT_LE(cost(query).second, found + 1) << what;
    };
    const Nanos hour = start + 5h - 5min;
    expect("a player", {.player = "alice"}, rounds);
    expect("his UUID", {.player = uuid_text({1, 2, 'A'})}, rounds);
    expect("a check", {.check = "combat.reach"}, rounds);
    expect("an address", {.address = parse_prefix("198.51.100.7")}, rounds);
    expect("an hour", {.since = hour, .until = hour + 55min}, 4 * a_round);
    expect("an hour, backwards", {.since = hour, .until = hour + 55min, .newest_first = true},
           4 * a_round);
    expect("a player's hour", {.player = "Alice", .since = hour, .until = hour + 55min}, 4);
    expect("a check's hour", {.check = "combat.reach", .since = hour, .until = hour + 55min}, 4);
    expect("an address's hour",
           {.address = parse_prefix("198.51.100.7"), .since = hour, .until = hour + 55min}, 4);
}

TEST(Log, FindsWhoIsBehindAProxyByHisOwnAddressAndByTheProxys) {
    const TestDirectory directory;
    {
        Log log(quick(directory.log()), names);
        VerdictRecord behind = record_of("Alice", 1, "10.0.0.9", now());
        behind.player.address = *parse_address("203.0.113.9");
        add(log, behind);
        add(log, record_of("Bob", 0, "10.0.0.9", now()));
    }
    const std::string path = directory.log();
    EXPECT_EQ(players(all(path, {.address = parse_prefix("203.0.113.9")})), "Alice ");
    EXPECT_EQ(players(all(path, {.address = parse_prefix("203.0.113.0/24")})), "Alice ");
    EXPECT_EQ(players(all(path, {.address = parse_prefix("10.0.0.9")})), "Alice Bob ");
}

TEST(Log, IsReadWhileItIsWritten) {
    const TestDirectory directory;
    Log log(quick(directory.log()), names);
    Reader reader(directory.log());
    const auto count = [&] {
        size_t found = 0;
        reader.each({}, [&](const Entry&) { return ++found, true; });
        return found;
    };
    EXPECT_EQ(count(), 0u);
    for (size_t round = 1; round <= 5; ++round) {
        for (int i = 0; i < 1000; ++i) add(log, some_record());
        ASSERT_TRUE(settled(log));
        reader.catch_up();
        EXPECT_EQ(count(), round * 1000);
    }
}

TEST(Log, TellsOnlyWhatCanBeRead) {
    const TestDirectory directory;
    std::atomic<uint64_t> told = 0, missing = 0;
    {
        Log log(quick(directory.log()), names, [&](std::span<const VerdictRecord> records) {
            const Reader reader(directory.log());
            for (const VerdictRecord& record : records) {
                ++told;
                if (!reader.find({record.id_high, record.id_low})) ++missing;
            }
        });
        for (int i = 0; i < 100; ++i) add(log, some_record());
    }
    EXPECT_EQ(told, 100u);
    EXPECT_EQ(missing, 0u);
}

TEST(Log, KeepsOutcomesWithTheirVerdict) {
    const TestDirectory directory;
    VerdictRecord record = some_record();
    const VerdictId id = IdSource(1, 1).next(record.time);
    record.id_high = id.high;
    record.id_low = id.low;
    {
        Log log(quick(directory.log()), names);
        add(log, record);
        log.append(Outcome{id, Target::rcon, Result::done, 0, 1, now(), {"Kicked Alice"}});
        log.append(Outcome{id, Target::webhook, Result::failed, 1, 3, now(), {"status 500"}});
        // The last word on one target counts.
        log.append(Outcome{id, Target::webhook, Result::done, 1, 4, now(), {}});
    }
    const Reader reader(directory.log());
    ASSERT_TRUE(reader.find(id));
    const auto outcomes = reader.outcomes(id);
    ASSERT_EQ(outcomes.size(), 2u);
    EXPECT_EQ(outcomes[0].target, Target::rcon);
    EXPECT_EQ(outcomes[0].detail.view(), "Kicked Alice");
    EXPECT_EQ(outcomes[1].target, Target::webhook);
    EXPECT_EQ(outcomes[1].result, Result::done);
    EXPECT_EQ(outcomes[1].place, 1);
}

TEST(Log, AsksOfWhatAnEarlierRunLeftWithoutAnEndAndOfNothingElse) {
    const TestDirectory directory;
    const auto verdict = [](uint32_t number, Nanos time, policy::Action action) {
        VerdictRecord record = record_of("P" + std::to_string(number), 1, "198.51.100.7", time);
        const VerdictId id = IdSource(1, number).next(time);
        record.id_high = id.high;
        record.id_low = id.low;
        record.action = action;
        return record;
    };
    const VerdictRecord old = verdict(1, now() - 1h, policy::Action::kick);
    const VerdictRecord ended = verdict(2, now() - 2min, policy::Action::kick);
    const VerdictRecord left = verdict(3, now() - 1min, policy::Action::alert);
    const auto outcome_of = [](const VerdictRecord& record, Result result) {
        return Outcome{{record.id_high, record.id_low}, Target::wire, result, 0, 1, now(), {}};
    };
    {
        Log log(quick(directory.log()), names);
        for (const auto& record : {old, ended, left}) add(log, record);
        add(log, verdict(4, now(), policy::Action::log));
        log.append(outcome_of(ended, Result::done));
    }
    std::vector<std::string> asked;
    {
        Log log(quick(directory.log()), names, {}, [&](const Entry& entry, const auto& outcomes) {
            asked.push_back(std::string(entry.record.player.name.view()) + " has " +
                            std::to_string(outcomes.size()));
            if (!outcomes.empty()) return std::vector<Outcome>();
            return std::vector{outcome_of(entry.record, Result::expired)};
        });
        add(log, verdict(5, now(), policy::Action::kick));
    }
    EXPECT_EQ(asked, (std::vector<std::string>{"P3 has 0", "P2 has 1"}));
    const Reader reader(directory.log());
    const auto end = reader.outcomes({left.id_high, left.id_low});
    ASSERT_EQ(end.size(), 1u);
    EXPECT_EQ(end[0].result, Result::expired);
    EXPECT_TRUE(reader.outcomes({old.id_high, old.id_low}).empty());
    EXPECT_EQ(reader.outcomes({ended.id_high, ended.id_low})[0].result, Result::done);
}

TEST(Log, SaysWhatToDoWhenItCannotBeOpened) {
    const TestDirectory directory;
    std::ofstream(directory.log()) << "a file";
    try {
        Log log(quick(directory.log()), names);
        FAIL() << "a file was taken for a directory";
    } catch (const SetupError& error) {
        EXPECT_NE(std::string(error.what()).find(directory.log()), std::string::npos);
        EXPECT_NE(std::string(error.what()).find("verdict_log.path"), std::string::npos);
    }
    EXPECT_THROW(Reader(directory.log() + "/none"), SetupError);
}

TEST(Log, RefusesASecondWriter) {
    const TestDirectory directory;
    Log log(quick(directory.log()), names);
    try {
        Log second(quick(directory.log()), names);
        FAIL() << "two writers";
    } catch (const SetupError& error) {
        EXPECT_NE(std::string(error.what()).find("another appliance"), std::string::npos);
    }
}

TEST(Log, PutsADamagedOneAsideAndBeginsAnew) {
    const TestDirectory directory;
    {
        Log log(quick(directory.log()), names);
        add(log, some_record());
    }
    for (const auto& file : fs::directory_iterator(directory.log())) {
        if (!file.path().filename().string().starts_with("MANIFEST-")) continue;
        std::fstream manifest(file.path(), std::ios::in | std::ios::out | std::ios::binary);
        manifest.seekp(20) << "damage";
    }
    const std::string aside = directory.log() + ".damaged";
    {
        Log log(quick(directory.log() + "/"), names);
        EXPECT_NE(log.trouble().find("verdicts repair --log " + aside), std::string::npos)
            << log.trouble();
        add(log, some_record());
        ASSERT_TRUE(settled(log));
        EXPECT_NE(log.trouble(), "") << "a person is to hear of it";
        EXPECT_EQ(repair(aside).entries, 1u) << "while the new one is written";
        fs::remove_all(aside);
        EXPECT_TRUE(eventually([&] { return log.trouble().empty(); }));
    }
    EXPECT_EQ(all(directory.log()).size(), 1u);

    // A second one finds its place taken: nothing is lost, and nothing written.
    fs::remove(directory.log() + "/CURRENT");
    fs::create_directory(aside);
    Log log(quick(directory.log()), names);
    EXPECT_NE(log.trouble().find("the log is damaged"), std::string::npos) << log.trouble();
    EXPECT_TRUE(fs::exists(directory.log()));
}

TEST(Log, GoesOnWhenItsDirectoryIsRemoved) {
    const TestDirectory directory;
    Log log(quick(directory.log()), names);
    add(log, some_record());
    ASSERT_TRUE(settled(log));

    fs::remove_all(directory.log());
    for (int i = 0; i < 100; ++i) {
        add(log, some_record());
        std::this_thread::sleep_for(1ms);
    }
    ASSERT_TRUE(settled(log));
    EXPECT_EQ(log.trouble(), "");
    EXPECT_EQ(log.counts().lost_verdicts, 0u);
    EXPECT_GE(log.counts().failures, 1u);
    EXPECT_EQ(all(directory.log()).size(), 100u);  // All that came after the removal.
}

TEST(Log, CountsWhatItLosesToTheUnitAndLosesVerdictsLast) {
    const TestDirectory directory;
    Log::Settings settings = quick(directory.log());
    settings.queue_max = 100;
    Log log(settings, names);
    fs::remove_all(directory.log());
    std::ofstream(directory.log()) << "in the way";
    add(log, some_record());
    ASSERT_TRUE(eventually([&] { return !log.trouble().empty(); }));

    VerdictRecord login = some_record();
    login.kind = VerdictRecord::Kind::login;
    for (int i = 0; i < 80; ++i) add(log, login);
    for (int i = 0; i < 80; ++i) add(log, some_record());
    Log::Counts counts = log.counts();
    EXPECT_EQ(counts.lost_others, 30u);    // Half the queue is theirs.
    EXPECT_EQ(counts.lost_verdicts, 30u);  // The other half and no more is verdicts'.
    EXPECT_EQ(counts.taken, 161u);
    EXPECT_EQ(counts.waiting, 101u);

    fs::remove(directory.log());
    ASSERT_TRUE(settled(log));
    counts = log.counts();
    EXPECT_EQ(counts.stored, 101u);
    EXPECT_EQ(counts.taken, counts.stored + counts.lost_verdicts + counts.lost_others);
    EXPECT_EQ(all(directory.log()).size(), 101u);
}

TEST(Log, EndsWithinItsLimitAndCountsTheRest) {
    const TestDirectory directory;
    Log log(quick(directory.log()), names);
    fs::remove_all(directory.log());
    std::ofstream(directory.log()) << "in the way";
    for (int i = 0; i < 10; ++i) add(log, some_record());
    const auto start = std::chrono::steady_clock::now();
    log.finish(200ms);
    EXPECT_LT(std::chrono::steady_clock::now() - start, 2s);
    EXPECT_EQ(log.counts().lost_verdicts, 10u);
    EXPECT_EQ(log.counts().waiting, 0u);
}

TEST(Store, ForgetsWhatIsTooOld) {
    const TestDirectory directory;
    auto store = Store::open(directory.log());
    ASSERT_TRUE(store) << store.error().says;
    IdSource ids(1, 1);
    const Nanos start = now() - 100h;
    std::vector<VerdictRecord> records;
    for (int hour = 0; hour < 100; ++hour) {
        VerdictRecord record = record_of("Alice", 1, "198.51.100.7", start + hour * 1h);
        const VerdictId id = ids.next(record.time);
        record.id_high = id.high;
        record.id_low = id.low;
        records.push_back(record);
    }
    ASSERT_TRUE((*store)->write(records, {}, names));
    Store::Limits limits{start + 99h, 39h + 1ms, 1h, ~0ull};
    ASSERT_TRUE((*store)->trim(limits));
    EXPECT_EQ(all(directory.log()).size(), 100u);
    limits.forgotten_max = 39h + 30min;
    ASSERT_TRUE((*store)->trim(limits));
    EXPECT_EQ(all(directory.log()).size(), 98u) << "no more at once than it may";
    limits.forgotten_max = 1000h;
    ASSERT_TRUE((*store)->trim(limits));
    EXPECT_EQ(all(directory.log()).size(), 40u);
    EXPECT_EQ(all(directory.log(), {.player = "Alice", .newest_first = true}).size(), 40u);
    limits.now += 1000h;
    ASSERT_TRUE((*store)->trim(limits));
    EXPECT_EQ(all(directory.log()).size(), 40u) << "its own newest record says how late it is";
    // Written below the floor, as after a clock that was ahead: kept, and found.
    ASSERT_TRUE((*store)->write(std::span(records).first(1), {}, names));
    EXPECT_EQ(all(directory.log()).front().record.time, start);
    limits.now = start + 99h;
    ASSERT_TRUE((*store)->trim(limits));
    EXPECT_EQ(all(directory.log()).size(), 40u) << "until it is too old by itself";
}

TEST(Store, StaysBelowItsSize) {
    const TestDirectory directory;
    auto store = Store::open(directory.log());
    ASSERT_TRUE(store) << store.error().says;
    IdSource ids(1, 1);
    std::mt19937_64 random(1);
    Nanos time = now() - 100h;
    constexpr size_t total = 200'000;
    std::vector<VerdictRecord> records;
    for (size_t i = 0; i < total; ++i) {
        VerdictRecord record = some_record();
        record.time = time += 1s;
        record.observed = std::bit_cast<double>(random());
        const VerdictId id = ids.next(time);
        record.id_high = id.high;
        record.id_low = id.low;
        records.push_back(record);
        if (records.size() == 10'000) {
            ASSERT_TRUE((*store)->write(records, {}, names));
            records.clear();
        }
    }
    const uint64_t before = (*store)->size_bytes();
    const auto trimmed = (*store)->trim({.size_bytes_max = before / 2});
    ASSERT_TRUE(trimmed) << trimmed.error().says;
    EXPECT_LE((*store)->size_bytes(), before / 2);
    const auto left = all(directory.log());
    EXPECT_GT(left.size(), total / 10);
    EXPECT_EQ(left.back().record.time, time);  // The newest stay.
}

// ---- kill -9 ----------------------------------------------------------------

/// The child: writes as fast as the log takes it, says each committed id.
[[noreturn]] void write_until_killed(const std::string& path) {
    // That the kill before cut a record short is said, and must not stand among the ids.
    spdlog::set_default_logger(spdlog::stderr_logger_mt("child"));
    Log::Settings settings = quick(path);
    Log log(settings, names, [](std::span<const VerdictRecord> records) {
        for (const VerdictRecord& record : records) {
            const VerdictId id{record.id_high, record.id_low};
            // 16 bytes through a pipe arrive whole or not at all (pipe(7)).
            if (write(STDOUT_FILENO, &id, sizeof id) != sizeof id) _exit(1);
        }
    });
    double sequence = 0;
    while (true) {
        for (int i = 0; i < 50; ++i) {
            VerdictRecord record = some_record();
            record.observed = ++sequence;
            record.limit = getpid();
            add(log, record);
        }
        std::this_thread::sleep_for(1ms);
    }
}

struct Child {
    pid_t pid;
    int output;
};

Child start_child(const std::string& path) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("pipe");
    const pid_t pid = fork();
    if (pid == 0) {
        dup2(ends[1], STDOUT_FILENO);
        execl("/proc/self/exe", "log_test", "--write-until-killed", path.c_str(), nullptr);
        _exit(127);
    }
    close(ends[1]);
    return {pid, ends[0]};
}

/// Reads ids until `until`, kills the child, reads the rest of its pipe.
void collect(const Child& child, std::chrono::milliseconds alive, std::set<VerdictId>& ids) {
    std::thread killer([&] {
        std::this_thread::sleep_for(alive);
        kill(child.pid, SIGKILL);
    });
    VerdictId id;
    while (read(child.output, &id, sizeof id) == sizeof id) ids.insert(id);
    killer.join();
    close(child.output);
    waitpid(child.pid, nullptr, 0);
}

TEST(Log, RefusesASecondProcess) {
    const TestDirectory directory;
    std::set<VerdictId> ids;
    std::thread other([&] { collect(start_child(directory.log()), 3s, ids); });
    ASSERT_TRUE(eventually([&] { return fs::exists(directory.log() + "/CURRENT"); }));
    std::string why;
    try {
        const Log second(quick(directory.log()), names);
    } catch (const SetupError& error) {
        why = error.what();
    }
    EXPECT_NE(why.find("another appliance"), std::string::npos) << why;
    other.join();
}

TEST(Log, LosesNothingThatItToldWhenKilled) {
    const char* wanted = std::getenv("PORTCULLIS_KILLS");
    const int kills = wanted != nullptr ? std::atoi(wanted) : 20;
    const uint64_t seed = std::random_device{}();
    std::printf("kills %d, seed %llu\n", kills, static_cast<unsigned long long>(seed));
    std::mt19937_64 random(seed);

    const TestDirectory directory;
    std::set<VerdictId> told;
    for (int i = 0; i < kills; ++i) {
        collect(start_child(directory.log()), std::chrono::milliseconds(30 + random() % 300), told);
    }
    ASSERT_GT(told.size(), 100u);

    std::map<std::pair<double, double>, int> seen;
    std::set<VerdictId> held;
    for (const Entry& entry : all(directory.log())) {
        held.insert(entry.id());
        EXPECT_EQ(++seen[std::pair(entry.record.limit, entry.record.observed)], 1);
    }
    size_t lost = 0;
    for (const VerdictId& id : told) lost += held.count(id) == 0;
    EXPECT_EQ(lost, 0u);
    // The index says the same as the records.
    EXPECT_EQ(all(directory.log(), {.player = "Alice"}).size(), held.size());
    EXPECT_EQ(all(directory.log(), {.check = "movement.speed"}).size(), held.size());
    std::printf("told %zu, held %zu, lost %zu\n", told.size(), held.size(), lost);
}

}  // namespace
}  // namespace portcullis::verdicts

int main(int argc, char** argv) {
    if (argc == 3 && std::string_view(argv[1]) == "--write-until-killed") {
        portcullis::verdicts::write_until_killed(argv[2]);
    }
    testing::InitGoogleTest(&argc, argv);
    return RUN_ALL_TESTS();
}
