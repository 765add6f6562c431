#!/usr/bin/env python3
"""Inspects captures with evidence kept, then replays every piece of it.

Goal: each verdict that acts is stored with its packets, and the same build finds in them exactly what it found then:
check, confidence, what was observed and allowed, level and action.  What is stored is a capture to everybody's tools.
Method: each capture three ways: as it comes out of the box; only observing, with evidence for whatever acts at all; and
with moves that are made harmless on the way.  Enciphered ones also with a limit that honest play exceeds.

  evidence.py --binary build/apps/portcullis/portcullis DIR...

A DIR holds captures and a manifest.json, as for replay.py; one that is absent is skipped, aloud.
"""

import argparse
import concurrent.futures
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import replay

STATISTICAL = {"combat.click_rate"}  # Tells people, never acts.
GRAVITY = ["log", "alert", "drop", "neutralise", "sever", "kick", "block"]
WAYS = {
    "enforce": ("alert", "mode: enforce\n"),
    "observe": ("log", "mode: observe\n"),
    "neutralise": ("log", "policies: { default: { ladder: [ { level: 0.5, action: neutralise } ] } }\n"),
    # Nobody is that quiet: so enciphered play has evidence too, though nobody cheats in it.
    "provoked": ("kick", "policies: { default: { ladder: [ { level: 0.5, action: kick } ], act_at_confidence: 0.5, "
                         "checks: { flood.packets: { per_second: 20, burst: 20 } } } }\n"),
}
COMMON = """
services: [ {{ name: game, protocol: minecraft, address: {}, port: {} }} ]
verdict_log: {{ evidence: {{ from: {} }} }}
"""


def run(*command):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=300)
    return done.returncode, done.stdout, done.stderr


def address_of(entry):
    """Where the game was; captures of bad lines do not say it, and have it on the usual port."""
    return entry.get("server", "0.0.0.0:25565").rsplit(":", 1)


def judge(binary, folder, entry, way):
    """(verdicts with evidence, faults) of one capture one way."""
    gravest, setting = WAYS[way]
    with tempfile.TemporaryDirectory() as tmp:
        config, kept = pathlib.Path(tmp, "config.yaml"), pathlib.Path(tmp, "evidence")
        config.write_text(setting + COMMON.format(*address_of(entry), gravest))
        code, out, err = run(binary, "inspect", folder / entry["file"], "--config", config, "--evidence", kept, "--format", "jsonl",
                             *replay.known_keys(entry, os.path.join(tmp, "keys")))
        if code != 0:
            return 0, [f"inspect exits {code}: {err.strip()[-300:]}"]
        verdicts = [r for r in map(json.loads, out.splitlines()) if r["type"] == "verdict"]
        act_at = 0.5 if way == "provoked" else replay.ACT_AT
        owed = {v["id"] for v in verdicts if v["confidence"] >= act_at and v["check"] not in STATISTICAL
                and GRAVITY.index(v["action"]) >= GRAVITY.index(gravest)}
        have = {path.stem for path in kept.glob("*.pcapng")} if kept.exists() else set()
        faults = [f"{len(owed - have)} of {len(owed)} verdicts have no evidence: {sorted(owed - have)[:3]}"] if owed - have else []
        if not have:
            return 0, faults
        code, out, err = run(binary, "verdicts", "replay", "--all", "--evidence", kept, "--format", "jsonl")
        told = {r["id"]: r for r in map(json.loads, out.splitlines())}
        different = [r for r in told.values() if not r["same"]]
        if set(told) != have or different or code != 0:
            faults.append(f"replay exits {code}, {len(told)} of {len(have)} told, {len(different)} differ: "
                          f"{json.dumps(different[:1])} {err.strip()[-200:]}")
        faults += [f"{v['id']}: the evidence says {told[v['id']]['stored']['evidence']}, inspect said {v['evidence']}"
                   for v in verdicts if v["id"] in told and told[v["id"]]["stored"]["evidence"] != v["evidence"]]
        if way == "enforce":
            faults += readable(binary, sorted(kept.glob("*.pcapng"))[-1])
        return len(have), faults


def readable(binary, path):
    """Others' tools read it, and so do ours."""
    faults = []
    if shutil.which("capinfos"):
        code, out, err = run("capinfos", "-c", "-M", path)
        if code != 0 or "pcapng" not in run("capinfos", "-t", path)[1]:
            faults.append(f"capinfos: {code} {out} {err}")
    if shutil.which("tshark"):
        code, out, err = run("tshark", "-r", path, "-Y", 'frame.comment contains "verdict"', "-T", "fields", "-e", "frame.number")
        if code != 0 or not out.split():
            faults.append(f"tshark finds no packet with a verdict: {code} {err.strip()[-200:]}")
    code, out, err = run(binary, "inspect", path, "--resume", "--format", "jsonl")
    if code != 0 or '"type":"verdict"' not in out:
        faults.append(f"inspect --resume: {code} {err.strip()[-200:]}")
    return faults


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--binary", required=True)
    parser.add_argument("--only", default="", help="only captures with this in their name")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("folders", nargs="+", type=pathlib.Path)
    options = parser.parse_args()
    passed = failed = skipped = kept = 0
    for folder in options.folders:
        if not (folder / "manifest.json").exists():
            print(f"SKIP {folder}: no captures there")
            skipped += 1
            continue
        entries = [e for e in json.loads((folder / "manifest.json").read_text())
                   if (folder / e["file"]).exists() and options.only in e["file"]]
        jobs = [(entry, way) for entry in entries for way in WAYS if way != "provoked" or entry.get("encrypted")]
        with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
            results = pool.map(lambda job: judge(options.binary, folder, *job), jobs)
            for (entry, way), (count, faults) in zip(jobs, results):
                kept += count
                passed, failed = passed + (not faults), failed + bool(faults)
                for fault in faults:
                    print(f"FAIL {entry['file']}, {way}: {fault}")
    print(f"{kept} verdicts with evidence; each replay says the same, to the last bit" if not failed and kept else
          f"{kept} verdicts with evidence")
    if kept == 0 and passed:
        failed += 1
        print("FAIL: no capture gave any evidence")
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
