// How many verdicts a second the log takes, and how many bytes one needs.
//
//     log_bench [seconds [offered a second [directory]]]
//
// Offers records in bursts every 5 ms, as Control does, and prints what was
// stored, what was lost, the CPU time and the size on the disk after compaction.
// With a directory of yours the log stays there.

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <thread>

#include <spdlog/spdlog.h>
#include <sys/resource.h>

#include "base/wall_clock.h"
#include "verdicts/log.h"
#include "verdicts/reader.h"
#include "verdicts/store.h"

namespace {

using namespace portcullis;
using namespace portcullis::verdicts;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr std::string_view checks[] = {"movement.speed", "movement.fly", "combat.reach",
                                       "timing.timer"};
constexpr std::string_view units[] = {"blocks/tick", "blocks", "blocks", "packets/s"};
constexpr std::string_view services[] = {"survival"};
constexpr Names names{checks, services};
constexpr auto burst_every = 5ms;
constexpr uint32_t players = 2'000;

VerdictRecord random_record(std::mt19937_64& random, IdSource& ids) {
    const auto player = static_cast<uint32_t>(random() % players);
    VerdictRecord record;
    record.time = wall_clock();
    const VerdictId id = ids.next(record.time);
    record.id_high = id.high;
    record.id_low = id.low;
    record.check = static_cast<uint8_t>(random() % 4);
    record.unit.assign(units[record.check]);
    record.confidence = static_cast<float>(random() % 100) / 100.0f;
    record.level = static_cast<float>(random() % 200) / 10.0f;
    record.observed = static_cast<double>(random() % 10'000) / 1000.0;
    record.limit = 0.71;
    record.client = {IpAddress::v4(0xc6336400 + player), static_cast<uint16_t>(random())};
    record.server = *parse_endpoint("10.0.0.2:25565");
    record.player.name.assign("Player" + std::to_string(player));
    record.player.uuid = {0x3f, static_cast<uint8_t>(player >> 8), static_cast<uint8_t>(player)};
    record.player.version = 767;
    // A few came through a proxy, a few never came in.
    if (player % 64 == 0) record.player.address = IpAddress::v4(0xcb007100 + player / 64);
    record.in_game = player % 64 != 1;
    return record;
}

double cpu_seconds() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& t) {
        return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

}  // namespace

int main(int argc, char** argv) {
    const int seconds = argc > 1 ? std::atoi(argv[1]) : 3;
    const int a_second = argc > 2 ? std::atoi(argv[2]) : 100'000;
    std::string path =
        argc > 3 ? argv[3] : std::filesystem::temp_directory_path() / "log-bench-XXXXXX";
    if (argc <= 3 && mkdtemp(path.data()) == nullptr) return 1;
    std::mt19937_64 random(1);
    IdSource ids(1, random_run());
    const auto burst = static_cast<size_t>(a_second * burst_every / 1s);
    std::vector<VerdictRecord> prepared;
    for (size_t i = 0; i < burst; ++i) prepared.push_back(random_record(random, ids));

    Log::Counts counts;
    const double cpu_before = cpu_seconds();
    const auto start = Clock::now();
    {
        Log::Settings settings;
        settings.path = path;
        Log log(settings, names);
        for (auto next = start; next < start + std::chrono::seconds(seconds); next += burst_every) {
            std::this_thread::sleep_until(next);
            for (VerdictRecord& record : prepared) record = random_record(random, ids);
            log.append(prepared);
        }
        log.finish(60s);
        counts = log.counts();
    }
    const double took = std::chrono::duration<double>(Clock::now() - start).count();
    const double cpu = cpu_seconds() - cpu_before;

    if (auto store = Store::open(path)) {
        if (!(*store)->trim({.size_bytes_max = (*store)->size_bytes() - 1})) return 1;
        size_t held = 0;
        Reader(path).each({}, [&](const Entry&) { return ++held, true; });
        std::printf("offered %llu, stored %llu, lost %llu, groups %llu in %.2f s\n",
                    static_cast<unsigned long long>(counts.taken),
                    static_cast<unsigned long long>(counts.stored),
                    static_cast<unsigned long long>(counts.lost_verdicts + counts.lost_others),
                    static_cast<unsigned long long>(counts.groups), took);
        std::printf("%.0f verdicts/s stored, %.2f us of CPU each, %.1f bytes each on the disk\n",
                    static_cast<double>(counts.stored) / took,
                    cpu * 1e6 / static_cast<double>(counts.stored),
                    static_cast<double>((*store)->size_bytes()) / static_cast<double>(held));
    }
    if (argc <= 3) std::filesystem::remove_all(path);
    return 0;
}
