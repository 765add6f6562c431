#!/usr/bin/env python3
"""Both ends of a connection behind a balancer and Velocity: PROXY header, modern forwarding, protocol 754.

  proxied.py server PORT SECRET                            a backend that asks for forwarding and verifies it
  proxied.py player HOST PORT NAME ADDRESS SECRET BEHAVIOUR SECONDS

BEHAVIOUR: "honest" walks about; "cheat" claims after two seconds to stand at a place that is no number.
Says on stdout who comes, from where, and how it ends.
"""

import hashlib
import hmac
import json
import socket
import struct
import sys
import threading
import time
import uuid

VERSION = 754
CHANNEL = b"velocity:player_info"
SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
said = threading.Lock()


def say(event, **fields):
    with said:
        print(json.dumps({"event": event, "at": time.time(), **fields}), flush=True)


def varint(number):
    number &= 0xffffffff
    out = bytearray()
    while number > 0x7f:
        out.append(number & 0x7f | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def text(value):
    data = value if isinstance(value, bytes) else value.encode()
    return varint(len(data)) + data


class Body:
    """A packet's fields, one after another."""

    def __init__(self, data):
        self.data = data

    def take(self, size):
        taken, self.data = self.data[:size], self.data[size:]
        return taken

    def varint(self):
        number = shift = 0
        while True:
            byte = self.take(1)[0]
            number |= (byte & 0x7f) << shift
            shift += 7
            if byte < 0x80:
                return number

    def text(self):
        return self.take(self.varint()).decode()


class Line:
    """A connection of uncompressed packets."""

    def __init__(self, peer):
        self.peer, self.stream = peer, peer.makefile("rb")

    def exactly(self, size):
        data = self.stream.read(size)
        if len(data) < size:
            raise EOFError
        return data

    def send(self, number, fields=b""):
        packet = varint(number) + fields
        self.peer.sendall(varint(len(packet)) + packet)

    def read(self):
        size = shift = 0
        while True:
            byte = self.exactly(1)[0]
            size |= (byte & 0x7f) << shift
            shift += 7
            if byte < 0x80:
                break
        body = Body(self.exactly(size))
        return body.varint(), body


# ---- the backend ----

def proxy_source(line):
    """The address that the balancer names."""
    header = line.exactly(16)
    assert header[:12] == SIGNATURE and header[12] == 0x21 and header[13] == 0x11, "no PROXY header"
    return socket.inet_ntoa(line.exactly(struct.unpack(">H", header[14:])[0])[:4])


def verified(data, secret):
    if not hmac.compare_digest(data[:32], hmac.new(secret, data[32:], hashlib.sha256).digest()):
        return None
    body = Body(data[32:])
    body.varint()
    return {"address": body.text(), "uuid": body.take(16), "name": body.text()}


def serve(peer, secret):
    line = Line(peer)
    try:
        source = proxy_source(line)
        line.read()  # The handshake,
        line.read()  # and who wants to log in: what the proxy says of him counts.
        line.send(4, varint(-42) + text(CHANNEL) + b"\x04")
        _, answer = line.read()
        assert answer.varint() == -42 & 0xffffffff and answer.take(1) == b"\1", "no forwarding"
        player = verified(answer.data, secret)
        if player is None:
            say("refused")
            return
        line.send(2, player["uuid"] + text(player["name"]))
        say("joined", name=player["name"], address=player["address"], balancer_says=source)
        while True:
            line.read()
    except (EOFError, OSError):
        say("closed")
    finally:
        peer.close()


def server(port, secret):
    listener = socket.create_server(("", int(port)), backlog=64)
    say("listening")
    while True:
        peer, _ = listener.accept()
        threading.Thread(target=serve, args=(peer, secret.encode()), daemon=True).start()


# ---- the player, and the proxies that speak for him ----

def forwarding(name, address, secret):
    data = varint(1) + text(address) + uuid.uuid3(uuid.NAMESPACE_DNS, name).bytes + text(name) + varint(0)
    return hmac.new(secret.encode(), data, hashlib.sha256).digest() + data


def log_in(line, name, address, secret):
    # As a slow line cuts it.
    header = SIGNATURE + b"\x21\x11\0\x0c" + socket.inet_aton(address) + bytes(4) + struct.pack(">HH", 40000, 25565)
    line.peer.sendall(header[:9])
    time.sleep(0.05)
    line.peer.sendall(header[9:])
    line.send(0, varint(VERSION) + text("play.example") + struct.pack(">H", 25565) + varint(2))
    line.send(0, text(name))
    number, question = line.read()
    assert number == 4, f"the server answers with packet {number}"
    asked = question.varint()
    line.send(2, varint(asked) + b"\1" + forwarding(name, address, secret))
    number, _ = line.read()
    assert number == 2, f"the server answers with packet {number}"


def position(x):
    return struct.pack(">ddd?", x, 64.0, 0.0, True)


def player(host, port, name, address, secret, behaviour, seconds):
    why = "left"
    try:
        peer = socket.create_connection((host, int(port)), 10)
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        line = Line(peer)
        log_in(line, name, address, secret)
        say("playing", name=name)
        began = time.time()
        while time.time() - began < float(seconds):
            cheats = behaviour == "cheat" and time.time() - began > 2
            line.send(0x12, position(float("nan") if cheats else 0.5))
            peer.settimeout(0.05)
            try:
                if peer.recv(4096) == b"":
                    raise EOFError
            except TimeoutError:
                pass
    except (EOFError, OSError) as end:
        why = type(end).__name__
    say("ended", name=name, why=why)


if __name__ == "__main__":
    {"server": server, "player": player}[sys.argv[1]](*sys.argv[2:])
