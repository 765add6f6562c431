#!/usr/bin/env python3
"""Opens connections to a Minecraft server faster than any crowd would, or holds them and trickles.

  flooder.py HOST PORT SOURCE status|login COUNT     until COUNT were opened or it is kept out
  flooder.py HOST PORT SOURCE slow COUNT SECONDS     COUNT connections, a byte each second

Says `{"event": "done", ...}` with how many were opened, and, when it was kept out, after how many seconds.
Every connection is closed at the end; the count bounds what it can do.
"""

import json
import socket
import struct
import sys
import time

PATIENCE_S = 1.5  # A SYN that is dropped has been sent twice by then.
ANSWER_S = 0.1


def varint(value):
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def text(words):
    return varint(len(words)) + words.encode()


def frame(packet_id, fields=b""):
    body = varint(packet_id) + fields
    return varint(len(body)) + body


def handshake(host, port, following):
    return frame(0, varint(754) + text(host) + struct.pack(">H", port) + varint(following))


def connect(address, source):
    peer = socket.create_connection(address, PATIENCE_S, source_address=(source, 0))
    # A reset at the end leaves no port waiting.
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.settimeout(PATIENCE_S)
    return peer


def flood(address, source, kind, count):
    began = time.time()
    opened = ended = 0
    for i in range(count):
        try:
            peer = connect(address, source)
        except TimeoutError:
            return {"opened": opened, "ended": ended, "kept_out": True, "seconds": time.time() - began}
        except OSError:
            ended += 1
            continue
        opened += 1
        with peer:
            try:
                if kind == "status":
                    peer.sendall(handshake(address[0], address[1], 1) + frame(0))
                else:
                    peer.sendall(handshake(address[0], address[1], 2) + frame(0, text(f"Bot{i}")))
                peer.settimeout(ANSWER_S)
                if not peer.recv(65536):
                    ended += 1
            except TimeoutError:
                pass
            except OSError:
                ended += 1
    return {"opened": opened, "ended": ended, "kept_out": False, "seconds": time.time() - began}


def trickle(address, source, count, seconds):
    began = time.time()
    peers = [connect(address, source) for _ in range(count)]
    words = handshake(address[0], address[1], 2)
    lived = {}
    for second in range(seconds):
        for i, peer in enumerate(peers):
            if i in lived:
                continue
            try:
                if second < len(words) - 1:
                    peer.sendall(words[second:second + 1])
                peer.setblocking(False)
                if peer.recv(1) == b"":
                    lived[i] = time.time() - began
            except BlockingIOError:
                pass
            except OSError:
                lived[i] = time.time() - began
            finally:
                peer.settimeout(PATIENCE_S)
        if len(lived) == count:
            break
        time.sleep(1)
    for peer in peers:
        peer.close()
    return {"opened": count, "ended": len(lived), "seconds": max(lived.values(), default=0)}


def main():
    host, port, source, kind, count = sys.argv[1:6]
    address = (host, int(port))
    if kind == "slow":
        said = trickle(address, source, int(count), int(sys.argv[6]))
    else:
        said = flood(address, source, kind, int(count))
    print(json.dumps({"event": "done", **said}), flush=True)


main()
