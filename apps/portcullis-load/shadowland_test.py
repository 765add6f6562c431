#!/usr/bin/env python3
"""Goal: what the load generator plays is what it says: honest players are never found, each attack
is found as the check that it is named after, and the same seed plays the same.
Method: a game with one attacker of each kind, plain and encrypted, written into a capture and judged
by `portcullis inspect`.

  shadowland_test.py PORTCULLIS_LOAD PORTCULLIS
"""

import json
import pathlib
import subprocess
import sys
import tempfile

SERVER = "10.0.0.3:3565"
SESSIONS, RATE, SECONDS = 64, 2560, 20   # As long as it takes to miss Pongs, and fragments to time out.
# What an attack brings with it: who hits twice in a cooldown may have run out of reach by then, who
# walks too fast or by a fast clock as well.
ALSO = {"action.cooldown": {"action.range"}, "movement.speed": {"action.range"}, "movement.timer": {"action.range"},
        "movement.teleport": {"action.range", "movement.speed"}}


def fail(sentence):
    sys.exit("FAIL " + sentence)


def attack_names(load):
    done = subprocess.run([load, "shadowland", "--pcap", "/dev/null", "--attack", "?=1"], capture_output=True, text=True)
    if done.returncode != 2 or "there are " not in done.stderr:
        fail(f"an attack that does not exist: exit {done.returncode}, {done.stderr}")
    return done.stderr.split("there are ")[1].strip().split(",")


def play(load, folder, mode, attacks, seed=1):
    capture, keys, attackers = (folder / f"{mode}.{what}" for what in ("pcap", "keys", "attackers"))
    shares = [part for name in attacks for part in ("--attack", f"{name}={1 / SESSIONS}")]
    done = subprocess.run([load, "shadowland", "--sessions", str(SESSIONS), "--rate", str(RATE), "--seconds", str(SECONDS),
                           "--connects", "40", f"--{mode}", "--seed", str(seed), "--pcap", capture, "--keys", keys,
                           "--attackers", attackers, *(["--rekey", "5"] if mode == "encrypted" else []), *shares],
                          capture_output=True, text=True)
    if done.returncode != 0:
        fail(f"{mode}: exit {done.returncode}: {done.stderr}")
    return json.loads(done.stdout), capture, keys, {a["client"]: a["attack"] for a in map(json.loads, open(attackers))}


def judge(portcullis, mode, capture, keys, attackers):
    done = subprocess.run([portcullis, "inspect", capture, "--service", f"shadowland@{SERVER}", "--keys", keys,
                           "--format", "jsonl"], capture_output=True, text=True)
    if done.returncode != 0:
        fail(f"{mode}: inspect: {done.stderr}")
    records = [json.loads(line) for line in done.stdout.splitlines()]
    found = {}
    for verdict in (r for r in records if r["type"] == "verdict"):
        found.setdefault(verdict["flow"]["client"], set()).add(verdict["check"])
    for client, checks in found.items():
        if client not in attackers:
            fail(f"{mode}: honest {client} is found: {checks}")
        # A flood of Connects that all make together is on nobody's account.
        extra = checks - {attackers[client]} - ALSO.get(attackers[client], set())
        if extra:
            fail(f"{mode}: who does {attackers[client]} is found for {extra}")
    missed = sorted(attack for client, attack in attackers.items() if attack not in found.get(client, ()))
    if missed:
        fail(f"{mode}: not found: {missed}")
    joined = sum(r["type"] == "login" for r in records)
    honest = SESSIONS - len(attackers)
    if joined < honest:
        fail(f"{mode}: {joined} of {honest} honest players got in")
    return records[-1]


def main():
    load, portcullis = sys.argv[1:3]
    names = attack_names(load)
    with tempfile.TemporaryDirectory(prefix="portcullis-load.") as folder:
        folder = pathlib.Path(folder)
        for mode in ("plain", "encrypted"):
            attacks = [n for n in names if mode == "encrypted" or n != "crypto.forged"]
            figures, capture, keys, attackers = play(load, folder, mode, attacks)
            if len(attackers) != len(attacks):
                fail(f"{mode}: {len(attackers)} of {len(attacks)} attackers play")
            honest_rate = figures["play_packets_per_s"]
            if not RATE * 0.9 <= honest_rate <= RATE * 1.3:   # Floods come on top.
                fail(f"{mode}: {honest_rate} datagrams a second for {RATE}")
            summary = judge(portcullis, mode, capture, keys, attackers)
            first = capture.read_bytes()
            play(load, folder, mode, attacks)
            if capture.read_bytes() != first:
                fail(f"{mode}: the same seed plays something else")
            play(load, folder, mode, attacks, seed=2)
            if capture.read_bytes() == first:
                fail(f"{mode}: another seed plays the same")
            print(f"{mode}: {summary['packets']} packets, {len(attackers)} attacks found, honest players not")


main()
