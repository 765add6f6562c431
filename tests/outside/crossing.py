"""One capture through `portcullis inspect`: what came, what left, and what was said about it."""

import json
import pathlib
import subprocess
import tempfile

import captures

services_max = 64
anybody = [("0.0.0.0", 25565)]
only_logs = {"default": {"ladder": [{"level": 1, "action": "log"}]}}


class Crossing:
    """Every server in the capture is a service; verdicts act on nobody."""

    def __init__(self, binary, path, mode, trust, *options, shadowland=False):
        self.came = captures.Capture(path).as_ethernet()
        servers = captures.services([frame for _, frame, _ in self.came])[:services_max]
        with tempfile.TemporaryDirectory() as tmp:
            tmp = pathlib.Path(tmp)
            captures.write(tmp / "in.pcap", self.came)
            config = configuration(servers or anybody, mode, trust, shadowland)
            (tmp / "config.yaml").write_text(json.dumps(config))
            done = subprocess.run(
                [binary, "inspect", tmp / "in.pcap", "--config", tmp / "config.yaml", "--format", "jsonl",
                 "--forwarded", tmp / "out.pcap", *options], capture_output=True, text=True, timeout=300)
            if done.returncode != 0:
                raise RuntimeError(f"inspect exits {done.returncode}: {done.stderr.strip()[-300:]}")
            self.left = captures.Capture(tmp / "out.pcap").as_ethernet()
        records = [json.loads(line) for line in done.stdout.splitlines()]
        self.summary = records[-1]
        self.streams = [stream_of(r) for r in records if r["type"] == "stream"]


def configuration(servers, mode, trust, shadowland):
    port = {"device": "none", "driver": "af_packet"}
    services = [{"name": f"s{i}", "protocol": "minecraft", "address": str(address), "port": number}
                for i, (address, number) in enumerate(servers)]
    if shadowland:
        services = [{"name": "shadow", "protocol": "shadowland", "address": "0.0.0.0", "port": 3565}]
    return {
        "wires": [{"name": "edge", "outside": port, "inside": {**port, "device": "nothing"}}],
        "mode": mode,
        "checksums": "trust" if trust else "verify",
        "limits": {"flows": 65536, "players": 2000, "half_open": 16384},
        "services": services,
        "policies": only_logs,
    }


def stream_of(record):
    client, server = (record["flow"][end].replace("[", "").replace("]", "") for end in ("client", "server"))
    ends = (client, server) if record["direction"] == "c2s" else (server, client)
    return (*ends, record["bytes"], record["sha256"][:16])


def is_neutralised(came, left):
    """The same Shadowland packet, by its ends and its sequence, with a few bytes made harmless and sums mended."""
    if came is None or left is None or len(came[0]) != len(left[0]):
        return False
    came, left = came[0], left[0]
    payload = 42 if came[12:14] == captures.ipv4_type else 62
    numbers = slice(payload + 6, payload + 14)
    differ = sum(a != b for a, b in zip(came, left))
    return came[:payload - 2] == left[:payload - 2] and came[numbers] == left[numbers] and differ <= 16


def nothing_is_altered(crossing, may_neutralise=False):
    """What left is what came, in order, without as many as were dropped; a list of faults."""
    drops = crossing.summary["drops"]
    left = iter([packet for _, *packet in crossing.left])
    waiting = next(left, None)
    missing = 0
    for _, *packet in crossing.came:
        if packet == waiting or may_neutralise and is_neutralised(packet, waiting):
            waiting = next(left, None)
        else:
            missing += 1
    faults = []
    if waiting is not None:
        faults.append("a packet left altered or out of order")
    if missing != sum(drops.values()):
        faults.append(f"{missing} packets are missing, dropped were {drops}")
    if crossing.summary["packets"] != len(crossing.left) + sum(drops.values()):
        faults.append(f"received {crossing.summary['packets']}, sent {len(crossing.left)}, dropped {drops}")
    return faults
