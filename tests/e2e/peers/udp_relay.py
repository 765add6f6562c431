"""A bad line for UDP, in both directions: loses, doubles, delays and reorders datagrams, the same for the same seed.

  udp_relay.py LISTEN_ADDRESS LISTEN_PORT TO_ADDRESS TO_PORT [loss=0.03] [duplicate=0.02] [reorder=0.03]
               [delay_ms=20] [jitter_ms=10] [seed=1] [seconds=600]

Each client that speaks to it gets a socket of its own toward the server, so that clients stay apart there.  Says
"listening", and at the end (SIGTERM or the seconds are over) what it did to how many.
"""

import heapq
import json
import random
import selectors
import signal
import socket
import sys
import time

CLIENTS_MAX = 256
WAITING_MAX = 65536


def main():
    listen, server = (sys.argv[1], int(sys.argv[2])), (sys.argv[3], int(sys.argv[4]))
    o = {"loss": 0.03, "duplicate": 0.02, "reorder": 0.03, "delay_ms": 20.0, "jitter_ms": 10.0, "seed": 1, "seconds": 600}
    for argument in sys.argv[5:]:
        name, value = argument.split("=")
        if name not in o:
            sys.exit(f"udp_relay: there is no {name}")
        o[name] = float(value)
    chance = random.Random(o["seed"])
    counts = {"passed": 0, "lost": 0, "doubled": 0, "reordered": 0, "refused": 0}
    poll = selectors.DefaultSelector()
    front = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    front.bind(listen)
    front.setblocking(False)
    poll.register(front, selectors.EVENT_READ, None)
    toward_server = {}   # Client to socket.
    waiting = []         # (when, number, send, bytes): a heap.
    newest = {}          # Direction to when its last datagram goes: who is not reordered keeps his place.

    def take(line, send, data):
        if chance.random() < o["loss"]:
            counts["lost"] += 1
            return
        copies = 1
        if chance.random() < o["duplicate"]:
            copies = 2
            counts["doubled"] += 1
        for _ in range(copies):
            when = time.monotonic() + (o["delay_ms"] + chance.random() * o["jitter_ms"]) / 1000
            if chance.random() < o["reorder"]:
                when += (30 + chance.random() * 60) / 1000
                counts["reordered"] += 1
            else:
                when = newest[line] = max(when, newest.get(line, 0.0))
            if len(waiting) < WAITING_MAX:
                heapq.heappush(waiting, (when, len(waiting) + counts["passed"], send, data))

    def read(client_of, own):
        while True:
            try:
                data, sender = own.recvfrom(65536)
            except (BlockingIOError, ConnectionRefusedError):
                return
            if client_of is not None:
                take(("back", client_of), lambda d, c=client_of: front.sendto(d, c), data)
                continue
            if sender not in toward_server:
                if len(toward_server) == CLIENTS_MAX:
                    counts["refused"] += 1
                    continue
                out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                out.setblocking(False)
                out.connect(server)
                toward_server[sender] = out
                poll.register(out, selectors.EVENT_READ, sender)
            out = toward_server[sender]
            take(("forth", sender), out.send, data)

    def finish(*_):
        print(json.dumps({"event": "ended", **counts}), flush=True)
        sys.exit(0)

    signal.signal(signal.SIGTERM, finish)
    print(json.dumps({"event": "listening"}), flush=True)
    end = time.monotonic() + o["seconds"]
    while time.monotonic() < end:
        until = min(0.2, max(0.0, waiting[0][0] - time.monotonic())) if waiting else 0.2
        for key, _ in poll.select(until):
            read(key.data, key.fileobj)
        while waiting and waiting[0][0] <= time.monotonic():
            _, _, send, data = heapq.heappop(waiting)
            try:
                send(data)
                counts["passed"] += 1
            except OSError:
                counts["refused"] += 1
    finish()


main()
