#!/usr/bin/env python3
"""Plays captures through `portcullis inspect` and compares what leaves with what came, packet by packet.

Goal: what no policy acts upon leaves unaltered, in order and once; what does not leave has a reason, and all are
counted: received = transmitted + dropped.
Method: every capture of every folder, observing and enforcing, under a policy that only logs.

  transparency.py --binary build/apps/portcullis/portcullis [DIR...]
"""

import argparse
import collections
import concurrent.futures
import pathlib
import subprocess
import sys

from crossing import Crossing, nothing_is_altered

root = pathlib.Path(__file__).resolve().parents[2]
shared = root / "../shared/captures"
# What may be dropped while enforcing.  Everything else must cross.
may_drop = {
    # What the server would drop, and contradictions.
    "outside": {"fragment", "truncated", "bad_checksum", "bad_header", "conflicting_overlap", "out_of_window", "urgent"},
    # What no receiver takes (repeats of a bad line among them), and what is over a rate of the game's rules.
    "shadowland": {"header_invalid", "crc_bad", "crypto_forged", "crypto_downgrade", "session_hijack", "replay_window",
                   "message_malformed", "message_direction", "message_unknown", "fragments_invalid",
                   "fragments_overlap", "fragments_flood", "compression_bomb", "compression_malformed", "rate_limit"},
}


def judge(binary, path, counts):
    faults = []
    for mode in ("observe", "enforce"):
        crossing = Crossing(binary, path, mode, "outside" in path.parts, shadowland="shadowland" in path.parts)
        # What a reliable channel must not miss and no receiver takes goes on as a Nop.
        may_neutralise = "shadowland" in path.parts and mode == "enforce"
        faults += [f"{mode}: {fault}" for fault in nothing_is_altered(crossing, may_neutralise)]
        drops = crossing.summary["drops"]
        allowed = set().union(*(may_drop.get(part, set()) for part in path.parts)) if mode == "enforce" else set()
        if not set(drops) <= allowed:
            faults.append(f"{mode}: dropped {drops}")
        counts[f"packets, {mode}"] += len(crossing.came)
        for reason, number in drops.items():
            counts[f"dropped, {mode}: {reason}"] += number
    return faults


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--binary", required=True)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("folders", nargs="*", type=pathlib.Path)
    options = parser.parse_args()
    folders = options.folders or [shared / name for name in ("minecraft", "badline", "outside", "shadowland")]
    passed = failed = skipped = 0
    counts = collections.Counter()
    for folder in folders:
        paths = sorted(folder.rglob("*.pcap"))
        if not paths:
            print(f"SKIP {folder}: no captures there")
            skipped += 1
            continue

        def try_one(path):
            try:
                return judge(options.binary, path, counts)
            except (RuntimeError, subprocess.TimeoutExpired) as error:
                return [str(error)]

        with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
            for path, faults in zip(paths, pool.map(try_one, paths)):
                passed, failed = passed + (not faults), failed + bool(faults)
                for fault in faults:
                    print(f"FAIL {path.relative_to(folder)}: {fault}")
    for name, count in sorted(counts.items()):
        print(f"  {count:8} {name}")
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
