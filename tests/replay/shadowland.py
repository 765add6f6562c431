#!/usr/bin/env python3
"""Goal: in every Shadowland capture each attack and cheat brings its expected check, and honest
players are never acted on.
Method: `portcullis inspect` over each capture with the keys beside it, held against the manifest.

  shadowland.py PORTCULLIS [NAME...]      skips, saying so, where the captures are not

Prints a line a capture that is not as it should be, and ends with totals.
"""

import json
import pathlib
import subprocess
import sys
import tempfile

root = pathlib.Path(__file__).resolve().parents[2]
captures = root.parent / "shared/captures/shadowland"


def key_lines(name, server):
    """The capture's keys as the key feed has them."""
    keys = json.load(open(captures / f"{name}.keys.json"))
    yield {"protocol": "shadowland", "server": server, "cookie_secret": keys["cookie_secret"],
           "integrity_secret": keys["integrity_secret"]}
    for session in keys["sessions"]:
        for epoch in session.get("epochs", []):
            yield {"protocol": "shadowland", "client": session["client"], "server": server,
                   "connection_id": session["connection_id"], "epoch": epoch["epoch"],
                   "c2s": epoch["c2s"], "s2c": epoch["s2c"]}


def inspect(portcullis, entry, with_keys=True):
    name = entry["file"].removesuffix(".pcap")
    with tempfile.NamedTemporaryFile("w", suffix=".keys") as keys:
        for line in key_lines(name, entry["server"]):
            if with_keys or "connection_id" not in line:
                keys.write(json.dumps(line) + "\n")
        keys.flush()
        done = subprocess.run([portcullis, "inspect", str(captures / entry["file"]), "--format", "jsonl",
                               "--keys", keys.name], capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{name}: inspect failed: {done.stderr[-500:]}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def judge(portcullis, entry):
    """What is wrong with one capture, and how many honest players were acted on."""
    records = inspect(portcullis, entry)
    guilty = {p["client"] for p in entry["players"] if p["role"] != "honest"}
    verdicts = [r for r in records if r["type"] == "verdict"]
    acted = [v for v in verdicts if v["confidence"] >= 0.95]
    wrong = []
    blamed = [v for v in acted if v["flow"]["client"] not in guilty and v["check"] != "aoi.leak"]
    if "handshake.flood" in entry["expected_checks"]:
        blamed = [v for v in blamed if v["check"] != "handshake.flood"]
    for v in blamed[:5]:
        wrong.append(f"blames {v['flow']['client']}: {v['check']} {v['confidence']} {v['evidence']}")
    found = {v["check"] for v in acted}
    missed = set(entry["expected_checks"]) - found
    for check in sorted(missed):
        weaker = max((v["confidence"] for v in verdicts if v["check"] == check), default=None)
        wrong.append(f"misses {check}" + (f" (only at {weaker})" if weaker is not None else ""))
    extra = sorted(found - set(entry["expected_checks"]))
    return wrong, len(blamed), extra, records[-1]


def main():
    if len(sys.argv) < 2:
        raise SystemExit(__doc__)
    if not captures.is_dir():
        print("skipped: no captures beside the repository")
        raise SystemExit(77)
    wanted = set(sys.argv[2:])
    total = found = blamed_all = bad = judged = 0
    for entry in json.load(open(captures / "manifest.json")):
        name = entry["file"].removesuffix(".pcap")
        if wanted and name not in wanted:
            continue
        wrong, blamed, extra, summary = judge(sys.argv[1], entry)
        judged += 1
        total += len(entry["expected_checks"])
        found += len(entry["expected_checks"]) - sum(w.startswith("misses") for w in wrong)
        blamed_all += blamed
        bad += bool(wrong)
        note = f"; also {', '.join(extra)}" if extra else ""
        if wrong or wanted or (extra and entry["kind"] == "legit"):
            print(f"{name}: {'; '.join(wrong) or 'as expected'}{note}; drops {summary['drops']}")
    print(f"{found} of {total} expected checks found, {blamed_all} false acts, {bad} captures wrong")
    print(f"{judged - bad} passed, {bad} failed, 0 skipped")
    raise SystemExit(1 if bad else 0)


main()
