#!/usr/bin/env python3
"""Goal: in every Shadowland capture each attack and cheat brings its expected check and is stopped, and honest
players are never acted on and lose nothing.
Method: `portcullis inspect` over each capture, enforcing under a policy that kicks at the first certain finding, with
the keys beside the capture and again with the server's secrets alone; what left is held against what came, datagram by
datagram, and against the manifest and what the senders said of each datagram (the oracle).

  shadowland.py PORTCULLIS [NAME...]      tests/data/shadowland, and ../shared where it stands beside the project

Prints a line a capture that is not as it should be, and ends with totals.
"""

import collections
import concurrent.futures
import datetime
import gzip
import json
import pathlib
import struct
import subprocess
import sys
import tempfile

root = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(root / "tests/outside"))
import captures  # noqa: E402

folders = [root / "tests/data/shadowland", root.parent / "shared/captures/shadowland"]
act_at_confidence = 0.95
# What shows in sealed packets without their keys (the wire document's section 13).
shows_sealed = {"header.invalid", "cookie.forged", "cookie.expired", "session.hijack", "crypto.downgrade",
                "replay.window", "rate.flood", "handshake.flood"}
# The server leaks; nobody is to blame, and no client is acted on.
nobodys = {"aoi.leak"}


def key_lines(keys, server, with_keys):
    """The capture's keys as the key feed has them."""
    yield {"protocol": "shadowland", "server": server, "cookie_secret": keys["cookie_secret"],
           "integrity_secret": keys["integrity_secret"]}
    for session in keys["sessions"] if with_keys else []:
        for epoch in session.get("epochs", []):
            yield {"protocol": "shadowland", "client": session["client"], "server": server,
                   "connection_id": session["connection_id"], "epoch": epoch["epoch"],
                   "c2s": epoch["c2s"], "s2c": epoch["s2c"]}


def configuration():
    port = {"device": "none", "driver": "af_packet"}
    return {
        "wires": [{"name": "edge", "outside": port, "inside": {**port, "device": "nothing"}}],
        "limits": {"flows": 65536, "players": 2000, "half_open": 16384},
        "services": [{"name": "shadow", "protocol": "shadowland", "address": "0.0.0.0", "port": 3565,
                      "aoi": "enforce"}],
        "policies": {"default": {"ladder": [{"level": 0.1, "action": "kick"}]}},
    }


Datagram = collections.namedtuple("Datagram", "client to_server payload")


def datagrams(path):
    """(time, UDP datagram) of a capture with one server at port 3565."""
    for time, frame, _ in captures.Capture(path).packets:
        v4 = frame[12:14] == captures.ipv4_type
        at, size, l4 = (26, 4, 34) if v4 else (22, 16, 54)
        source, destination, length = struct.unpack_from("!HHH", frame, l4)
        to_server = destination == 3565
        address = frame[at:at + size] if to_server else frame[at + size:at + 2 * size]
        port = source if to_server else destination
        yield time, Datagram(endpoint(address, port), to_server, frame[l4 + 8:l4 + length])


def endpoint(address, port):
    if len(address) == 4:
        return ".".join(map(str, address)) + f":{port}"
    return f"[{captures.ipaddress.ip_address(address)}]:{port}"


class Run:
    """One capture through the appliance."""

    def __init__(self, portcullis, folder, entry, with_keys):
        name = entry["file"].removesuffix(".pcap")
        self.entry, self.with_keys = entry, with_keys
        with tempfile.TemporaryDirectory() as tmp:
            tmp = pathlib.Path(tmp)
            keys = json.loads((folder / f"{name}.keys.json").read_text())
            (tmp / "keys").write_text("".join(json.dumps(line) + "\n"
                                              for line in key_lines(keys, entry["server"], with_keys)))
            (tmp / "config.yaml").write_text(json.dumps(configuration()))
            done = subprocess.run(
                [portcullis, "inspect", folder / entry["file"], "--config", tmp / "config.yaml", "--format", "jsonl",
                 "--keys", tmp / "keys", "--forwarded", tmp / "out.pcap"], capture_output=True, text=True, timeout=300)
            if done.returncode != 0:
                raise SystemExit(f"{name}: inspect failed: {done.stderr[-500:]}")
            self.left_at = list(datagrams(tmp / "out.pcap"))
        self.left = [d for _, d in self.left_at]
        self.came = [d for _, d in datagrams(folder / entry["file"])]
        records = [json.loads(line) for line in done.stdout.splitlines()]
        self.summary = records[-1]
        self.verdicts = [r for r in records if r["type"] == "verdict"]
        self.acted = [v for v in self.verdicts if v["confidence"] >= act_at_confidence and v["check"] not in nobodys]
        self.guilty = {p["client"] for p in entry["players"] if p["role"] != "honest"}
        with gzip.open(folder / f"{name}.oracle.jsonl.gz", "rt") as lines:
            self.meant = [line for line in map(json.loads, lines) if "after" not in line]

    def expected(self):
        checks = set(self.entry["expected_checks"])
        return checks if self.with_keys or not self.entry["encrypted"] else checks & shows_sealed


def faults_of(run):
    """What is wrong with one run, a sentence each."""
    yield from missed_checks(run)
    yield from blamed_honest(run)
    yield from lost_honest(run)
    yield from attacks_that_arrived(run)
    yield from sessions_that_went_on(run)


def missed_checks(run):
    doubted = run.entry.get("doubted")  # Then it is enough that it is written down.
    in_doubt = doubted == "keys" or (doubted == "no keys" and not run.with_keys)
    found = {v["check"] for v in run.verdicts if in_doubt or v["confidence"] >= act_at_confidence}
    kicked = any(v["action"] == "kick" and v["flow"]["client"] in run.guilty for v in run.acted)
    for check in sorted(run.expected() - found):
        if kicked and found & run.expected():
            continue  # He was gone before he came to it.
        weaker = max((v["confidence"] for v in run.verdicts if v["check"] == check), default=None)
        yield f"misses {check}" + (f" (only at {weaker})" if weaker is not None else "")


def blamed_honest(run):
    flood = "handshake.flood" in run.entry["expected_checks"]  # Told of whoever comes next; nobody is acted on.
    for v in run.acted:
        if v["flow"]["client"] not in run.guilty and not (flood and v["check"] == "handshake.flood"):
            yield f"blames {v['flow']['client']}: {v['check']} {v['confidence']} {v['evidence']}"


def in_ns(time):
    return int(datetime.datetime.fromisoformat(time.replace("Z", "+00:00")).timestamp() * 1e9)


def is_session(payload):
    return payload[:4] != b"\0\0\0\0"


def is_connect_without_cookie(payload):
    return len(payload) == 107 and payload[:4] == b"\0\0\0\0" and payload[14:15] == b"\0" and payload[54] & 1 == 0


def lost_honest(run):
    """All that honest flows hold leaves as it came; but for copies, which no receiver takes, leaks that the server
    should not have sent, and Connects that the appliance itself answered."""
    left = collections.Counter(d for d in run.left if d.client not in run.guilty)
    leaks = run.summary["drops"].get("out_of_interest", 0)
    answered = run.summary["drops"].get("answered", 0)
    seen, lost = set(), []
    for d in run.came:
        if d.client in run.guilty:
            continue
        if left[d] > 0:
            left[d] -= 1
        elif d not in seen:
            if answered > 0 and d.to_server and is_connect_without_cookie(d.payload):
                continue
            if leaks > 0 and not d.to_server:
                leaks -= 1
                continue
            lost.append(d)
        seen.add(d)
    if lost:
        yield f"{len(lost)} honest datagrams did not leave, the first {lost[0].client} {lost[0].payload[:20].hex()}"
    made_up = [d for d, n in left.items() if n > 0 and d not in seen and not (answered and not d.to_server)]
    if made_up:
        yield f"{len(made_up)} datagrams left that nobody sent: {made_up[0].client} {made_up[0].payload[:20].hex()}"


def attacks_that_arrived(run):
    """What its own sender meant to be refused does not reach the server as it was sent."""
    left = {d for d in run.left if d.to_server}
    arrived = collections.Counter()
    for d, meant in zip(run.came, run.meant):
        error = meant.get("error")
        if error and d.to_server and d.client in run.guilty and d in left:
            arrived[error] += 1
    if run.with_keys or not run.entry["encrypted"]:
        arrived = {error: n for error, n in arrived.items() if n > 0}
        if arrived:
            yield f"arrived all the same: {arrived}"


def sessions_that_went_on(run):
    """Who was kicked says nothing more to the server; who was not was stopped datagram by datagram."""
    expected = run.expected() - nobodys
    if run.entry["kind"] == "legit" or not expected:
        return
    kicked = {v["flow"]["client"]: in_ns(v["time"]) for v in run.acted if v["action"] == "kick"}
    for client in run.guilty & set(kicked):
        later = sum(d.to_server and d.client == client and is_session(d.payload) and time > kicked[client] + 1_000_000
                    for time, d in run.left_at)
        if later > 1:  # One is our goodbye to the server.
            yield f"{client} was kicked and said {later} more datagrams"
    dropped = sum(run.summary["drops"].values())
    if not kicked and dropped == 0:
        yield "nothing was stopped"


def judge_all(portcullis, folders, wanted=()):
    """Prints what is wrong with the captures of these folders; returns the exit code."""
    jobs = []
    skipped = 0
    for folder in folders:
        if not folder.is_dir():
            print(f"SKIP {folder}: no captures there")
            skipped += 1
            continue
        for entry in json.loads((folder / "manifest.json").read_text()):
            if not wanted or entry["file"].removesuffix(".pcap") in wanted:
                jobs += [(folder, entry, with_keys) for with_keys in (True, False)]

    def judge(job):
        folder, entry, with_keys = job
        run = Run(portcullis, folder, entry, with_keys)
        return run, list(faults_of(run))

    passed = failed = expected = 0
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for (folder, entry, with_keys), (run, faults) in zip(jobs, pool.map(judge, jobs)):
            expected += len(run.expected())
            passed, failed = passed + (not faults), failed + bool(faults)
            name = entry["file"].removesuffix(".pcap") + ("" if with_keys else ", without keys")
            for fault in faults[:6]:
                print(f"FAIL {name}: {fault}")
            if wanted:
                found = sorted({v["check"] for v in run.verdicts})
                print(f"{name}: found {', '.join(found) or 'nothing'}; drops {run.summary['drops']}")
    print(f"{expected} expected checks")
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


def main():
    if len(sys.argv) < 2:
        raise SystemExit(__doc__)
    raise SystemExit(judge_all(sys.argv[1], folders, set(sys.argv[2:])))


if __name__ == "__main__":
    main()
