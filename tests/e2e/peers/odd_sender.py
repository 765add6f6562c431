#!/usr/bin/env python3
"""Opens TCP connections by hand and sends on them what no stack would: shuffled, repeated, cut anew, contradicting
itself, with bad sums, old timestamps, stray resets.  The kernel of this host knows nothing of them.

  odd_sender.py INTERFACE OWN_ADDRESS SERVER PORT SERVER_MAC CONNECTIONS SEED

Every sequence number is offered in two values, and what arrives decides which of them the stream has; so in the end
both are sent, byte by byte, until the server acknowledges one.  Says one JSON object a connection.
"""

import errno
import json
import random
import select
import socket
import struct
import sys
import time

fin, syn, rst, psh, ack = 1, 2, 4, 8, 16
at_a_time = 40
patience_s = 30
first_port = 10000
segment_max = 1400


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


class Line:
    """Frames to and from one server, past the kernel."""

    def __init__(self, interface, own, server, port, server_mac):
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0800))
        self.socket.bind((interface, 0))
        self.socket.setblocking(False)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        mac = bytes.fromhex(open(f"/sys/class/net/{interface}/address").read().strip().replace(":", ""))
        self.link = bytes.fromhex(server_mac.replace(":", "")) + mac + b"\x08\x00"
        self.own, self.server, self.port = socket.inet_aton(own), socket.inet_aton(server), port

    def send(self, port, seq, number, flags, data=b"", timestamp=None, window=65535, spoil=False):
        options = b"" if timestamp is None else struct.pack("!BBBBII", 1, 1, 8, 10, timestamp, 0)
        if flags & syn:
            options = struct.pack("!BBHBBBB", 2, 4, 1460, 1, 3, 3, 4) + options
        header = struct.pack("!HHIIBBHHH", port, self.port, seq & 0xFFFFFFFF, number & 0xFFFFFFFF,
                             (20 + len(options)) << 2, flags, window, 0, 0) + options
        pseudo = self.own + self.server + struct.pack("!BBH", 0, 6, len(header) + len(data))
        total = checksum(pseudo + header + data) ^ (0x1111 if spoil else 0)
        header = header[:16] + struct.pack("!H", total) + header[18:]
        ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(header) + len(data), 0, 0x4000, 64, 6, 0) + self.own + self.server
        ip = ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:]
        frame = self.link + ip + header + data
        while True:
            try:
                self.socket.send(frame)
                return
            except BlockingIOError:
                time.sleep(0.001)
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    raise
                time.sleep(0.001)

    def receive(self):
        """(client's port, seq, ack, flags, window, payload bytes) of all that waits."""
        while True:
            try:
                frame = self.socket.recv(65536)
            except BlockingIOError:
                return
            if frame[26:34] != self.server + self.own or frame[23] != 6:
                continue
            ip_size = (frame[14] & 15) * 4
            total = struct.unpack_from("!H", frame, 16)[0]
            l4 = 14 + ip_size
            source, target, seq, number, offset, flags, window = struct.unpack_from("!HHIIBBH", frame, l4)
            if source == self.port:
                yield target, seq, number, flags, window, total - ip_size - (offset >> 4) * 4


class Connection:
    def __init__(self, line, port, seed):
        self.line, self.port = line, port
        self.dice = dice = random.Random(seed)
        # Some begin where sequence numbers wrap.
        self.isn = (2**32 - dice.randrange(1, 3000)) if dice.random() < 0.2 else dice.getrandbits(32)
        size = dice.randrange(1, 6000)
        self.good = dice.randbytes(size)
        self.evil = bytes(b ^ 0x5A for b in self.good)
        self.stamps = dice.random() < 0.5
        self.clock = dice.getrandbits(32)
        self.state, self.una, self.server_next = "opening", 0, 0
        self.began = self.said = time.time()
        self.plan = []
        self.offered = -1  # Where bytes were missing when both values were last sent in pieces.
        self.closed = self.reset = False
        self.line.send(port, self.isn, 0, syn, timestamp=self.stamp())

    def stamp(self, age=0):
        self.clock += 1
        return (self.clock - age) & 0xFFFFFFFF if self.stamps else None

    def make_plan(self):
        """Segments as (offset, bytes, trick), shuffled within a distance."""
        dice, size, plan = self.dice, len(self.good), []
        longest = dice.choice([1, 7, 100, 600, segment_max])
        lies = dice.choice([0, 0, 0.1, 0.4])
        for _ in range(dice.choice([1, 2])):
            at = 0
            while at < size:
                end = min(size, at + dice.randrange(1, longest + 1))
                # Few enough to end: one-byte segments only for the first of a stream.
                if len(plan) > 250:
                    end = min(size, at + segment_max)
                begin = max(0, at - dice.randrange(longest), end - segment_max) if dice.random() < 0.2 else at
                text = self.evil if dice.random() < lies else self.good
                if dice.random() > 0.1:  # Else lost before it came to the wire.
                    plan.append((begin, text[begin:end], dice.choice(tricks) if dice.random() < 0.08 else ""))
                if dice.random() < 0.1:
                    plan.append((begin, text[begin:end], ""))
                at = end
        far = dice.choice([0, 0, 3, 20])
        plan = [s for _, s in sorted(enumerate(plan), key=lambda p: p[0] + dice.uniform(0, far))]
        if dice.random() < 0.2:
            plan.insert(dice.randrange(len(plan) + 1), (size, b"", "fin"))
        return plan

    def say(self, offset, data, trick=""):
        flags, number, age, spoil = psh | ack, self.server_next, 0, False
        if trick == "bad sum":
            data, spoil = bytes(b ^ 0x33 for b in data), True
        elif trick == "old stamp" and self.stamps:
            data, age = bytes(b ^ 0x33 for b in data), 100000
        elif trick == "no ack":
            flags = psh
        elif trick == "ack of nothing":
            number += 100000
        elif trick == "far away":
            offset += 1 << 30
        elif trick == "stray reset":
            offset, data, flags = len(self.good) + 1000, b"", rst  # In the window, and nowhere near believable.
        elif trick == "stray syn":
            data, flags = b"", syn
        elif trick == "keepalive":
            offset, data = self.una - 1, b"?"
        elif trick == "fin":
            flags |= fin
        self.line.send(self.port, self.isn + 1 + offset, number, flags, data, self.stamp(age), spoil=spoil)

    def work(self, now):
        if self.state == "opening":
            if now - self.said > 1:
                self.said = now
                self.line.send(self.port, self.isn, 0, syn, timestamp=self.stamp())
        elif self.plan:
            for segment in self.plan[:4]:
                self.say(*segment)
            self.plan = self.plan[4:]
            self.said = now
        elif now - self.said > 0.05:
            self.said = now
            if self.una < len(self.good):
                self.offer_both()
            else:
                self.say(len(self.good), b"", "fin")

    def offer_both(self):
        """One of the two values of each byte that is missing is the stream's: whole pieces first, then bytes."""
        size = len(self.good)
        if self.una != self.offered:
            self.offered = self.una
            for at in range(self.una, min(size, self.una + 3000), 300):
                for text in (self.good, self.evil):
                    self.say(at, text[at:min(size, at + 300)])
            return
        for at in range(self.una, min(size, self.una + 40)):
            for text in (self.good, self.evil):
                self.say(at, text[at:at + 1])

    def hear(self, seq, number, flags, size):
        if flags & rst:
            self.reset = True
            return
        if self.state == "opening":
            if flags & (syn | ack) == syn | ack and number == (self.isn + 1) & 0xFFFFFFFF:
                self.server_next = (seq + 1) & 0xFFFFFFFF
                self.state = "open"
                self.plan = self.make_plan()
                self.say(0, b"", "")
            return
        acked = (number - self.isn - 1) & 0xFFFFFFFF
        if flags & ack and self.una < acked <= len(self.good) + 1:
            self.una = acked
        if seq == self.server_next and (size or flags & fin):
            self.server_next = (seq + size + (1 if flags & fin else 0)) & 0xFFFFFFFF
            self.say(len(self.good) + 1, b"", "")
        if flags & fin and self.una > len(self.good):
            self.closed = True


tricks = ["bad sum", "old stamp", "no ack", "ack of nothing", "far away", "stray reset", "stray syn", "keepalive"]


def main():
    interface, own, server, port, mac, count, seed = sys.argv[1:]
    line = Line(interface, own, server, int(port), mac)
    count, seed = int(count), int(seed)
    living, begun = {}, 0
    while living or begun < count:
        while begun < count and len(living) < at_a_time:
            living[first_port + begun] = Connection(line, first_port + begun, seed * 1_000_003 + begun)
            begun += 1
        select.select([line.socket], [], [], 0.002)
        for target, seq, number, flags, _, size in line.receive():
            if target in living:
                living[target].hear(seq, number, flags, size)
        now = time.time()
        for number, connection in list(living.items()):
            connection.work(now)
            stalled = now - connection.began > patience_s
            if connection.closed or connection.reset or stalled:
                how = "closed" if connection.closed else "reset" if connection.reset else "stalled"
                print(json.dumps({"event": how, "port": number, "acked": connection.una,
                                  "size": len(connection.good), "state": connection.state}), flush=True)
                del living[number]
    print(json.dumps({"event": "done"}), flush=True)


if __name__ == "__main__":
    main()
