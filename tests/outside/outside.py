#!/usr/bin/env python3
"""Plays TCP and IP captures of other projects through `portcullis inspect`.

Goal: each crosses with the outcome that its index expects, and our streams are those of independent reassemblers.
Method: index.md says what each capture is for, oracles/streams.tsv what its streams hold; every server in a capture
is made a service.  Captures of other link types get an Ethernet header; those whose sums the capturing host had
not filled in are read with `checksums: trust`.

  outside.py --binary build/apps/portcullis/portcullis [DIR]
"""

import argparse
import collections
import pathlib
import subprocess
import sys

from crossing import Crossing, nothing_is_altered
from expected import Expected, all_of_them

root = pathlib.Path(__file__).resolve().parents[2]


def index(folder):
    """{file: its marks}"""
    rows = {}
    for line in (folder / "index.md").read_text().splitlines():
        cells = [cell.strip() for cell in line.split("|")]
        if len(cells) > 9 and cells[2].endswith(".pcap"):
            rows[cells[2]] = cells[7]
    return rows


def oracle(folder):
    """{file: [(source, destination, bytes, hash, who agrees)]}"""
    rows = collections.defaultdict(list)
    for line in (folder / "oracles/streams.tsv").read_text().splitlines():
        if not line.startswith("#"):
            file, _, source, destination, _, size, digest, _, agreed = line.split("\t")
            rows[file].append((source, destination, int(size), digest, agreed))
    return rows


# ---- promises: each returns a list of faults, empty when it holds ------------

def is_as_expected(crossing, expected):
    faults = []
    if crossing.summary["drops"] != expected.drops:
        faults.append(f"dropped {crossing.summary['drops']}, expected {expected.drops}")
    for name, count in expected.notices.items():
        if crossing.summary["notices"].get(name, 0) != count:
            faults.append(f"noticed {crossing.summary['notices']}, expected {expected.notices}")
            break
    if expected.flows is not None and crossing.summary["flows"] != expected.flows:
        faults.append(f"{crossing.summary['flows']} flows, expected {expected.flows}")
    return faults


def streams_agree(crossing, rows, expected, counts):
    ours = list(crossing.streams)
    faults = []
    for source, destination, size, digest, agreed in rows:
        row = (source, destination, size, digest)
        if {source, destination} & expected.unread:
            counts["unread by policy"] += 1
        elif size == 0 or row in ours:
            counts[f"equal, confirmed by {agreed}"] += 1
            if row in ours:
                ours.remove(row)
        elif agreed != "none":
            faults.append(f"{source} to {destination}: {size} bytes {digest} are not among ours")
    return faults + [f"a stream that no oracle has: {row}" for row in ours]


def judge(binary, path, file, marks, rows, counts):
    expected = all_of_them.get(file, Expected())
    trust = "badsum" in marks
    crossing = Crossing(binary, path, "enforce", trust, "--streams")
    faults = is_as_expected(crossing, expected)
    faults += nothing_is_altered(crossing)
    faults += streams_agree(crossing, rows, expected, counts)
    watched = Crossing(binary, path, "observe", trust, "--streams")
    faults += nothing_is_altered(watched)
    if watched.summary["drops"]:
        faults.append(f"observing, {watched.summary['drops']} were dropped")
    counts["packets"] += len(crossing.came)
    counts["packets dropped"] += sum(crossing.summary["drops"].values())
    return faults


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--binary", required=True)
    parser.add_argument("--only", default="", help="only captures with this in their name")
    parser.add_argument("folder", nargs="?", type=pathlib.Path, default=root / "../shared/captures/outside")
    options = parser.parse_args()
    if not (options.folder / "index.md").exists():
        print(f"SKIP {options.folder}: no captures there")
        print("0 passed, 0 failed, 1 skipped")
        return 0
    known, counts = oracle(options.folder), collections.Counter()
    passed = failed = 0
    for file, marks in sorted(index(options.folder).items()):
        if options.only not in file:
            continue
        try:
            faults = judge(options.binary, options.folder / file, file, marks, known[file], counts)
        except (RuntimeError, subprocess.TimeoutExpired) as error:
            faults = [str(error)]
        passed, failed = passed + (not faults), failed + bool(faults)
        for fault in faults:
            print(f"FAIL {file}: {fault}")
    for name, count in sorted(counts.items()):
        print(f"  {count:6} {name}")
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
