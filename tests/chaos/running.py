"""What a chaos scenario runs on: numbered traffic through an appliance, servers outside that misbehave, and the sums
that must come out in the end."""

import contextlib
import json
import os
import pathlib
import subprocess
import sys
import time

here = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(here.parent / "e2e"))

import harness
from harness import expect, total, wait_until
from outside import Rcon, Webhook

datagram_port, webhook_port = 9000, 8077
DATAGRAMS_A_SECOND, HONEST, CHEATS_A_SECOND = 1000, 25, 4
DISK = "size=64m"
# The Worker has the last CPU to itself, as docs/OPERATIONS.md wants it; whatever else there is shares the others.
EVERYWHERE = os.sched_getaffinity(0)
BESIDE_THE_WORKER = EVERYWHERE - {max(EVERYWHERE)} or EVERYWHERE
# The frames of cheats and of connections that were ended: dropped on purpose.
DELIBERATE = {"verdict", "flow_dead"}
# Odd enough to be found wherever they turn up.
SECRETS = {"the RCON password": "Zq7-rcon/pa55 w0rd!k3", "the webhook's token": "wh00k-t0ken-xV9q",
           "a session key": "c0ffee5ec2e7d00d8badf00dfeedface"}


def counters(space):
    """(sent, received) by a host's end of the wire."""
    done = subprocess.run(["ip", "-n", f"{harness.name}-{space}", "-s", "-j", "link", "show", "eth0"],
                          capture_output=True, text=True, check=True)
    stats = json.loads(done.stdout)[0]["stats64"]
    return stats["tx"]["packets"], stats["rx"]["packets"]


def outcomes(values, part):
    return {dict(labels)["outcome"]: int(n) for (metric, labels), n in values.items()
            if metric == "portcullis_outcomes_total" and dict(labels)["part"] == part}


def ended(values, part):
    """How many actions of this kind came to an end, whichever."""
    return sum(n for outcome, n in outcomes(values, part).items() if outcome in ("done", "failed", "expired"))


@contextlib.contextmanager
def running_on(cpus):
    """Who is started within runs there, and keeps to it."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cpus)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


class Run(contextlib.ExitStack):
    def __init__(self, stage, build, stressed=False, **changes):
        super().__init__()
        self.stage, self.build, self.phase = stage, build, 0
        stage.topology()
        for space in ("players", "servers"):  # Nobody but us speaks.
            subprocess.run(["ip", "netns", "exec", f"{harness.name}-{space}", "sysctl", "-qw",
                            "net.ipv6.conf.all.disable_ipv6=1"], check=True)
        self.disk = stage.tmp / "disk"
        self.disk.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", changes.pop("disk", DISK), "none", self.disk], check=True)
        stage.callback(subprocess.run, ["umount", "-l", self.disk])
        self.hook = Webhook(webhook_port)
        stage.callback(self.hook.end)
        self.rcon = Rcon(harness.rcon_port, SECRETS["the RCON password"])
        stage.callback(self.rcon.end)
        self.config = self.configure(**changes)
        with running_on(EVERYWHERE):
            self.appliance = self.stressed() if stressed else stage.appliance(self.config)
        wait_until(lambda: self.well("rcon/survival"), 10, "RCON never connected")
        traffic = build / "tests/chaos/traffic"
        self.server = stage.peer(traffic, "serve", harness.server_address, datagram_port, harness.game_port, space="servers")
        self.server.wait_for("listening", 10)
        self.before = self.wire()
        self.sender = stage.peer(traffic, "send", harness.server_address, datagram_port, harness.game_port,
                                 DATAGRAMS_A_SECOND, HONEST, 0, space="players")
        self.sender.wait_for("sending", 10)
        self.probes = 0

    def stressed(self):
        appliance = self.stage.peer(self.build / "tests/chaos/stressed", self.config)
        wait_until(harness.health, 30, f"the appliance never answered /health: {appliance.tail()}")
        return appliance

    def configure(self, **changes):
        (self.stage.tmp / "url").write_text(
            f"http://127.0.0.1:{webhook_port}/api/webhooks/1/{SECRETS['the webhook' + chr(39) + 's token']}\n")
        (self.stage.tmp / "password").write_text(SECRETS["the RCON password"] + "\n")
        return self.stage.configuration(**{
            "idle": "spin",  # Else a Worker's own naps are most of the latency.
            "verdict_log": {"path": str(self.disk / "verdicts")},
            "keys": {"socket": str(self.stage.tmp / "keys.sock")},
            "rcon": [{"service": "survival", "address": "127.0.0.1", "port": harness.rcon_port,
                      "password_file": str(self.stage.tmp / "password")}],
            "webhooks": [{"kind": "discord", "url_file": str(self.stage.tmp / "url"), "min_confidence": 0.95}],
            **changes})

    def next_phase(self, seconds):
        """Lets so much time pass under a number of its own, which is returned."""
        self.phase += 1
        self.sender.tell(f"phase {self.phase}")
        time.sleep(seconds)
        return self.phase

    def cheats(self, a_second):
        self.sender.tell(f"cheats {a_second}")

    def probe(self, name):
        """What becomes of one cheat of this name."""
        self.probes += 1
        self.sender.tell(f"probe {name}")
        return wait_until(lambda: [p for p in self.sender.of("probe") if p["name"] == name], 15,
                          f"nothing became of {name}")[-1]

    def well(self, part):
        found = [p for p in (harness.health() or {}).get("parts", []) if p["part"] == part]
        return bool(found) and found[0]["well"]

    def says(self, part):
        return next((p["says"] for p in harness.health()["parts"] if p["part"] == part), "")

    def wire(self):
        """What is between the two hosts' counters and ours, by place; must never change."""
        values = harness.metrics()
        (players_sent, players_got), (servers_sent, servers_got) = counters("players"), counters("servers")

        def count(metric, port):
            return int(total(values, f"portcullis_{metric}_packets_total", port=port))

        return {"players to us": players_sent - count("received", "outside"),
                "us to servers": count("transmitted", "inside") - servers_got,
                "servers to us": servers_sent - count("received", "inside"),
                "us to players": count("transmitted", "outside") - players_got}

    def account(self, service="survival"):
        done = subprocess.run([self.build / "tests/chaos/account", self.disk / "verdicts", service],
                              capture_output=True, text=True, timeout=120)
        expect(done.returncode == 0, f"the log can not be read: {done.stderr}")
        return json.loads(done.stdout)

    def settle(self, seconds=60):
        """Until every action of every verdict has ended and is written."""
        def settled():
            values = harness.metrics()
            kicks = int(total(values, "portcullis_actions_total", action="kick"))
            return (total(values, "portcullis_record_waiting") == 0 and ended(values, "wire") >= kicks
                    and ended(values, "rcon") >= kicks and ended(values, "webhook") >= kicks and values)
        values = wait_until(settled, seconds, "some action never came to an end: "
                            f"{ {part: outcomes(harness.metrics(), part) for part in ('wire', 'rcon', 'webhook')} }")
        time.sleep(0.3)  # The outcomes themselves are written within flush_ms.
        return values

    def stop_traffic(self):
        """Ends the traffic and holds it against what arrived; returns what the sender and the server said."""
        self.sender.tell("stop")
        sent = self.sender.wait_for("sent", 30)
        self.server.tell("stop")
        served = self.server.wait_for("served", 10)
        tallies = {t["kind"]: t for peer in (self.sender, self.server) for t in peer.of("tally")}
        for kind, offered in (("datagrams_to_server", sent["datagrams"]), ("datagrams_to_player", sent["datagrams"]),
                              ("messages_to_server", sent["messages"]), ("messages_to_player", sent["messages"])):
            tally = tallies[kind]
            expect(tally["arrived"] == offered and tally["twice"] == 0,
                   f"{kind}: {offered} sent, {tally['arrived']} arrived, {tally['twice']} twice")
        expect(sent["players_lost"] == 0, f"{sent['players_lost']} honest players lost their connection")
        return sent, served, self.sender.of("cheated")[0], tallies

    def wire_is_whole(self):
        """Every frame a host sent reached us, left us or was dropped for a cheat's sake, and reached the other host."""
        now = wait_until(lambda: self.wire() == self.before and self.before, 3, f"frames are missing: {self.before} "
                         f"before, {self.wire()} now")
        values = harness.metrics()
        drops = {dict(labels)["reason"]: int(n) for (metric, labels), n in values.items()
                 if metric == "portcullis_dropped_packets_total" and n}
        expect(set(drops) <= DELIBERATE, f"frames were dropped: {drops}")
        expect(total(values, "portcullis_in_flight_packets") == 0, "frames stay in flight")
        return now, int(total(values, "portcullis_received_packets_total"))

    def nothing_tells_secrets(self):
        """Looks for them in everything that came out of the appliance, and in everything it wrote."""
        pid = self.appliance.process.pid
        places = {"stdout or stderr": "".join(self.appliance.other) + json.dumps(self.appliance.said),
                  "/metrics": str(harness.metrics()), "/health": json.dumps(harness.health())}
        for name in ("cmdline", "environ"):
            places[name] = pathlib.Path(f"/proc/{pid}/{name}").read_bytes().decode("utf-8", "replace")
        socket = self.stage.tmp / "admin.sock"
        for command in ("config", "status", "players", "flows", "blocks", "wires"):
            _, out, err = self.stage.tool("ctl", "--socket", socket, command)
            places[f"ctl {command}"] = out + err
        _, places["verdicts export"], _ = self.stage.tool("verdicts", "export", "--config", self.config)
        for folder, _, files in os.walk(self.disk):
            for file in files:
                path = pathlib.Path(folder) / file
                places[f"the file {file}"] = path.read_bytes().decode("latin-1")
        for place, text in places.items():
            for what, secret in SECRETS.items():
                expect(secret not in text, f"{what} stands in {place}")
                expect(secret.encode().hex() not in text, f"{what} stands in {place}, in hexadecimal")
        return len(places)
