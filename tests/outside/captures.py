"""Reads pcap files of any link type that a test needs, and gives their packets an Ethernet header."""

import ipaddress
import pathlib
import struct

ethernet, null, raw, linux_cooked = 1, 0, {12, 14, 101}, 113
macs = bytes.fromhex("020000000002" "020000000001")
ipv4_type, ipv6_type = b"\x08\x00", b"\x86\xdd"
vlan_types = (0x8100, 0x88A8, 0x9100)
syn, ack = 0x02, 0x10


class Capture:
    """A classic pcap file: its link type, and (time in ns, bytes, size on the wire) of each packet."""

    def __init__(self, path):
        data = pathlib.Path(path).read_bytes()
        magic = data[:4]
        order = "<" if magic in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
        fraction_ns = 1 if magic in (b"\x4d\x3c\xb2\xa1", b"\xa1\xb2\x3c\x4d") else 1000
        self.link = struct.unpack_from(order + "I", data, 20)[0] & 0xFFFF
        self.packets = []
        at = 24
        while at + 16 <= len(data):
            seconds, fraction, size, original = struct.unpack_from(order + "IIII", data, at)
            self.packets.append((seconds * 10**9 + fraction * fraction_ns, data[at + 16:at + 16 + size], original))
            at += 16 + size

    def as_ethernet(self):
        return [(time, *framed(self.link, packet, original)) for time, packet, original in self.packets]


def framed(link, packet, original):
    """The packet with an Ethernet header, and its size on the wire with one."""
    if link == ethernet:
        return packet, original
    if link == linux_cooked:
        header, kind = 16, packet[14:16]
    else:
        header = 4 if link == null else 0
        kind = ipv6_type if packet[header] >> 4 == 6 else ipv4_type
    return macs + kind + packet[header:], original - header + 14


def write(path, packets):
    """Classic pcap with nanoseconds: [(time, bytes, size on the wire)]."""
    with open(path, "wb") as out:
        out.write(struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262144, ethernet))
        for time, packet, original in packets:
            out.write(struct.pack("<IIII", *divmod(time, 10**9), len(packet), original) + packet)


def tcp_ends(frame):
    """(source, destination, flags) of an Ethernet frame with a TCP header, else None; of a first fragment, no flags."""
    at, kind = 14, int.from_bytes(frame[12:14], "big")
    while kind in vlan_types:
        kind, at = int.from_bytes(frame[at + 2:at + 4], "big"), at + 4
    if kind == 0x0800 and len(frame) >= at + 20:
        protocol, addresses, size = frame[at + 9], at + 12, 4
        l4 = at + (frame[at] & 15) * 4
        if frame[at + 6] & 0x1F or frame[at + 7]:
            return None
    elif kind == 0x86DD and len(frame) >= at + 40:
        protocol, addresses, size, l4 = frame[at + 6], at + 8, 16, at + 40
    else:
        return None
    if protocol != 6 or len(frame) < l4 + 4:
        return None
    ports = struct.unpack_from("!HH", frame, l4)
    ends = [(ipaddress.ip_address(frame[addresses + i * size:addresses + (i + 1) * size]), ports[i]) for i in (0, 1)]
    return ends[0], ends[1], frame[l4 + 13] if len(frame) > l4 + 13 else 0


def services(frames):
    """Whom connections are opened to; who was not seen to open one is taken to be the higher port."""
    found, known = {}, set()
    for frame in frames:
        ends = tcp_ends(frame)
        if ends is None:
            continue
        source, destination, flags = ends
        pair = frozenset((source, destination))
        if pair in known or 0 in (source[1], destination[1]):
            continue
        if flags & (syn | ack) == syn | ack:
            source, destination = destination, source
        elif not flags & syn and destination[1] > source[1]:
            source, destination = destination, source
        known.add(pair)
        found[destination] = None
    return list(found)
