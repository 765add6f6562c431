#!/usr/bin/env python3
"""What goes wrong beside the wire does not touch the wire.  Needs root.

  chaos.py --build build [--quick] [SCENARIO...]

A live appliance carries traffic of which every packet is numbered, while something outside of it misbehaves.  Held
against each other: what was sent and what arrived, what each host's interface and what the appliance counted, how many
cheats there were and how many verdicts are written, and how each action that they asked for ended.  With --quick the
faults are short and latency is only told; without it the 99th percentile must stay within 1.2 of the undisturbed one,
whose intervals lie between the disturbed ones.  What is measured is the appliance: its Worker spins on a CPU of its own,
and players and servers go before all else on the others.
"""

import argparse
import json
import pathlib
import re
import shutil
import socket
import statistics
import sys
import time

from running import BESIDE_THE_WORKER, CHEATS_A_SECOND, SECRETS, Run, harness, outcomes, running_on
from harness import expect, total, wait_until

RATIO_MAX = 1.2
all_of_them = {}


def scenario(function):
    all_of_them[function.__name__] = function
    return function


class Ratios:
    """Latency of the phases of each fault beside that of the undisturbed ones around them."""

    def __init__(self):
        self.phases = {}  # What went on: [(undisturbed, disturbed)]

    def note(self, what, undisturbed, disturbed):
        self.phases.setdefault(what, []).append((undisturbed, disturbed))

    def tell(self, tallies, must_hold):
        too_slow = []
        for what, rounds in self.phases.items():
            told = []
            for kind in ("datagrams_to_server", "messages_to_server"):
                def p99(phase):
                    return tallies[kind]["phases"].get(str(phase), {}).get("p99")
                pairs = [(p99(a), p99(b)) for a, b in rounds if p99(a) and p99(b)]
                if not pairs:
                    continue
                calm, disturbed = (statistics.median(side) for side in zip(*pairs))
                told.append(f"{kind.split('_')[0]} {calm:.0f} -> {disturbed:.0f} us ({disturbed / calm:.2f})")
                if disturbed > RATIO_MAX * calm:
                    too_slow.append(f"{what}: {kind} {disturbed / calm:.2f}")
            print(f"   {what}: p99 {', '.join(told)}")
        expect(not (must_hold and too_slow), f"p99 latency over {RATIO_MAX} of the undisturbed: {too_slow}")


def books_balance(run, earlier=()):
    """Every cheat is a verdict that is written or counted as lost, and every action of each ended once."""
    values = run.settle()
    sent, served, cheated, tallies = run.stop_traffic()
    values = run.settle()
    made = cheated["let_in"] + run.probes
    accounts = [*earlier, run.account()]
    written = sum(a["kicks"] for a in accounts)
    lost_at_ring = int(total(values, "portcullis_notices_total", reason="verdict_lost"))
    lost_at_log = outcomes(values, "verdict_log")["lost_verdicts"]
    expect(cheated["thrown_out"] == cheated["let_in"] and served["nowhere"] == 0,
           f"{cheated['let_in']} cheated, {cheated['thrown_out']} were thrown out, {served['nowhere']} got through")
    expect(written + lost_at_ring + lost_at_log == made,
           f"{made} verdicts were made; {written} are written, {lost_at_ring} + {lost_at_log} counted as lost")
    for target in ("wire", "rcon", "webhook"):
        ends = {result: sum(a[f"{target}_{result}"] for a in accounts) for result in ("done", "failed", "expired")}
        counted = {result: outcomes(values, target).get(result, 0) for result in ends}
        expect(sum(a[f"without_{target}"] for a in accounts) == 0, f"verdicts without an end of their {target} action: {accounts}")
        expect(ends == counted, f"{target}: {ends} stand in the log, {counted} are counted")
        print(f"   {target}: {ends} of {written} verdicts")
    _, frames = run.wire_is_whole()
    print(f"   {frames} frames, {sent['datagrams']} datagrams and {sent['messages']} game messages each way: none lost")
    return tallies


class Fault:
    """Something that goes wrong outside and, later, right again."""

    def __init__(self, what, part, begin, end):
        self.what, self.part, self.begin, self.end = what, part, begin, end


def webhook_faults(run):
    def manner(value):
        return lambda: setattr(run.hook, "manner", value)
    for value in ("hangs", 429, 500, "resets", "trickles"):
        yield Fault(f"webhook {value}", "webhook/0", manner(value), manner("well"))


def rcon_faults(run):
    def changes_password():
        run.rcon.password = "another one"
        run.rcon.hang_up()
    yield Fault("rcon refuses", "rcon/survival", run.rcon.close, run.rcon.open)
    yield Fault("rcon wrong password", "rcon/survival", changes_password,
                lambda: setattr(run.rcon, "password", SECRETS["the RCON password"]))
    for manner in ("mute", "hangs_up"):
        yield Fault(f"rcon {manner}", "rcon/survival", lambda m=manner: setattr(run.rcon, "manner", m),
                    lambda: setattr(run.rcon, "manner", "well"))


@scenario
def outside_faults(stage, options):
    """Whatever webhook and RCON server do: no frame is lost, every action ends once, and all goes on by itself."""
    run = Run(stage, options.build)
    ratios = Ratios()
    length, rounds = (1.5, 1) if options.quick else (8, 5)
    run.cheats(CHEATS_A_SECOND)
    plant_keys(stage)
    for fault in (*webhook_faults(run), *rcon_faults(run)):
        if options.quick and fault.what == "webhook trickles":  # For us it hangs, ten seconds long.
            continue
        for _ in range(rounds):
            undisturbed = run.next_phase(length)
            fault.begin()
            disturbed = run.next_phase(length)
            wait_until(lambda f=fault: not run.well(f.part), 25, f"{fault.what}: /health never said that {fault.part} is not well")
            said = run.says(fault.part)
            fault.end()
            wait_until(lambda f=fault: run.well(f.part), 60, f"{fault.what}: {fault.part} did not recover: {run.says(fault.part)}")
            ratios.note(fault.what, undisturbed, disturbed)
        print(f"   {fault.what}: {said}", flush=True)
    removed = [log_is_removed(run, ratios, length) for _ in range(rounds)]
    searched = run.nothing_tells_secrets()
    tallies = books_balance(run, removed)
    searched += run.nothing_tells_secrets()
    print(f"   {len(SECRETS)} secrets in none of {searched} places")
    ratios.tell(tallies, not options.quick)


def log_is_removed(run, ratios, length):
    """What is in the log then is the operator's loss, not ours: it is counted before."""
    undisturbed = run.next_phase(length)
    run.cheats(0)
    time.sleep(1)
    run.settle()
    removed = run.account()
    shutil.rmtree(run.disk / "verdicts")
    run.cheats(CHEATS_A_SECOND)
    ratios.note("log removed", undisturbed, run.next_phase(length))
    wait_until(lambda: run.well("verdict_log") and (run.disk / "verdicts/CURRENT").exists(), 20, "the log did not come back")
    return removed


def plant_keys(stage):
    """A key, and a line that is none: what is wrong with it must be said without it."""
    with socket.socket(socket.AF_UNIX) as peer:
        peer.settimeout(5)
        peer.connect(str(stage.tmp / "keys.sock"))
        for secret in (SECRETS["a session key"], SECRETS["a session key"] + "zz"):
            key = {"protocol": "minecraft", "client": "10.88.0.1:50122", "server": "10.88.0.2:25565", "secret": secret}
            peer.sendall((json.dumps(key) + "\n").encode())
            answer = peer.recv(65536).decode()
            expect(secret not in answer, f"the key feed repeats a secret: {answer}")


@scenario
def slow_control_and_flood(stage, options):
    """Control asleep, then 100,000 verdicts a second: no frame is lost, and the log holds all or the loss is counted."""
    seconds = 2 if options.quick else 10
    calm_s = 1.5 if options.quick else 8
    run = stressed_run(stage, options, "size=2g")
    ratios = Ratios()
    run.cheats(CHEATS_A_SECOND)
    for _ in range(1 if options.quick else 3):
        undisturbed = run.next_phase(calm_s)
        run.appliance.tell("slow 400")
        ratios.note("control sleeps 400 ms a turn", undisturbed, run.next_phase(calm_s))
        run.appliance.tell("slow 0")
    wait_until(harness.health, 10, "Control did not wake up")
    undisturbed = run.next_phase(calm_s)
    run.appliance.tell(f"flood 100000 {seconds}")
    ratios.note("100,000 verdicts/s", undisturbed, run.next_phase(seconds))
    flood = run.appliance.wait_for("flooded", seconds + 20)
    expect(flood["seconds"] < seconds * 1.1 + 0.5, f"the flood took {flood['seconds']} s, not {seconds}")
    print(f"   {flood['offered']} verdicts offered in {flood['seconds']} s")
    # Bytes that are written take the traffic's own time on two cores: told, not judged.
    ratios.tell(flood_is_accounted_for(run, flood), False)


@scenario
def full_disk(stage, options):
    """A disk that is full while verdicts flow: no frame is lost, what does not fit in memory is counted, and it goes on."""
    flood_s = 2 if options.quick else 5
    run = stressed_run(stage, options, "size=1g")
    ratios = Ratios()
    run.cheats(CHEATS_A_SECOND)
    run.appliance.tell(f"flood 50000 {flood_s}")
    undisturbed = run.next_phase(flood_s)
    run.appliance.wait_for("flooded", 20)
    filler = run.disk / "filler"
    fill(filler)
    run.appliance.tell("flood 50000 5")
    disturbed = run.next_phase(5)
    wait_until(lambda: not run.well("verdict_log"), 25, "/health never said that the log is not well")
    print(f"   {run.says('verdict_log')}")
    flood = wait_until(lambda: run.appliance.of("flooded")[1:], 20, "the flood never ended")[0]
    filler.unlink()
    wait_until(lambda: run.well("verdict_log"), 30, f"the log did not recover: {run.says('verdict_log')}")
    ratios.note("50,000 verdicts/s, then the disk full as well", undisturbed, disturbed)
    ratios.tell(flood_is_accounted_for(run, flood), not options.quick)


def stressed_run(stage, options, disk):
    password = str(stage.tmp / "password")
    return Run(stage, options.build, stressed=True, disk=disk, services=[
        {"name": "survival", "protocol": "minecraft", "address": harness.server_address, "port": harness.game_port},
        {"name": "flooded", "protocol": "minecraft", "address": harness.server_address, "port": 25566}],
        rcon=[{"service": service, "address": "127.0.0.1", "port": harness.rcon_port, "password_file": password}
              for service in ("survival", "flooded")])


def fill(path):
    """Takes all the room that is left on the disk of this file."""
    with open(path, "wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(1 << 16))
        except OSError:
            pass


def flood_is_accounted_for(run, flood):
    wait_until(lambda: total(harness.metrics(), "portcullis_record_waiting") == 0, 60, "the log never caught up")
    run.cheats(0)
    time.sleep(1)
    sent, served, cheated, tallies = run.stop_traffic()
    run.wire_is_whole()
    expect(served["nowhere"] == 0 and cheated["thrown_out"] == cheated["let_in"], f"cheats came through: {served} {cheated}")
    run.appliance.tell("stop")
    expect(run.appliance.wait_end(60) == 0, f"the appliance: {run.appliance.tail()}")
    counted = run.appliance.wait_for("stopped", 5)
    log = run.account("")
    lost = flood["lost"] + counted["verdict_log_lost_verdicts"]
    made = flood["offered"] + cheated["let_in"]
    print(f"   {made} verdicts made, {flood['offered']} of them without a packet: {log['verdicts']} written, "
          f"{flood['lost']} lost at the ring, {counted['verdict_log_lost_verdicts']} at the log")
    expect(log["verdicts"] + lost == made, f"{made} verdicts were made, {log['verdicts']} are written, {lost} counted as lost")
    ends = {target: sum(counted[f"{target}_{result}"] for result in ("done", "failed", "expired"))
            for target in ("wire", "rcon", "webhook")}
    stored, missed = counted["verdict_log_stored_outcomes"], counted["verdict_log_lost_outcomes"]
    print(f"   actions that ended: {ends}; {stored} of the ends written, {missed} counted as lost")
    expect(sum(ends.values()) == stored + missed, f"{ends} ended, {stored} are written, {missed} lost")
    without = log["without_rcon"] + log["without_webhook"]
    expect(without <= missed, f"{without} actions have no end in the log, {missed} ends are counted as lost")
    return tallies


def right_rules(stage, strict):
    """Rules under which NaN and a signed name are punished, or neither is."""
    path = stage.tmp / "signatures.yaml"
    pattern = "^Signed" if strict else "^Nobody"
    path.write_text(f"signatures:\n  - {{ name: signed, pattern: '{pattern}', fields: [name], confidence: 1 }}\n")
    return {"signatures": str(path),
            "policies": {"default": {"checks": {"packets.not_finite": {"enabled": strict}}}}}


def wrong_rules(stage, turn):
    """A configuration that must be refused, and the file whose line must be named."""
    path = stage.tmp / "wrong-signatures.yaml"
    path.write_text("signatures:\n  - { name: open, pattern: '(never closed' }\n")
    wrong = [{"polices": {}}, {"policies": {"default": {"block_s": "never"}}}, {"signatures": str(path)},
             {"policies": {"default": {"checks": {"packets.telepathy": {"enabled": True}}}}}, {"workers": 0}]
    changes = wrong[turn % len(wrong)]
    return changes, path.name if "signatures" in changes else "portcullis.yaml"


@scenario
def reloads_under_traffic(stage, options):
    """A hundred reloads, every third one wrong: no frame is lost, the wrong ones are refused by file:line:column."""
    rounds = 18 if options.quick else 100
    run = Run(stage, options.build, **right_rules(stage, True))
    admin = stage.tmp / "admin.sock"
    strict, refused, spared = True, 0, 0
    for turn in range(rounds):
        _, before, _ = stage.tool("ctl", "--socket", admin, "config")
        if turn % 3 == 2:
            changes, file = wrong_rules(stage, refused)
            run.configure(**changes)
            code, out, err = stage.tool("ctl", "--socket", admin, "reload")
            expect(code == 1 and re.search(rf"{file}:\d+:\d+: ", err), f"{changes}: {code} {out} {err}")
            _, after, _ = stage.tool("ctl", "--socket", admin, "config")
            expect(before == after, f"the refused {changes} changed the configuration")
            refused += 1
        else:
            strict = not strict
            run.configure(**right_rules(stage, strict))
            code, out, err = stage.tool("ctl", "--socket", admin, "reload")
            expect(code == 0, f"a right configuration is refused: {err}")
        if turn % 7 in (0, 2) and (turn < 8 or not options.quick):
            probe = run.probe(f"Turn{turn}")
            spared += not strict
            expect(probe["let_in"] and probe["thrown_out"] == strict, f"turn {turn}, {strict=}: {probe}")
            signed = run.probe(f"Signed{turn}")
            spared += not strict
            expect(signed["let_in"] != strict, f"turn {turn}, {strict=}: {signed}")
    values = harness.metrics()
    for outcome, count in (("done", rounds - refused), ("refused", refused)):
        told = total(values, "portcullis_reloads_total", outcome=outcome)
        expect(told == count, f"{told:.0f} reloads are counted as {outcome}, {count} were")
    _, served, _, _ = run.stop_traffic()
    _, frames = run.wire_is_whole()
    expect(served["nowhere"] == spared, f"{spared} cheats were to be let through, {served['nowhere']} were")
    print(f"   {rounds} reloads, {refused} of them refused; {frames} frames, none lost")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--quick", action="store_true", help="short faults; latency is told, not judged")
    parser.add_argument("names", nargs="*", metavar="SCENARIO", help=", ".join(all_of_them))
    options = parser.parse_args()
    options.build = options.build.resolve()
    with running_on(BESIDE_THE_WORKER):
        return harness.play_all(all_of_them, options.names, options.build / "apps/portcullis/portcullis",
                                lambda play, stage: play(stage, options))


if __name__ == "__main__":
    sys.exit(main())
