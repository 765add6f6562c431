#!/usr/bin/env python3
"""Makes seeds for minecraft_fuzz of captures: real sessions, shortened, in the script that the target plays.

  seed_minecraft.py OUT DIR...      each DIR with captures and their manifest.json; absent ones are left out

A seed is one connection from its handshake on.  Long frames (chunks, registries) are left out while they can be
told apart, so that many different packets fit; enciphered connections keep their bytes and get their key.
"""

import hashlib
import json
import pathlib
import struct
import sys

SEED_BYTES_MAX = 8 << 10
FRAME_BYTES_MAX = 700
PIECE_BYTES_MAX = 4096
# The first byte of a script; see minecraft_fuzz.cc.
ALL_BODIES, KEY_GIVEN = 1, 2


def segments(path):
    """(client port, to the client, seq, payload) of every TCP segment of a capture of Ethernet and IPv4."""
    data = path.read_bytes()
    at = 24
    while at + 16 <= len(data):
        size = struct.unpack_from("<I", data, at + 8)[0]
        frame = data[at + 16:at + 16 + size]
        at += 16 + size
        if frame[12:14] != b"\x08\x00" or frame[23] != 6:
            continue
        header = (frame[14] & 15) * 4
        total = struct.unpack_from(">H", frame, 16)[0]
        tcp = frame[14 + header:14 + total]
        source, destination, seq = struct.unpack_from(">HHI", tcp)
        payload = tcp[(tcp[12] >> 4) * 4:]
        if payload and 25565 in (source, destination):
            to_client = source == 25565
            yield destination if to_client else source, to_client, seq, payload


def in_order(path):
    """{client port: [(to the client, bytes)]}, what came twice or too early left out."""
    flows, expected = {}, {}
    for port, to_client, seq, payload in segments(path):
        following = expected.get((port, to_client), seq)
        if seq != following:
            continue
        expected[port, to_client] = (seq + len(payload)) & 0xFFFFFFFF
        flows.setdefault(port, []).append((to_client, payload))
    return flows


def cut(data):
    """(whole frames at the front, the rest)."""
    frames = []
    while True:
        length = width = 0
        while width < min(4, len(data)):
            length |= (data[width] & 127) << 7 * width
            width += 1
            if data[width - 1] < 128:
                break
        if width == 0 or data[width - 1] >= 128 or len(data) < width + length:
            return frames, data
        frames.append(data[:width + length])
        data = data[width + length:]


def script(flow, key):
    """One seed."""
    out = bytearray([ALL_BODIES | (KEY_GIVEN if key else 0)]) + (key or b"")
    waiting = {False: b"", True: b""}
    for number, (to_client, payload) in enumerate(flow):
        if key:
            pieces = [payload]
        else:
            pieces, waiting[to_client] = cut(waiting[to_client] + payload)
            pieces = [p for p in pieces if len(p) <= FRAME_BYTES_MAX]
        said = b"".join(pieces)
        for at in range(0, len(said), PIECE_BYTES_MAX):
            piece = said[at:at + PIECE_BYTES_MAX]
            if len(out) + len(piece) + 3 > SEED_BYTES_MAX:
                return bytes(out)
            out += struct.pack(">BH", int(to_client) | (number * 37 % 64) << 1, len(piece)) + piece
    return bytes(out)


def main():
    out = pathlib.Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    seeds = 0
    for folder in map(pathlib.Path, sys.argv[2:]):
        manifest = folder / "manifest.json"
        entries = json.loads(manifest.read_text()) if manifest.exists() else []
        keys = {(e["file"], int(known["peer"].rsplit(":", 1)[1])): bytes.fromhex(known["secret"])
                for e in entries for known in e.get("aes_shared_secrets", [])}
        for capture in sorted(folder.glob("*.pcap")):
            for port, flow in in_order(capture).items():
                seed = script(flow, keys.get((capture.name, port)))
                (out / hashlib.sha1(seed).hexdigest()).write_bytes(seed)
                seeds += 1
    print(f"{seeds} seeds")


if __name__ == "__main__":
    main()
