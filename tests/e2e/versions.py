"""Many versions of the game at once, through one appliance: what is known of each player is what he says."""

import json
import os

import harness
from harness import expect, total, wait_until
from scenarios import scenario

PLAY_S = 30
TIMER_SLACK_MS = 2  # By which a timer of node's may be early, and two clocks differ.
# A spread over all generations of layouts; flying-squid speaks up to 1.21.4, minecraft-protocol beyond.
SPREAD = "1.8.8 1.9.4 1.12.2 1.13.2 1.14.4 1.16.5 1.17.1 1.18.2 1.19.3 1.20.1 1.20.4 1.20.6 1.21.4 1.21.8 26.1".split()
ALL = ("1.8.8 1.9.4 1.10.2 1.11.2 1.12.2 1.13.2 1.14.4 1.15.2 1.16.5 1.17.1 1.18.2 1.19 1.19.2 1.19.3 1.19.4 1.20.1 "
       "1.20.2 1.20.4 1.20.6 1.21.1 1.21.3 1.21.4 1.21.5 1.21.6 1.21.8 1.21.9 1.21.11 26.1").split()


def chosen():
    named = os.environ.get("PORTCULLIS_VERSIONS", "")
    return ALL if named == "all" else named.split(",") if named else SPREAD


def context_of(stage, config, name):
    code, out, err = stage.tool("ctl", "player", name, "--config", config, "--format", "json")
    expect(code == 0, f"ctl player {name} exits {code}: {err}")
    answer = json.loads(out)
    expect(answer.get("context"), f"ctl player {name} knows nothing of what he does: {out}")
    return answer


def compare(report, answer, trips):
    """Every difference between what a player says of himself and what the appliance knows, as sentences."""
    context = answer["context"]
    said = {key: report[key] for key in ("position", "game_mode", "effects", "health", "food", "entity")}
    known = {key: context[key] for key in said}
    wrong = [f"{key}: he says {said[key]}, known is {known[key]}" for key in said if said[key] != known[key]]
    # The appliance stands between: what it measured began after the server's own measure and ended before it.
    line = context["latency_ms"]
    if not line or not report["delay_ms"] - TIMER_SLACK_MS <= line["high"] <= max(trips) + TIMER_SLACK_MS:
        wrong.append(f"latency: he answers after {report['delay_ms']} ms, the server measured {min(trips):.0f} to "
                     f"{max(trips):.0f} ms, known is {line}")
    return [f"{report['version']}: {sentence}" for sentence in wrong]


@scenario
def every_version_is_understood(stage):
    """Players of many versions play 30 s: nothing is misread, and what is known of each is what he says."""
    versions = chosen()
    pairs = [f"{harness.game_port + i}={version}" for i, version in enumerate(versions)]
    services = [{"name": "v" + version, "protocol": "minecraft", "address": harness.server_address,
                 "port": harness.game_port + i} for i, version in enumerate(versions)]
    stage.topology()
    # One process for each half of them, so that both cores start servers.
    servers = [stage.peer(harness.node, harness.here / "peers/version_servers.js", *pairs[i::2], space="servers")
               for i in range(2)]
    for server in servers:
        wanted = len(pairs[servers.index(server)::2])
        wait_until(lambda s=server, n=wanted: len(s.of("listening")) == n, 120, f"a server did not start: {server.tail()}")
    config = stage.configuration(services=services, rcon=[], webhooks=[])
    stage.appliance(config)
    players = stage.peer(harness.node, harness.here / "peers/version_players.js", harness.server_address, PLAY_S, *pairs,
                         space="players")
    wait_until(lambda: players.of("all reported") or players.process.poll() is not None, 120 + PLAY_S + 2 * len(pairs),
               f"not all players came through: {[p['name'] for p in players.of('report')]}, {players.tail()}")
    expect(not players.of("broken") and not players.of("ended"),
           f"players fell out: {(players.of('broken') + players.of('ended'))[:3]}")
    reports = {r["name"]: r for r in players.of("report")}
    answers = {name: context_of(stage, config, name) for name in reports}
    scrape = harness.metrics()
    players.end()
    gone = wait_until(lambda: (lefts := [e for s in servers for e in s.of("left")]) and len(lefts) == len(pairs) and lefts,
                      10, "the servers did not see all players go")
    left = {e["name"]: e for e in gone}

    expect(len(reports) == len(versions), f"{len(reports)} of {len(versions)} versions played")
    wrong = [w for name, report in reports.items() for w in compare(report, answers[name], left[name]["trips"])]
    expect(not wrong, "; ".join(wrong))
    for ended in players.of("ended"):
        theirs = left[ended["name"]]["ledger"]
        expect(theirs == ended["ledger"], f"{ended['name']} sent {ended['ledger']}, the server received {theirs}")
    faults = {dict(labels)["reason"]: int(n) for (metric, labels), n in scrape.items()
              if metric == "portcullis_malformed_packets_total" and n}
    expect(not faults, f"packets were misread: {faults}")
    expect(total(scrape, "portcullis_notices_total", reason="opaque_flow") == 0, "a connection could not be read")
    verdicts = [v for v in stage.verdicts(config) if v["type"] == "verdict" and v["confidence"] >= 0.95]
    expect(not verdicts, f"honest players were judged: {verdicts[:2]}")
    packets = int(total(scrape, "portcullis_game_packets_total"))
    print(f"   {len(versions)} versions, {packets} game packets, 0 misread; contexts as the players say")
