#!/usr/bin/env python3
"""Goal: `inspect` needs nothing but a capture, says the same thing twice, hands on every frame, and answers wrong input with
one sentence and the right exit code.
Method: the built binary over a small capture of a real session in which a client sends a position that is no number.

  inspect_test.py BINARY CAPTURE
"""

import json
import os
import pathlib
import struct
import subprocess
import sys
import tempfile
import unittest

BINARY, CAPTURE = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])


def inspect(*arguments, **options):
    return subprocess.run([BINARY, "inspect", *map(str, arguments)], capture_output=True, text=True, timeout=60, **options)


def records(done):
    return [json.loads(line) for line in done.stdout.splitlines()]


def without_what_may_differ(done):
    lines = []
    for record in records(done):
        record.pop("id", None)
        record.pop("elapsed_s", None)
        lines.append(json.dumps(record))
    return lines


# ---- a capture of a login at protocol 754, made byte by byte ----

def text(words):
    return varint(len(words)) + words


def varint(number):
    out = b""
    while number > 0x7f:
        out += bytes([number & 0x7f | 0x80])
        number >>= 7
    return out + bytes([number])


def game(packet):
    return varint(len(packet)) + packet


def hello(host):
    return game(b"\0" + varint(754) + text(host) + struct.pack(">H", 25565) + b"\2")


def conversation(to_server, to_client):
    """Client 10.0.0.9:40000 and server 10.0.0.2:25565, the client's bytes cut small; sums are left out."""
    client, server = (bytes([10, 0, 0, 9]), 40000), (bytes([10, 0, 0, 2]), 25565)
    sent = {client: 100, server: 900}
    frames = []

    def frame(source, target, flags, data=b""):
        tcp = struct.pack(">HHIIBBHHH", source[1], target[1], sent[source], sent[target] if flags & 16 else 0,
                          5 << 4, flags, 65535, 0, 0) + data
        ip = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(tcp), 1, 0x4000, 64, 6, 0) + source[0] + target[0]
        frames.append(bytes(12) + b"\x08\0" + ip + tcp)
        sent[source] += len(data) + (flags & 3 != 0)

    frame(client, server, 2)
    frame(server, client, 18)
    frame(client, server, 16)
    for at in range(0, len(to_server), 7):
        frame(client, server, 24, to_server[at:at + 7])
    frame(server, client, 24, to_client)
    file = struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1)
    for number, data in enumerate(frames):
        file += struct.pack("<IIII", 1_700_000_000, number * 1000, len(data), len(data)) + data
    return file


class Inspect(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="portcullis-test.")
        self.path = pathlib.Path(self.folder.name)

    def tearDown(self):
        self.folder.cleanup()

    def write(self, name, data):
        (self.path / name).write_bytes(data if isinstance(data, bytes) else data.encode())
        return self.path / name

    def complains(self, done, code, *words):
        self.assertEqual(done.returncode, code, done.stderr)
        for word in words:
            self.assertIn(word, done.stderr)
        self.assertLessEqual(len(done.stderr.splitlines()), 2, done.stderr)

    def test_finds_what_is_in_a_capture(self):
        done = inspect(CAPTURE, "--format", "jsonl")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stderr, "")
        kinds = [r["type"] for r in records(done)]
        self.assertEqual(kinds[0], "login")
        self.assertEqual(kinds[-1], "summary")
        verdict = next(r for r in records(done) if r["type"] == "verdict")
        self.assertEqual(verdict["check"], "packets.not_finite")
        summary = records(done)[-1]
        self.assertEqual(summary["players"], 1)
        self.assertEqual(summary["flows"], 1)

    def test_says_the_same_thing_twice(self):
        first = inspect(CAPTURE, "--format", "jsonl", "--packets")
        second = inspect(CAPTURE, "--format", "jsonl", "--packets")
        self.assertEqual(without_what_may_differ(first), without_what_may_differ(second))
        self.assertGreater(len(records(first)), 50)

    def test_prints_the_packets_that_are_named(self):
        named = inspect(CAPTURE, "--format", "jsonl", "--packets=position,login_start")
        names = {r["name"] for r in records(named) if r["type"] == "packet"}
        self.assertEqual(names, {"position", "login_start"})

    def test_prints_a_table_for_people(self):
        done = inspect(CAPTURE)
        self.assertEqual(done.returncode, 0)
        self.assertIn("packets.not_finite", done.stdout)
        self.assertIn("1 players", done.stdout)

    def test_hands_on_every_frame_when_nobody_acts(self):
        config = self.write("observe.yaml", "mode: observe\nservices:\n"
                            "  - { name: s, protocol: minecraft, address: 0.0.0.0, port: 25565 }\n")
        out = self.path / "out.pcap"
        done = inspect(CAPTURE, "--config", config, "--forwarded", out)
        self.assertEqual(done.returncode, 0, done.stderr)
        # The file's header may name another snapshot length; the records are the same.
        self.assertEqual(out.read_bytes()[24:], pathlib.Path(CAPTURE).read_bytes()[24:])

    def test_takes_several_captures_in_turn(self):
        one, two = inspect(CAPTURE, "--format", "jsonl"), inspect(CAPTURE, CAPTURE, "--format", "jsonl")
        self.assertEqual(records(two)[-1]["packets"], 2 * records(one)[-1]["packets"])
        self.assertEqual(records(two)[-1]["players"], 2)

    def test_says_what_a_wrong_capture_is(self):
        self.complains(inspect(self.path / "none.pcap"), 1, "none.pcap", "No such file")
        self.complains(inspect(self.write("text.pcap", "this is a text and no capture at all")), 1, "unknown file format")
        self.complains(inspect(self.path), 1, "is a folder")
        whole = pathlib.Path(CAPTURE).read_bytes()
        done = inspect(self.write("cut.pcap", whole[:len(whole) // 2]), "--format", "jsonl")
        self.complains(done, 1, "damaged after", "packets")
        self.assertEqual(records(done)[-1]["type"], "summary")
        self.assertGreater(records(done)[-1]["packets"], 10)
        cooked = whole[:20] + (113).to_bytes(4, "little") + whole[24:]
        self.complains(inspect(self.write("cooked.pcap", cooked)), 1, "LINUX_SLL", "Ethernet")

    def test_goes_on_after_a_capture_that_can_not_be_read(self):
        done = inspect(self.path / "none.pcap", CAPTURE, "--format", "jsonl")
        self.complains(done, 1, "none.pcap")
        self.assertEqual(records(done)[-1]["players"], 1)

    def offloaded(self):
        """A conversation whose sums nobody filled in."""
        login = hello(b"play.example") + game(b"\0" + text(b"Alice"))
        return conversation(login, game(b"\2" + bytes(16) + text(b"Alice")))

    def test_says_why_it_believed_nothing(self):
        capture = self.write("offloaded.pcap", self.offloaded())
        for mode in ("enforce", "observe"):
            config = self.write("mode.yaml", f"mode: {mode}\nservices:\n"
                                "  - { name: s, protocol: minecraft, address: 0.0.0.0, port: 25565 }\n")
            done = inspect(capture, "--config", config)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertIn("0 players", done.stdout)
            self.assertRegex(done.stdout, r"\n[0-9]+ packets have a wrong checksum and were not believed.*--checksums trust")
            summary = records(inspect(capture, "--config", config, "--format", "jsonl"))[-1]
            self.assertEqual(summary["drops" if mode == "enforce" else "notices"]["bad_checksum"], summary["packets"])
            self.assertIn("--checksums trust", summary["hints"][0])
        trusted = inspect(capture, "--checksums", "trust", "--format", "jsonl")
        self.assertEqual((records(trusted)[-1]["players"], records(trusted)[-1]["hints"]), (1, []))
        believed = self.write("trust.yaml", "checksums: trust\nservices:\n"
                              "  - { name: s, protocol: minecraft, address: 0.0.0.0, port: 25565 }\n")
        self.assertIn("1 players", inspect(capture, "--config", believed).stdout)
        self.assertIn("0 players", inspect(capture, "--config", believed, "--checksums", "verify").stdout)
        done = inspect(capture, "--checksums", "maybe")
        self.complains(done, 2, "maybe", "verify", "trust")

    def test_says_when_frames_are_not_whole(self):
        whole, cut, at = pathlib.Path(CAPTURE).read_bytes(), b"", 24
        while at < len(whole):
            head = struct.unpack("<IIII", whole[at:at + 16])
            kept = min(head[2], 60)
            cut += struct.pack("<IIII", *head[:2], kept, head[3]) + whole[at + 16:at + 16 + kept]
            at += 16 + head[2]
        capture = self.write("snapped.pcap", whole[:24] + cut)
        self.assertIn("are not whole in the capture", inspect(capture).stdout)
        summary = records(inspect(capture, "--format", "jsonl"))[-1]
        self.assertGreater(summary["cut"], 10)
        self.assertIn("tcpdump -s 0", summary["hints"][0])

    def test_says_nothing_of_the_kind_about_a_good_capture(self):
        summary = records(inspect(CAPTURE, "--format", "jsonl"))[-1]
        self.assertEqual((summary["cut"], summary["hints"]), (0, []))

    def test_fails_when_the_output_does_not_arrive(self):
        for arguments in ((), ("--format", "jsonl", "--packets")):
            with open("/dev/full", "w") as full:
                done = subprocess.run([BINARY, "inspect", CAPTURE, *arguments], stdout=full, stderr=subprocess.PIPE,
                                      text=True, timeout=60)
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertIn("not all of the output could be written", done.stderr)

    def test_reads_standard_input_and_pipes(self):
        straight = without_what_may_differ(inspect(CAPTURE, "--format", "jsonl"))
        with open(CAPTURE, "rb") as capture:
            done = inspect("-", "--format", "jsonl", stdin=capture)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(without_what_may_differ(done), straight)
        piped = subprocess.run(["bash", "-c", '"$0" inspect <(cat "$1") --format jsonl', BINARY, CAPTURE],
                               capture_output=True, text=True, timeout=60)
        self.assertEqual((piped.returncode, piped.stderr), (0, ""))
        self.assertEqual(without_what_may_differ(piped), straight)
        self.complains(inspect("-", input="no capture at all, but a text"), 1, "standard input: ")

    def test_a_service_takes_no_capture_for_another_service(self):
        done = inspect("--service", "minecraft@0.0.0.0:25565", "--service", "minecraft@10.0.0.2:1", CAPTURE,
                       "--format", "jsonl")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(records(done)[-1]["players"], 1)

    def test_names_of_packets_are_judged(self):
        self.complains(inspect(CAPTURE, "--packets=positoin"), 2, '"positoin"', 'did you mean "position"')
        self.complains(inspect(CAPTURE, "--packets", "position"), 2, "--packets=position")
        named = inspect(CAPTURE, "--format", "jsonl", "--packets=PlayerPosition")
        self.assertEqual({r["name"] for r in records(named) if r["type"] == "packet"}, {"position"})

    def test_names_the_key_that_asks_for_too_much_memory(self):
        meminfo = dict(line.split(":") for line in open("/proc/meminfo").read().splitlines())
        if sum(int(meminfo[key].split()[0]) for key in ("MemAvailable", "SwapFree")) > 32 << 20:
            self.skipTest("this machine has what is asked for")
        config = self.write("much.yaml", "limits: { flows: 100000000 }\nservices:\n"
                            "  - { name: s, protocol: minecraft, address: 0.0.0.0, port: 25565 }\n")
        self.complains(inspect(CAPTURE, "--config", config), 1, "limits.flows is 100000000: that asks for ", "give less")

    def test_a_folder_of_keys_is_no_file_of_them(self):
        self.complains(inspect(CAPTURE, "--keys", self.path), 2, str(self.path), "it is a folder")
        self.complains(inspect(CAPTURE, "--config", self.path), 2, str(self.path), "is a directory")

    def test_wrong_usage_and_configuration_exit_2(self):
        self.assertEqual(inspect().returncode, 2)
        self.assertEqual(inspect(CAPTURE, "--format", "xml").returncode, 2)
        self.complains(inspect(CAPTURE, "--service", "chess@1.2.3.4:5"), 2, "chess")
        config = self.write("wrong.yaml", "workers: many\n")
        self.complains(inspect(CAPTURE, "--config", config), 2, "wrong.yaml:1:")
        config = self.write("stage.yaml", "pipeline: inspect/none.yaml\n")
        self.complains(inspect(CAPTURE, "--config", config), 2, "inspect/none.yaml")

    def test_does_not_write_over_what_it_reads(self):
        copy = self.path / "copy.pcap"
        copy.write_bytes(pathlib.Path(CAPTURE).read_bytes())
        self.complains(inspect(copy, "--forwarded", self.path / "." / "copy.pcap"), 2, "which it would overwrite")
        self.assertEqual(copy.read_bytes(), pathlib.Path(CAPTURE).read_bytes())

    def test_says_when_the_forwarded_file_can_not_be_written(self):
        self.complains(inspect(CAPTURE, "--forwarded", self.path / "no" / "out.pcap"), 1, "can not be written")

    def test_reads_who_is_behind_a_proxy(self):
        header = b"PROXY TCP4 203.0.113.9 10.0.0.2 40000 25565\r\n"
        forwarded = b"play.example\0" + b"2001:db8::9\0" + b"069a79f444e94726a5befca90e38aaf5"
        login = game(b"\0" + text(b"Alice"))
        talk = {
            "proxy_protocol: true": (header + hello(b"play.example") + login, "203.0.113.9"),
            "forwarding: bungeecord": (hello(forwarded) + login, "2001:db8::9"),
            "proxy_protocol: true, forwarding: bungeecord": (header + hello(forwarded) + login, "2001:db8::9"),
            "policy: default": (header + hello(forwarded) + login, None),
            "proxy_protocol: true, proxies: [192.0.2.1]": (header + hello(b"play.example") + login, None),
        }
        for keys, (bytes_to_server, address) in talk.items():
            config = self.write("proxy.yaml", "services:\n  - { name: s, protocol: minecraft, "
                                f"address: 10.0.0.2, port: 25565, {keys} }}\nmode: observe\nchecksums: trust\n")
            capture = self.write("proxy.pcap", conversation(bytes_to_server, game(b"\2" + bytes(16) + text(b"Alice"))))
            done = inspect(capture, "--config", config, "--format", "jsonl")
            self.assertEqual(done.returncode, 0, done.stderr)
            logins = [r for r in records(done) if r["type"] == "login"]
            self.assertEqual([r["player"].get("address") for r in logins], [address], keys)
            self.assertEqual(logins[0]["flow"]["client"], "10.0.0.9:40000", keys)

    @unittest.skipUnless(os.geteuid() == 0, "only root can become somebody else")
    def test_needs_no_root(self):
        os.chmod(self.path, 0o755)
        capture = self.write("c.pcap", pathlib.Path(CAPTURE).read_bytes())
        try:
            done = inspect(capture, "--format", "jsonl", user=65534, group=65534, cwd="/", env={})
        except PermissionError:
            self.skipTest("the build is out of another user's reach")
        self.assertEqual(done.returncode, 0, done.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=1)
