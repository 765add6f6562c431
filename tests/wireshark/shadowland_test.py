#!/usr/bin/env python3
"""Goal: the Wireshark dissector reads every Shadowland capture as its senders meant it.
Method: tshark with tools/wireshark/shadowland.lua over each capture, field by field against the oracle beside
it: headers, types, every field of every message by the wire document's name, and the name of every error; with
the keys and without them.  The captures that come with the source, and with --all those beside it.

  shadowland_test.py [--all] [NAME...]        skips, saying so, without tshark

Ends with the number of differences.
"""

import gzip
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

root = pathlib.Path(__file__).resolve().parents[2]
dissector = root / "tools/wireshark/shadowland.lua"
HEADER = ["connection_id", "channel", "key_phase", "flags", "sequence"]
# Where the dissector's name must differ from the document's, for two types can not share a name.
QUANTISED = {"position": "qposition", "rotation": "qrotation", "velocity": "qvelocity", "point": "qpoint"}
# What the oracle does not tell of a packet.
OWN = {"direction", "crc", "tag", "sealed", "reassembled"}
TOLERANCE = 1e-6   # Of floats, that are printed.


def columns():
    """Every field that the dissector has, without the flags' bits."""
    done = subprocess.run(["tshark", "-G", "fields", "-X", f"lua_script:{dissector}"], capture_output=True, text=True)
    names = [line.split("\t")[2] for line in done.stdout.splitlines() if line.startswith("F\t")]
    prefix = "shadowland."
    return [n.removeprefix(prefix) for n in names if n.startswith(prefix) and not n.startswith(prefix + "flags.")
            and n not in (prefix + "expert",)]


def dissect(capture, keys, names):
    command = ["tshark", "-X", f"lua_script:{dissector}", "-r", str(capture), "-o", f"shadowland.keys:{keys}",
               "-T", "fields", "-E", "separator=/t", "-E", "occurrence=a", "-E", "aggregator=|"]
    for name in ["udp.port", "_ws.col.Info"]:
        command += ["-e", name]
    for name in names:
        command += ["-e", f"shadowland.{name}"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"FAIL {capture.name}: tshark: {done.stderr}")
    for line in done.stdout.splitlines():
        cells = line.split("\t")[2:]
        yield {name: cell.split("|") for name, cell in zip(names, cells) if cell}


def flatten(message, into):
    """A message of the oracle as lists of values by the dissector's names, in the order of the wire."""
    quantised = message.get("type", "").endswith("Quantized") or message.get("type") == "ActionRequest"
    for name, value in message.items():
        if name == "error":
            into.setdefault("message_error", []).append(value)
        elif name == "entities":
            for entity in value:
                flatten(entity, into)
        elif name.endswith("_sha256"):
            continue
        else:
            own = name
            if message.get("type") == "CreateEntity" and name in ("rotation", "velocity"):
                own = QUANTISED[name]
            elif quantised and name in QUANTISED:
                own = QUANTISED[name]
            into.setdefault(own, []).extend(value if isinstance(value, list) else [value])


def expected_of(line, wholes, with_keys):
    sealed = line.get("flags", 0) & 3 == 3 and line.get("error") not in ("size", "channel", "flags", "connection", "sequence")
    want = {}
    if line.get("error") != "size":
        for name in HEADER:
            want[name] = [line[name]]
    if sealed and not with_keys:
        return want
    if "error" in line:
        want["error"] = [line["error"]]
        return want
    if "epoch" in line:
        want["key_epoch"] = [line["epoch"]]
    for one in [line, *wholes]:
        for name in ("form", "original_size"):
            if name in one:
                want.setdefault(name, []).append(one[name])
        for message in [one["control"]] if "control" in one else one.get("messages", []):
            flatten(message, want)
    return want


def same(got, want):
    if len(got) != len(want):
        return False
    for g, w in zip(got, want):
        if isinstance(w, bool):
            if g not in (("1", "True") if w else ("0", "False")):
                return False
        elif isinstance(w, (int, float)) or (isinstance(w, str) and w.isdigit() and g.isdigit()):
            g, w = (int(g, 0), int(w)) if not isinstance(w, float) and "." not in g and "e" not in g else (float(g), float(w))
            if abs(g - w) > TOLERANCE * max(1.0, abs(w)):
                return False
        elif str(w) != g:
            return False
    return True


def compare(capture, with_keys, names):
    base = str(capture).removesuffix(".pcap")
    lines, wholes = [], {}
    for text in gzip.open(base + ".oracle.jsonl.gz", "rt"):
        line = json.loads(text)
        if "after" in line:
            wholes.setdefault(line["after"], []).append(line)
        else:
            lines.append(line)
    differences = packets = 0
    with tempfile.NamedTemporaryFile("w", suffix=".keys") as keys:
        for session in json.load(open(base + ".keys.json"))["sessions"] if with_keys else []:
            for epoch in session.get("epochs", []):
                keys.write(json.dumps({"connection_id": session["connection_id"], "epoch": epoch["epoch"],
                                       "c2s": epoch["c2s"], "s2c": epoch["s2c"]}) + "\n")
        keys.flush()
        for number, (got, line) in enumerate(zip(dissect(capture, keys.name, names), lines, strict=True), 1):
            packets += 1
            want = expected_of(line, wholes.get(number, []) if with_keys or line.get("flags", 0) & 3 == 0 else [], with_keys)
            for name in sorted((set(got) | set(want)) - OWN):
                if name in ("data", "data_len") and name not in want:
                    continue   # Long data the oracle tells by its length, short data in full.
                if not same(got.get(name, []), want.get(name, [])):
                    differences += 1
                    if differences <= 5:
                        print(f"{capture.name} packet {number}: {name} is {got.get(name)}, meant was {want.get(name)}")
    return packets, differences


def main():
    if not shutil.which("tshark"):
        print("skipped: there is no tshark")
        sys.exit(77)
    arguments = [a for a in sys.argv[1:] if a != "--all"]
    folders = [root / "tests/data/shadowland"]
    if "--all" in sys.argv or arguments:
        folders.append(root.parent / "shared/captures/shadowland")
    names = columns()
    if "connection_id" not in names:
        sys.exit(f"FAIL the dissector does not load: {names}")
    captures = packets = differences = 0
    for folder in folders:
        for capture in sorted(folder.glob("*.pcap")):
            if arguments and capture.stem not in arguments:
                continue
            for with_keys in (True, False):
                p, d = compare(capture, with_keys, names)
                packets += p
                differences += d
            captures += 1
    if captures == 0:
        print("skipped: no captures")
        sys.exit(77)
    print(f"{captures} captures, {packets} packets with keys and without: {differences} differences")
    sys.exit(1 if differences else 0)


main()
