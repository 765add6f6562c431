#!/usr/bin/env python3
"""Runs the regression pipelines of pipelines/regress: testpmd at both far ends of a running appliance.  Needs root.

  regress.py --binary build/apps/portcullis/portcullis [NAME...]
"""

import argparse
import contextlib
import json
import os
import pathlib
import re
import struct
import subprocess
import sys
import tempfile
import time
import urllib.request

import yaml

from wires import ENDS, Wire

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PIPELINES = ROOT / "pipelines/regress"
METRICS = "127.0.0.1:9465"
BURST = 32        # What testpmd sends at once.
SETTLE_S = 0.5    # After which nothing is on its way any more.


class Broken(AssertionError):
    """A promise that did not hold, in one sentence."""


def expect(condition, sentence):
    if not condition:
        raise Broken(sentence)


class Testpmd:
    """testpmd at its prompt."""

    def __init__(self, devices, *options):
        command = ["stdbuf", "-o0", "dpdk-testpmd", "--no-pci", "--no-huge", "-m", "256", "--no-shconf", "--no-telemetry",
                   "--log-level=*:error", "-l", "0,1"]
        for device in devices:
            command += ["--vdev", device]
        command += ["--", "-i", "--nb-cores=1", "--total-num-mbufs=16384", "--no-mlockall", "--no-lsc-interrupt",
                    "--no-flush-rx", f"--burst={BURST}", *options]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True, bufsize=1)
        self.said = self.until_prompt()

    def until_prompt(self):
        text = ""
        while not text.endswith("testpmd> "):
            character = self.process.stdout.read(1)
            expect(character, f"testpmd ended: {text[-400:]}")
            text += character
        return text

    def do(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        return self.until_prompt()

    def received(self):
        """Packets, by port, since it began."""
        return [int(n) for n in re.findall(r"RX-packets:\s*(\d+)", self.do("show port stats all"))]

    def read_all(self):
        """Takes what waits at its ports."""
        self.do("set fwd rxonly")
        self.do("start")
        time.sleep(SETTLE_S)
        self.do("stop")

    def end(self):
        if self.process.poll() is None:
            with contextlib.suppress(BrokenPipeError):
                self.process.stdin.write("quit\n")
                self.process.stdin.close()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


class Appliance:
    def __init__(self, binary, folder, wire, changes):
        config = {"wires": [{"name": "regress", **wire.appliance}],
                  "workers": 1,
                  "limits": {"flows": 4096, "players": 64},
                  "services": [{"name": "game", "protocol": "minecraft", "address": "0.0.0.0", "port": 25565}],
                  "verdict_log": {"path": f"{folder}/verdicts"},
                  "metrics": {"listen": METRICS},
                  "admin": {"socket": f"{folder}/admin.sock"},
                  **changes}
        path = pathlib.Path(folder) / "portcullis.yaml"
        path.write_text(json.dumps(config))
        self.log = open(pathlib.Path(folder) / "appliance.log", "w+")
        self.process = subprocess.Popen([binary, "run", "--config", path], stdout=self.log, stderr=subprocess.STDOUT)

    def said(self):
        self.log.seek(0)
        return self.log.read()[-600:]

    def wait_started(self, seconds=30):
        until = time.time() + seconds
        while time.time() < until:
            expect(self.process.poll() is None, f"the appliance ended at start: {self.said()}")
            with contextlib.suppress(OSError):
                return urllib.request.urlopen(f"http://{METRICS}/metrics", timeout=2).close()
            time.sleep(0.1)
        raise Broken(f"the appliance never answered: {self.said()}")

    def samples(self, metric):
        """[(labels, value), ...]"""
        text = urllib.request.urlopen(f"http://{METRICS}/metrics", timeout=5).read().decode()
        return [(labels, float(value)) for labels, value in re.findall(rf"^{metric}{{([^}}]*)}} (\S+)$", text, re.M)]

    def wait_ports_up(self, seconds=10):
        """Both ends of shared memory find each other in their own time."""
        until = time.time() + seconds
        while not all(up for _, up in self.samples("portcullis_port_up")):
            expect(time.time() < until, "a port of the appliance stays down")
            time.sleep(0.1)
        time.sleep(SETTLE_S)

    def counts(self):
        return {name: int(sum(value for _, value in self.samples(f"portcullis_{name}_packets_total")))
                for name in ("received", "transmitted", "dropped", "injected")}

    def drops(self):
        """By reason, for people."""
        return {re.search(r'reason="(\w+)"', labels)[1]: int(value)
                for labels, value in self.samples("portcullis_dropped_packets_total") if value}

    def end(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.log.close()
        return self.process.returncode


def circulate(pipeline, appliance, wire, stack):
    """Packets go round through both directions; then they are counted."""
    wanted = pipeline["circulate"]
    bursts = wanted["packets"] // (BURST * len(ENDS))
    expect(bursts * BURST * len(ENDS) == wanted["packets"], f"packets: give a multiple of {BURST * len(ENDS)}")
    testpmd = Testpmd(wire.far, f"--txpkts={wanted['bytes']}")
    stack.callback(testpmd.end)
    appliance.wait_ports_up()
    testpmd.read_all()  # A shared memory port takes nothing before its reader has offered buffers.
    before = appliance.counts()
    began = testpmd.received()
    testpmd.do("set fwd io")
    testpmd.do(f"start tx_first {bursts}")
    time.sleep(wanted["seconds"])
    testpmd.do("stop")
    time.sleep(SETTLE_S)
    after = testpmd.received()
    testpmd.read_all()
    left = [end - middle for end, middle in zip(testpmd.received(), after)]
    rounds = (sum(after) - sum(began)) / wanted["packets"]
    now = appliance.counts()
    seen = {name: now[name] - before[name] for name in now}
    print(f"   {rounds:.0f} rounds of {wanted['packets']} packets, {left} still there; appliance: {seen}")
    expect(sum(left) == wanted["packets"], f"{wanted['packets'] - sum(left)} of {wanted['packets']} packets are lost: {seen}, dropped: {appliance.drops()}")
    expect(seen["dropped"] == 0, f"{seen['dropped']} packets were dropped")
    expect(seen["received"] == seen["transmitted"], f"{seen['received']} came, {seen['transmitted']} left")
    expect(rounds >= pipeline["rounds_min"], f"only {rounds:.0f} rounds in {wanted['seconds']} s")


def frames(path):
    """Of a classic pcap of microseconds or nanoseconds."""
    data = pathlib.Path(path).read_bytes()
    order = "<" if data[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
    at, found = 24, []
    while at + 16 <= len(data):
        size = struct.unpack_from(order + "I", data, at + 8)[0]
        found.append(data[at + 16:at + 16 + size])
        at += 16 + size
    return found


def capture(pipeline, appliance, wire, stack):
    """testpmd: capture -> outside, inside -> another capture."""
    source = ROOT / "tests/data/replay" / pipeline["capture"]
    sent, out = frames(source), pathlib.Path(appliance.log.name).parent / "out.pcap"
    testpmd = Testpmd([f"net_pcap0,rx_pcap={source}", *wire.far, f"net_pcap1,tx_pcap={out}"], "--port-topology=paired",
                      "--portlist=0,1,2,3")
    stack.callback(testpmd.end)
    appliance.wait_ports_up()
    order = ports_by_name(testpmd)
    testpmd.do("set portlist " + ",".join(str(order[n]) for n in ("net_pcap0", "net_memif0", "net_memif1", "net_pcap1")))
    testpmd.do("start")
    until = time.time() + 10
    while appliance.counts()["transmitted"] < len(sent) and time.time() < until:
        time.sleep(0.1)
    time.sleep(SETTLE_S)
    testpmd.do("stop")
    testpmd.end()
    came = frames(out)
    print(f"   {len(came)} of {len(sent)} frames; appliance: {appliance.counts()}")
    expect(len(came) == len(sent), f"{len(came)} of {len(sent)} frames came out")
    different = [i for i, (a, b) in enumerate(zip(sent, came)) if a != b]
    expect(not different, f"{len(different)} frames came out changed or out of order, the first is number {different[:1]}")


def ports_by_name(testpmd):
    info = testpmd.do("show port info all")
    numbers = [int(n) for n in re.findall(r"Infos for port (\d+)", info)]
    names = re.findall(r"Device name: (\S+)", info)
    return dict(zip(names, numbers))


def hold(name, binary):
    pipeline = yaml.safe_load((PIPELINES / f"{name}.yaml").read_text())
    print(f"-- {name}: {pipeline['promise']}", flush=True)
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="portcullis-regress."))
        wire = Wire(pipeline["driver"], stack, folder)
        appliance = Appliance(binary, folder, wire, pipeline.get("appliance", {}))
        stack.callback(appliance.end)
        appliance.wait_started()
        wire.appliance_is_up()
        (capture if "capture" in pipeline else circulate)(pipeline, appliance, wire, stack)
        code = appliance.end()
        expect(code == 0, f"the appliance ended with {code}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--binary", required=True)
    parser.add_argument("names", nargs="*", metavar="NAME")
    options = parser.parse_args()
    if os.geteuid() != 0:
        print("SKIP regression pipelines: they need root\n0 passed, 0 failed, 1 skipped")
        return 0
    known = sorted(path.stem for path in PIPELINES.glob("*.yaml"))
    unknown = sorted(set(options.names) - set(known))
    if unknown:
        sys.exit(f"error: no pipeline {unknown[0]!r}; there are: {', '.join(known)}")
    passed = failed = 0
    for name in options.names or known:
        try:
            hold(name, os.path.abspath(options.binary))
            passed += 1
        except (Broken, subprocess.CalledProcessError) as broken:
            failed += 1
            print(f"FAIL {name}: {broken}", flush=True)
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
