#!/usr/bin/env python3
"""Inspects captures with evidence kept, then replays every piece of it.

Goal: each verdict that acts is stored with its packets, and the same build finds in them exactly what it found then:
check, confidence, what was observed and allowed, level and action.  What is stored is a capture to everybody's tools.
Method: each capture three ways: as it comes out of the box; only observing, with evidence for whatever acts at all; and
with moves that are made harmless on the way.  Enciphered ones also with a limit that honest play exceeds.  Of Shadowland
the third is a policy that kicks at the first certain finding.  Evidence must hold none of a capture's keys.

  evidence.py --binary build/apps/portcullis/portcullis DIR...

A DIR holds captures and a manifest.json, as for replay.py; one that is absent is skipped, aloud.
"""

import argparse
import concurrent.futures
import json
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile
import zlib

import replay
import shadowland

STATISTICAL = {"combat.click_rate", "aoi.leak"}  # Tells people, never acts.
# Found by other sessions, by the secret of cookies, by what many do: one session's packets prove nothing of it.
BY_OTHERS = {"session.hijack", "cookie.forged", "cookie.expired", "handshake.flood"}
GRAVITY = ["log", "alert", "drop", "neutralise", "sever", "kick", "block"]
WAYS = {
    "enforce": ("alert", "mode: enforce\n"),
    "observe": ("log", "mode: observe\n"),
    "neutralise": ("log", "policies: { default: { ladder: [ { level: 0.5, action: neutralise } ] } }\n"),
    # Nobody is that quiet: so enciphered play has evidence too, though nobody cheats in it.
    "provoked": ("kick", "policies: { default: { ladder: [ { level: 0.5, action: kick } ], act_at_confidence: 0.5, "
                         "checks: { flood.packets: { per_second: 20, burst: 20 } } } }\n"),
}
SHADOWLAND_WAYS = {
    "enforce": WAYS["enforce"],
    "observe": WAYS["observe"],
    "strict": ("kick", "policies: { default: { ladder: [ { level: 0.1, action: kick } ] } }\n"),
}
COMMON = """
services: [ {{ name: game, protocol: {}, address: {}, port: {} }} ]
verdict_log: {{ evidence: {{ from: {}, players: 256 }} }}
"""


def run(*command):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=300)
    return done.returncode, done.stdout, done.stderr


def address_of(entry):
    """Where the game was; captures of bad lines do not say it, and have it on the usual port."""
    host, port = entry.get("server", "0.0.0.0:25565").rsplit(":", 1)
    return f"'{host.strip('[]')}'", port


def of_shadowland(entry):
    return "keys" in entry


def by_others(verdict):
    return verdict["check"] in BY_OTHERS or verdict["evidence"].get("note", "").startswith("of no session")


def ways_of(entry):
    if of_shadowland(entry):
        return SHADOWLAND_WAYS
    return {name: way for name, way in WAYS.items() if name != "provoked" or entry.get("encrypted")}


def known_keys(folder, entry, path):
    """The options that name the keys of a capture, and those keys as bytes."""
    if not of_shadowland(entry):
        secrets = [bytes.fromhex(known["secret"]) for known in entry.get("aes_shared_secrets", [])]
        return replay.known_keys(entry, path), secrets
    keys = json.loads((folder / entry["keys"]).read_text())
    pathlib.Path(path).write_text("".join(json.dumps(line) + "\n" for line in shadowland.key_lines(keys, entry["server"], True)))
    epochs = [epoch for session in keys["sessions"] for epoch in session.get("epochs", [])]
    return ["--keys", path], [bytes.fromhex(text) for text in (keys["integrity_secret"], keys["cookie_secret"],
                                                             *(epoch[way] for epoch in epochs for way in ("c2s", "s2c")))]


def unpacked(path):
    """All that stands in a file of evidence, its packed blocks unpacked: (block type, bytes)."""
    data, at = path.read_bytes(), 0
    while at < len(data):
        kind, size = struct.unpack_from("<II", data, at)
        body = data[at + 8:at + size - 4]
        # A block of our own: enterprise number, 36 bytes of head, then zlib's.
        start = body.find(b"PCEVIDv1")
        yield kind, body if start < 0 else zlib.decompressobj().decompress(body[start + 36:])
        at += size


def secrets_in(path, secrets):
    return [kind for kind, body in unpacked(path) for secret in secrets if secret in body]


def judge(binary, folder, entry, way):
    """(verdicts with evidence, faults) of one capture one way."""
    gravest, setting = ways_of(entry)[way]
    with tempfile.TemporaryDirectory() as tmp:
        config, kept = pathlib.Path(tmp, "config.yaml"), pathlib.Path(tmp, "evidence")
        game = "shadowland" if of_shadowland(entry) else "minecraft"
        config.write_text(setting + COMMON.format(game, *address_of(entry), gravest))
        options, secrets = known_keys(folder, entry, os.path.join(tmp, "keys"))
        code, out, err = run(binary, "inspect", folder / entry["file"], "--config", config, "--evidence", kept, "--format", "jsonl",
                             *options)
        if code != 0:
            return 0, [f"inspect exits {code}: {err.strip()[-300:]}"]
        verdicts = [r for r in map(json.loads, out.splitlines()) if r["type"] == "verdict"]
        act_at = 0.5 if way == "provoked" else replay.ACT_AT
        owed = {v["id"] for v in verdicts if v["confidence"] >= act_at and v["check"] not in STATISTICAL and not by_others(v)
                and (v.get("player", {}).get("name") or not of_shadowland(entry)) and GRAVITY.index(v["action"]) >= GRAVITY.index(gravest)}
        have = {path.stem for path in kept.glob("*.pcapng")} if kept.exists() else set()
        faults = [f"{len(owed - have)} of {len(owed)} verdicts have no evidence: {sorted(owed - have)[:3]}"] if owed - have else []
        if not have:
            return 0, faults
        leaks = [path.name for path in kept.glob("*.pcapng") if secrets_in(path, secrets)]
        faults += [f"a key stands in the evidence: {leaks}"] if leaks else []
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
        jobs = [(entry, way) for entry in entries for way in ways_of(entry)]
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
