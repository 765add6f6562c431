#!/usr/bin/env python3
"""What tools/demo shows: players, cheaters and an appliance between them and their server, told as it happens."""

import argparse
import os
import signal
import sys
import time

import harness

HONEST, PLAY_S = 4, 45
CHEATS = ("speed", "fly", "reach", "timer")


class Narrator:
    """Tells each verdict record once, in the order of the log."""

    colours = {"login": "32", "disconnect": "90", "verdict": "33", "kick": "31;1"} if sys.stdout.isatty() else {}

    def __init__(self, stage, config):
        self.stage, self.config = stage, config
        self.told, self.verdicts = set(), []
        self.began = time.time()

    def say(self, kind, text):
        colour = self.colours.get(kind)
        line = f"[{time.time() - self.began:5.1f} s] {text}"
        print(f"\033[{colour}m{line}\033[0m" if colour else line, flush=True)

    def follow(self):
        for record in self.stage.verdicts(self.config):
            key = record.get("id") or (record["type"], record["time"], record["flow"]["client"])
            if key in self.told:
                continue
            self.told.add(key)
            who = record.get("player", {}).get("name") or record["flow"]["client"]
            if record["type"] == "login":
                self.say("login", f"{who} logged in (protocol {record['player']['version']})")
            elif record["type"] == "disconnect":
                self.say("disconnect", f"{who} is gone: {record['reason']}")
            elif record["type"] == "verdict":
                self.verdicts.append(record)
                seen = record["evidence"]
                self.say("kick" if record["action"] in ("kick", "sever", "block") else "verdict",
                         f"{who}: {record['check']} confidence {record['confidence']:.2f}, "
                         f"{seen['observed']:.3g} where {seen['limit']:.3g} {seen['unit']} is possible -> {record['action']}")

    def follow_for(self, seconds):
        until = time.time() + seconds
        while time.time() < until:
            self.follow()
            time.sleep(0.4)


def play(stage, version, keep):
    print(f"\n  players ── portcullis ── {version} server      (namespaces {harness.name}-players, {harness.name}-servers)\n")
    stage.topology()
    server = stage.game_server(version)
    rcon, hook = stage.rcon_server(), stage.webhook_server()
    config = stage.configuration()
    stage.appliance(config)
    narrator = Narrator(stage, config)
    narrator.say("", f"the appliance runs; metrics at {harness.metrics_url}/metrics, health at {harness.metrics_url}/health")
    honest = stage.honest(version, HONEST, PLAY_S)
    narrator.follow_for(10)
    outcome = {}
    for cheat in CHEATS:
        cheater = stage.cheater(version, cheat)
        began = None
        until = time.time() + 30
        while time.time() < until and not cheater.of("ended"):
            if began is None and cheater.of("cheats"):
                began = cheater.of("cheats")[0]["at"]
                narrator.say("", f"Cheat{cheat} starts to cheat")
            narrator.follow()
            time.sleep(0.2)
        ended = cheater.of("ended")
        if ended and began and ended[0]["why"] != "left":
            outcome[cheat] = ended[0]["at"] - began
            narrator.say("kick", f"Cheat{cheat} is out after {outcome[cheat]:.1f} s and reads: {ended[0]['text'][:100]}")
        narrator.follow()
    while honest.process.poll() is None:
        narrator.follow_for(1)
    narrator.follow_for(2)

    left = honest.of("ended")
    stayed = [e for e in left if e["why"] == "left"]
    received = {e["name"]: e["ledger"] for e in server.of("left")}
    same = [e for e in stayed if received.get(e["name"]) == e["ledger"]]
    print(f"""
  cheaters thrown out    {len(outcome)} of {len(CHEATS)}: {', '.join(f'{c} {s:.1f} s' for c, s in outcome.items())}
  honest players stayed  {len(stayed)} of {HONEST}; for {len(same)} the server received every position as it was sent
  verdicts written       {len(narrator.verdicts)}
  RCON kicks received    {sum(r['text'].startswith('kick') for r in rcon.of('command'))}
  webhook messages       {len(hook.of('message'))}
""")
    if keep:
        print(f"everything keeps running; configuration {config}; Ctrl-C ends it", flush=True)
        while True:
            narrator.follow_for(5)
    return 0 if len(outcome) == len(CHEATS) and len(stayed) == HONEST else 1


def main():
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # Ends as Ctrl-C does: tidied up.
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--version", default="1.16.5", help="of the game; any from 1.8.8 to 1.21.4 that flying-squid serves")
    parser.add_argument("--keep", action="store_true")
    options = parser.parse_args()
    try:
        with harness.Stage(os.path.abspath(options.binary)) as stage:
            return play(stage, options.version, options.keep)
    except harness.Failure as failure:
        print(f"error: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
