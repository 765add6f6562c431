#!/usr/bin/env python3
"""What a bump in the wire adds to a round trip: 64 bytes of TCP there and back between two namespaces.

  sudo tests/bench/latency.py BINARY [--round-trips N] [--rounds N]

Method: the same client and echo server over a Linux bridge, over testpmd's io forwarding on af_packet, and over
`portcullis run` on af_packet, once on a port of no Service and once on the Service's with movement packets of a
Minecraft session. They take turns; of several rounds the one with the least median counts. One JSON object is
printed: p50 and p99 in microseconds.
"""

import argparse
import contextlib
import json
import pathlib
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
NAME = "ptb"
SERVER = "10.88.0.2"
PLAIN_PORT, GAME_PORT = 7000, 25565
PROTOCOL = 754
WARM_UP = 200

CONFIG = """\
wires:
  - name: bench
    outside: {{ device: "net_af_packet0,iface={name}o", driver: af_packet }}
    inside:  {{ device: "net_af_packet1,iface={name}i", driver: af_packet }}
workers: 1
pipeline: inspect/inline.yaml
mode: observe
idle: spin
limits: {{ flows: 1024, players: 16 }}
services:
  - {{ name: bench, protocol: minecraft, address: {server}, port: {port} }}
verdict_log: {{ path: {folder}/verdicts }}
admin: {{ socket: {folder}/admin.sock }}
"""


def framed(body):
    return bytes([len(body)]) + body


def text(value):
    return bytes([len(value)]) + value.encode()


HANDSHAKE = framed(b"\x00" + b"\xf2\x05" + text(SERVER) + struct.pack(">H", GAME_PORT) + b"\x02")
LOGIN = framed(b"\x00" + text("Bench"))
LOGGED_IN = framed(b"\x02" + bytes(16) + text("Bench"))
# Position, position and look: 62 bytes as a client sends them.
MOVES = framed(b"\x12" + struct.pack(">ddd?", 1, 64, 1, True)) + \
    framed(b"\x13" + struct.pack(">dddff?", 1, 64, 1, 0, 0, True))


def receive(peer, size):
    data = b""
    while len(data) < size:
        more = peer.recv(size - len(data))
        if not more:
            return b""
        data += more
    return data


def serve(port):
    """Returns every 64 bytes, or every pair of moves once a login was answered."""
    listener = socket.create_server((SERVER, port))
    print("listening", flush=True)
    while True:
        peer, _ = listener.accept()
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        size = 64
        if port == GAME_PORT:
            size = len(MOVES)
            receive(peer, len(HANDSHAKE + LOGIN))
            peer.sendall(LOGGED_IN)
        while message := receive(peer, size):
            peer.sendall(message)


def ask(port, round_trips):
    message = MOVES if port == GAME_PORT else bytes(64)
    with socket.create_connection((SERVER, port), timeout=10) as peer:
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if port == GAME_PORT:
            peer.sendall(HANDSHAKE + LOGIN)
            receive(peer, len(LOGGED_IN))
        took = []
        for _ in range(WARM_UP + round_trips):
            began = time.perf_counter_ns()
            peer.sendall(message)
            receive(peer, len(message))
            took.append(time.perf_counter_ns() - began)
    took = sorted(took[WARM_UP:])
    print(json.dumps({"p50": took[len(took) // 2] / 1000, "p99": took[len(took) * 99 // 100] / 1000}))


def in_space(space, *arguments):
    return ["ip", "netns", "exec", f"{NAME}-{space}", sys.executable, __file__, *map(str, arguments)]


@contextlib.contextmanager
def process(command, ready, how=signal.SIGTERM, **more):
    """A process that has said `ready`, ended by its id."""
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **more)
    try:
        said = ""
        while ready not in said.lower():
            line = running.stdout.readline()
            if not line:
                sys.exit(f"error: {command[0]} ended: {said[-1500:]}")
            said += line
        yield running
    finally:
        running.send_signal(how)
        try:
            running.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            running.kill()
            running.communicate()


@contextlib.contextmanager
def bridge():
    subprocess.run(["ip", "link", "add", f"{NAME}br", "type", "bridge"], check=True)
    try:
        for link in (f"{NAME}o", f"{NAME}i", f"{NAME}br"):
            if not link.endswith("br"):
                subprocess.run(["ip", "link", "set", link, "master", f"{NAME}br"], check=True)
            subprocess.run(["ip", "link", "set", link, "up"], check=True)
        yield
    finally:
        subprocess.run(["ip", "link", "del", f"{NAME}br"], check=True)


def testpmd():
    command = ["stdbuf", "-o0", "dpdk-testpmd", "--no-pci", "--no-shconf", "--no-telemetry", "-l", "0,1", "--no-huge",
               "-m", "256", "--vdev", f"net_af_packet0,iface={NAME}o", "--vdev", f"net_af_packet1,iface={NAME}i",
               "--", "--forward-mode=io", "--nb-cores=1", "--total-num-mbufs=8192", "--no-mlockall",
               "--no-lsc-interrupt", "--burst=32"]
    return process(command, "press enter", stdin=subprocess.PIPE)


def portcullis(binary, folder):
    config = pathlib.Path(folder) / "latency.yaml"
    config.write_text(CONFIG.format(name=NAME, server=SERVER, port=GAME_PORT, folder=folder))
    return process([binary, "run", "--config", str(config)], "ready:")


def measure(port, round_trips):
    done = subprocess.run(in_space("players", "ask", port, round_trips), capture_output=True, text=True, timeout=120)
    if done.returncode != 0:
        sys.exit("error: no answer: " + done.stderr[-500:])
    return json.loads(done.stdout)


def rounds(binary, folder, count, round_trips):
    best = {}

    def take(what, port):
        time.sleep(1)   # A port that has just come up has neighbours to learn.
        found = measure(port, round_trips)
        if what not in best or found["p50"] < best[what]["p50"]:
            best[what] = found

    for _ in range(count):
        with bridge():
            take("bridge", PLAIN_PORT)
        with testpmd():
            take("testpmd", PLAIN_PORT)
        with portcullis(binary, folder):
            take("portcullis", PLAIN_PORT)
            take("portcullis, playing", GAME_PORT)
    return best


def main():
    if sys.argv[1:2] == ["serve"]:
        return serve(int(sys.argv[2]))
    if sys.argv[1:2] == ["ask"]:
        return ask(int(sys.argv[2]), int(sys.argv[3]))
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("binary")
    arguments.add_argument("--round-trips", type=int, default=3000)
    arguments.add_argument("--rounds", type=int, default=2)
    chosen = arguments.parse_args()
    topology = ROOT / "tests/e2e/topology.sh"
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="portcullis-latency."))
        subprocess.run([topology, "up", NAME], check=True)
        stack.callback(subprocess.run, [topology, "down", NAME])
        for port in (PLAIN_PORT, GAME_PORT):
            stack.enter_context(process(in_space("servers", "serve", port), "listening"))
        print(json.dumps(rounds(chosen.binary, folder, chosen.rounds, chosen.round_trips)))


if __name__ == "__main__":
    main()
