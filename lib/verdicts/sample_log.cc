// Writes a small verdict log that holds one of everything: records of each kind, with all
// that may be told of a player, verdicts that acted, that would have acted and that did not,
// outcomes of each target, and the names of players who would like to steer a terminal.
//
//     sample_log DIRECTORY
//
// For the tests of what reads logs.

#include <cstdio>

#include "base/wall_clock.h"
#include "verdicts/log.h"

namespace {

using namespace portcullis;
using namespace portcullis::verdicts;
using namespace std::chrono_literals;
using Kind = VerdictRecord::Kind;

constexpr std::string_view checks[] = {"combat.reach", "movement.speed"};
constexpr std::string_view services[] = {"survival"};

class Sample {
public:
    explicit Sample(const std::string& path) : log_({.path = path}, {checks, services}) {}

    VerdictRecord record(Kind kind, std::string_view name) {
        time_ += 1s;
        VerdictRecord record;
        record.kind = kind;
        record.time = time_;
        const VerdictId id = ids_.next(time_);
        record.id_high = id.high;
        record.id_low = id.low;
        record.client = *parse_endpoint("198.51.100.7:50122");
        record.server = *parse_endpoint("10.0.0.2:25565");
        record.player.name.assign(name);
        record.player.uuid = *parse_uuid("069a79f4-44e9-4726-a5be-fca90e38aaf5");
        record.player.version = 767;
        record.in_game = true;
        if (kind == Kind::verdict) {
            record.check = 1;
            record.confidence = 0.5f;
            record.level = 1;
            record.observed = 1.42;
            record.limit = 0.71;
            record.unit.assign("blocks/tick");
        }
        return record;
    }
    VerdictRecord acting(policy::Action action, Mode mode, std::string_view name) {
        VerdictRecord verdict = record(Kind::verdict, name);
        verdict.acts = true;
        verdict.confidence = 0.97f;
        verdict.level = 12.5f;
        verdict.action = action;
        verdict.mode = mode;
        return verdict;
    }
    void add(const VerdictRecord& record) { log_.append(std::span(&record, 1)); }
    void add(const VerdictRecord& verdict, Target target, Result result, std::string_view detail) {
        Outcome outcome;
        outcome.verdict = {verdict.id_high, verdict.id_low};
        outcome.target = target;
        outcome.result = result;
        outcome.attempts = 1;
        outcome.time = verdict.time + 1ms;
        outcome.detail.assign(detail);
        if (target == Target::rcon) outcome.name.assign("survival");
        log_.append(outcome);
    }
    bool finish() {
        log_.finish(30s);
        const Log::Counts counts = log_.counts();
        return counts.lost_verdicts + counts.lost_others + counts.outcomes_lost == 0;
    }

private:
    Log log_;
    IdSource ids_{1, random_run()};
    Nanos time_ = wall_clock() - 1h;
};

void add_players(Sample& sample) {
    sample.add(sample.record(Kind::login, "Alice"));
    VerdictRecord kick = sample.acting(policy::Action::kick, Mode::enforce, "Alice");
    kick.repeats = 4;
    kick.note.assign("sprinting");
    sample.add(kick);
    sample.add(kick, Target::wire, Result::done, "kicked");
    sample.add(kick, Target::rcon, Result::failed, "No player was found");
    sample.add(kick, Target::webhook, Result::expired, "");
    sample.add(kick, Target::blocklist, Result::done, "until 2026-11-20T03:21:07Z");
    VerdictRecord left = sample.record(Kind::disconnect, "Alice");
    left.end = EndReason::kicked;
    sample.add(left);
    sample.add(sample.record(Kind::opaque, ""));
    for (const Kind kind : {Kind::login, Kind::opaque, Kind::verdict, Kind::disconnect}) {
        VerdictRecord proxied = sample.record(kind, "Bob");
        if (kind == Kind::verdict) {
            proxied = sample.acting(policy::Action::sever, Mode::observe, "Bob");
        }
        proxied.player.address = *parse_address("203.0.113.9");
        proxied.player.loader.assign("FML3");
        proxied.player.floodgate = true;
        sample.add(proxied);
    }
    sample.add(sample.acting(policy::Action::alert, Mode::enforce, "Bob"));
    VerdictRecord claimed = sample.record(Kind::verdict, "Carol");
    claimed.in_game = false;
    sample.add(claimed);
    VerdictRecord nameless = sample.acting(policy::Action::block, Mode::enforce, "");
    nameless.in_game = false;
    sample.add(nameless);
}

void add_odd_names(Sample& sample) {
    for (const std::string_view name :
         {"\x1b[2J\x1b[41mPWN", "A\nB  9 9", "\xff\xfeX", "=1+1", "Zo\xc3\xab\x9b",
          "\xe5\xad\x97\xe5\xad\x97\xe5\xad\x97\xe5\xad\x97\xe5\xad\x97\xe5\xad\x97"
          "\xe5\xad\x97\xe5\xad\x97\xe5\xad\x97\xe5\xad\x97\xe5\xad\x97"}) {
        sample.add(sample.record(Kind::verdict, name));
        sample.add(sample.record(Kind::login, name));
    }
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        std::fputs("sample_log DIRECTORY\n", stderr);
        return 2;
    }
    Sample sample(argv[1]);
    add_players(sample);
    add_odd_names(sample);
    return sample.finish() ? 0 : 1;
}
