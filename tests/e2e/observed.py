"""What an operator sees of a running appliance, and what it may do to the machine: a function each."""

import collections
import ctypes
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request

import harness
from harness import expect, total, wait_until, wire
from scenarios import conserved, scenario

root = harness.here.parent.parent
prometheus_address = "127.0.0.1:9591"


def ask_prometheus(path, **parameters):
    url = f"http://{prometheus_address}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
    try:
        with urllib.request.urlopen(url, timeout=5) as reply:
            return json.load(reply)["data"]
    except urllib.error.HTTPError as error:
        if error.code == 503:
            raise  # It is still starting.
        raise harness.Failure(f"Prometheus refuses {parameters}: {error.read().decode()}") from None


def start_prometheus(stage):
    """As deploy/prometheus says, but that it looks every second and keeps its data here."""
    deployed = root / "deploy/prometheus"
    config = (deployed / "prometheus.yaml").read_text()
    config = config.replace("interval: 5s", "interval: 1s").replace("alerts.yaml", str(deployed / "alerts.yaml"))
    expect(config.count("interval: 1s") == 2, "deploy/prometheus/prometheus.yaml has no interval of 5 s any more")
    (stage.tmp / "prometheus.yaml").write_text(config)
    prometheus = stage.peer("prometheus", f"--config.file={stage.tmp}/prometheus.yaml", f"--storage.tsdb.path={stage.tmp}/tsdb",
                            f"--web.listen-address={prometheus_address}", "--log.level=warn")

    def scraped():
        expect(prometheus.process.poll() is None, f"Prometheus ended: {prometheus.tail()}")
        try:
            return ask_prometheus("query", query='up{job="portcullis"} == 1')["result"]
        except OSError:
            return None

    wait_until(scraped, 20, "Prometheus never scraped the appliance")


# A TCP segment for the server whose checksum is wrong, and a connection that speaks nonsense.
DAMAGED = """
import socket, struct, sys
raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP)
raw.sendto(struct.pack("!HHIIBBHHH", 4000, int(sys.argv[2]), 1, 1, 0x50, 0x10, 100, 0xdead, 0), (sys.argv[1], 0))
"""
NONSENSE = """
import socket, sys, time
peer = socket.create_connection((sys.argv[1], int(sys.argv[2])), 5)
peer.sendall(b"\\xff\\xff\\xff\\xff\\xff\\xff")
time.sleep(0.5)
"""


def in_players(script, *arguments):
    subprocess.run(["ip", "netns", "exec", f"{harness.name}-players", "python3", "-c", script, *map(str, arguments)],
                   timeout=30, check=False)


def dashboard_queries():
    dashboard = json.loads((root / "deploy/grafana/portcullis.json").read_text())
    for panel in dashboard["panels"]:
        for target in panel.get("targets", []):
            yield panel["title"], target["expr"]


def gives_data(query):
    values = [sample["value"][1] for sample in ask_prometheus("query", query=query)["result"]]
    return any(value != "NaN" for value in values)


@scenario
def every_panel_and_alert_has_data(stage):
    """A real Prometheus scrapes it: every panel shows something, every alert can fire, each scrape is whole."""
    if not shutil.which("prometheus"):
        print("   SKIP: no prometheus here")
        return
    version = "1.16.5"
    stage.topology()
    stage.game_server(version)
    stage.rcon_server()
    stage.webhook_server()
    both_games = [{"name": game, "protocol": game, "address": harness.server_address, "port": port}
                  for game, port in (("minecraft", harness.game_port), ("shadowland", 3565))]
    rcon = [{"service": "minecraft", "address": "127.0.0.1", "port": harness.rcon_port,
             "password_file": str(stage.tmp / "rcon.password")}]
    stage.appliance(stage.configuration(services=both_games, rcon=rcon))
    start_prometheus(stage)
    honest = stage.honest(version, 3, 25)
    cheater = stage.cheater(version, "speed")
    in_players(DAMAGED, harness.server_address, harness.game_port)
    in_players(NONSENSE, harness.server_address, harness.game_port)
    subprocess.run(["ip", "netns", "exec", "pct-players", "ping", "-c", "3", "-i", "0.2", harness.server_address],
                   capture_output=True, check=False)
    cheater.wait_for("ended", 40)
    time.sleep(2)  # Two scrapes more.

    queries = list(dashboard_queries())
    expect(len(queries) > 30, f"only {len(queries)} queries in the dashboard")
    empty = [(title, query) for title, query in queries if not gives_data(query)]
    expect(not empty, f"panels without data: {empty}")
    rules = [rule for group in ask_prometheus("rules")["groups"] for rule in group["rules"]]
    expect(len(rules) > 10, f"only {len(rules)} alerts are loaded")
    sick = [(rule["name"], rule.get("lastError")) for rule in rules if rule["health"] != "ok"]
    expect(not sick, f"alerts that can not be evaluated: {sick}")
    for rule in rules:
        for selector in re.findall(r"(?:portcullis_\w+|up)(?:\{[^}]*\})?", rule["query"]):
            expect(gives_data(f"count({selector})"), f"alert {rule['name']}: nothing matches {selector}")
    firing = [rule["name"] for rule in rules if rule["state"] == "firing"]
    expect(not firing, f"alerts fire although nothing is wrong: {firing}")
    honest.wait_end(60)

    # `in_flight` is what remains, so it must be small at every scrape, and what Workers hold once it is quiet.
    now = time.time()
    whole = ("sum by (wire) (portcullis_received_packets_total) + sum by (wire) (portcullis_injected_packets_total)"
             " - sum by (wire) (portcullis_transmitted_packets_total) - sum by (wire) (portcullis_dropped_packets_total)"
             " - portcullis_in_flight_packets")
    scrapes = 0
    for query, least, most in ((whole, 0, 0), ("portcullis_in_flight_packets", 0, 512)):
        for series in ask_prometheus("query_range", query=query, start=now - 120, end=now, step=1)["result"]:
            wrong = [(at, value) for at, value in series["values"] if not least <= float(value) <= most]
            expect(not wrong, f"{query} at {wrong[:3]}")
            scrapes = max(scrapes, len(series["values"]))
    wait_until(lambda: conserved(harness.metrics())[0], 5, "packets are missing once it is quiet")
    print(f"   {len(queries)} queries, {len(rules)} alerts, {scrapes} scrapes")


def ctl(stage, config, *command):
    """The answer of `portcullis ctl`; as people see it, and as programs do."""
    text = stage.tool("ctl", "--config", config, *command)
    code, out, err = stage.tool("ctl", "--config", config, "--format", "json", *command)
    for exit_code, said in ((text[0], text[2]), (code, err)):
        expect(exit_code == 0, f"ctl {' '.join(map(str, command))} exits {exit_code}: {said}")
    return text[1], json.loads(out)


def order(stage, config, *command):
    """Once, for it changes something."""
    code, out, err = stage.tool("ctl", "--config", config, "--format", "json", *command)
    expect(code == 0, f"ctl {' '.join(map(str, command))} exits {code}: {err}")
    return json.loads(out)


def telemetry(command):
    """What DPDK's own telemetry answers."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as peer:
        peer.settimeout(5)
        peer.connect("/var/run/dpdk/portcullis/dpdk_telemetry.v2")
        peer.recv(16384)
        peer.send(command.encode())
        return json.loads(peer.recv(65536))[command]


def check_questions(stage, config, names):
    text, status = ctl(stage, config, "status")
    expect(status["status"] == "well" and status["players"] == len(names) and "well" in text, f"ctl status: {text}")
    text, answer = ctl(stage, config, "players")
    expect({p["name"] for p in answer["players"]} == set(names), f"ctl players: {text}")
    for player in answer["players"]:
        expect(player["version"] == 754 and player["uuid"] and player["client"].startswith("10.88.0.1:"), f"player: {player}")
        expect(player["latency_ms"] is not None and 0 < player["latency_ms"] < 500, f"no latency: {player}")
        expect(player["name"] in text, f"ctl players leaves {player['name']} out: {text}")
    text, answer = ctl(stage, config, "player", names[0].lower())
    expect(answer["name"] == names[0] and answer["context"]["position"] and answer["context"]["latency_ms"]["high"] > 0,
           f"ctl player: {answer}")
    text, answer = ctl(stage, config, "flows")
    mine = [f for f in answer["flows"] if f["player"] in names]
    expect(len(mine) == len(names) and all(f["state"] == "inspected" and f["to_client_bytes"] > 1000 and f["age_s"] < 120
                                           for f in mine), f"ctl flows: {text}")
    pages = [ctl(stage, config, "flows", "--limit", 1, "--skip", n)[1] for n in range(len(names))]
    expect(len({p["flows"][0]["client"] for p in pages}) == len(names) and pages[0]["more"], f"pages of flows: {pages}")
    text, answer = ctl(stage, config, "workers")
    expect(answer["workers"][0]["latency_p99_us"] > 0 and "records" in answer["workers"][0]["rings"], f"ctl workers: {text}")
    text, answer = ctl(stage, config, "services")
    expect(answer["services"][0]["players"] == len(names), f"ctl services: {text}")
    text, answer = ctl(stage, config, "wires")
    expect(answer["wires"][0]["received"] > 100 and all(p["up"] for p in answer["wires"][0]["ports"]), f"ctl wires: {text}")
    seen = telemetry("/portcullis/wires")["edge"]
    expect(seen["received"] >= answer["wires"][0]["received"] and seen["received"] + seen["injected"]
           == seen["transmitted"] + seen["dropped"] + seen["in_flight"], f"DPDK's telemetry: {seen}")
    expect(telemetry("/portcullis/workers")["0"]["players"] == len(names), "DPDK's telemetry knows other players")
    expect("open sesame" not in ctl(stage, config, "config")[0], "ctl config shows a secret")


def check_trace(stage, config, name):
    code, out, err = stage.tool("ctl", "--config", config, "--format", "json", "trace", name, "--for", "3s")
    expect(code == 0, f"ctl trace exits {code}: {err}")
    packets = [json.loads(line) for line in out.splitlines()]
    told = collections.Counter(p["direction"] for p in packets)
    expect(told["c2s"] > 10 and told["s2c"] > 0, f"ctl trace: {told}")
    expect(len({p["flow"]["client"] for p in packets}) == 1, "ctl trace tells packets of others")
    moves = [p for p in packets if p["name"] in ("position", "position_look") and p["direction"] == "c2s"]
    expect(moves and all("y" in p["fields"] and "on_ground" in p["fields"] for p in moves), f"no fields: {moves[:2]}")


@scenario
def ctl_tells_and_does(stage):
    """Each command of `portcullis ctl` tells what is so, and does what it says."""
    version = "1.16.5"
    stage.topology()
    stage.game_server(version)
    config = stage.configuration(rcon=[], webhooks=[])
    stage.appliance(config)
    names = [f"Watched{i}" for i in range(3)]
    bots = stage.honest(version, len(names), 60, "Watched")
    wait_until(lambda: all(p["latency_ms"] for p in ctl(stage, config, "players")[1]["players"]) and
               len(ctl(stage, config, "players")[1]["players"]) == len(names), 40, "the players never had a latency")
    time.sleep(2)
    check_questions(stage, config, names)
    check_trace(stage, config, names[1])

    def ended(name):
        return next((e for e in bots.of("ended") if e["name"] == name), None)

    order(stage, config, "kick", names[0].upper(), "--reason", "enough of you")
    end = wait_until(lambda: ended(names[0]), 5, "ctl kick: the player stays")
    expect("enough of you" in end["text"], f"ctl kick: he reads {end}")
    order(stage, config, "sever", names[1])
    wait_until(lambda: ended(names[1]), 5, "ctl sever: the player stays")
    code, _, err = stage.tool("ctl", "--config", config, "kick", names[1])
    expect(code == 1 and "no player named" in err, f"ctl kick of somebody who left: {code} {err}")

    expect(order(stage, config, "reload")["needs_restart"] == [], "ctl reload: something needs a restart")
    order(stage, config, "block", harness.player_address, "--for", "10m", "--reason", "test")
    expect(ctl(stage, config, "blocks")[1]["blocks"][0]["prefix"] == f"{harness.player_address}/32", "ctl blocks is empty")
    dropped = total(harness.metrics(), "portcullis_dropped_packets_total", reason="blocked")
    wait_until(lambda: total(harness.metrics(), "portcullis_dropped_packets_total", reason="blocked") > dropped, 5,
               "ctl block keeps nobody out")
    order(stage, config, "unblock", harness.player_address)
    wait_until(lambda: not ctl(stage, config, "blocks")[1]["blocks"], 5, "ctl unblock: still listed")
    expect(conserved(harness.metrics())[0], "packets are not conserved")


def relink(action, side):
    subprocess.run([harness.here / "topology.sh", action, harness.name, side], check=True)
    for space in ("players", "servers"):  # The new cable's end has an address of its own.
        subprocess.run(["ip", "-n", f"{harness.name}-{space}", "neigh", "flush", "all"], check=True, capture_output=True)


def ping(count=3):
    done = subprocess.run(["ip", "netns", "exec", f"{harness.name}-servers", "ping", "-c", str(count), "-i", "0.1", "-W", "1",
                           harness.player_address], capture_output=True, text=True, check=False)
    return " 0% packet loss" in done.stdout


@scenario
def a_port_that_goes_comes_back(stage):
    """The link of a running port is deleted: said, counted and survived; made anew, traffic flows again."""
    stage.topology()
    # What comes by the other port shall have nowhere to go.
    appliance = stage.appliance(stage.configuration(rcon=[], webhooks=[], wires=[wire(link_propagation=False)]))
    expect(ping(), "no ping crosses before anything happened")
    for times, side in ((1, "players"), (2, "servers")):
        relink("unlink", side)
        gone = wait_until(lambda: (h := harness.health()) and h["status"] == "failing" and h, 10, "/health says nothing")
        expect([p["present"] for p in gone["ports"]].count(False) == 1, f"/health: {gone['ports']}")
        expect(total(harness.metrics(), "portcullis_port_present") == 1, "no metric says that the port is gone")
        if side == "players":
            ping(1)  # Has nowhere to go.
        time.sleep(1)
        expect(appliance.process.poll() is None, f"it ended: {appliance.tail()}")
        relink("link", side)
        wait_until(lambda: harness.health()["status"] == "well", 15, f"the port never came back: {harness.health()}")
        wait_until(ping, 10, "nothing crosses although the port is back")
        expect(total(harness.metrics(), "portcullis_port_reopened_total") == times, "the return was not counted")
    expect(total(harness.metrics(), "portcullis_dropped_packets_total", reason="tx_full") > 0,
           "what could not leave was not counted")
    wait_until(lambda: conserved(harness.metrics())[0], 5, "packets are not conserved")
    appliance.process.send_signal(signal.SIGTERM)
    expect(appliance.wait_end(10) == 0, f"SIGTERM: {appliance.tail()}")


def set_cable(side, state):
    subprocess.run(["ip", "-n", f"{harness.name}-{side}", "link", "set", "eth0", state], check=True)


def has_carrier(side):
    """What the host at that end of the wire sees of its own link."""
    done = subprocess.run(["ip", "-n", f"{harness.name}-{side}", "-j", "link", "show", "eth0"], capture_output=True,
                          text=True, check=True)
    return "LOWER_UP" in json.loads(done.stdout)[0]["flags"]


@scenario
def a_break_is_seen_on_the_other_side(stage):
    """A link lost on one side goes down on the other and comes back with it; no end of the process leaves it down."""
    stage.topology()
    config = stage.configuration(rcon=[], webhooks=[])
    appliance = stage.appliance(config)
    expect(ping(), "no ping crosses before anything happened")
    ends = {"players": "outside", "servers": "inside"}
    for times, (broken, other) in enumerate((("players", "servers"), ("servers", "players")) * 2):
        set_cable(broken, "down")
        wait_until(lambda: not has_carrier(other), 3, f"the {other} see nothing of a break at the {broken}")
        _, answer = ctl(stage, config, "wires")
        held = {port["port"]: port["held"] for port in answer["wires"][0]["ports"]}
        expect(held == {ends[other]: True, ends[broken]: False}, f"ctl wires: {held}")
        set_cable(broken, "up")
        wait_until(lambda: has_carrier(other), 3, f"the {other} see nothing of the repair at the {broken}")
        wait_until(ping, 10, "nothing crosses although both links are back")
        expect(total(harness.metrics(), "portcullis_port_held_total") == times + 1, "holds are not counted")
    relink("unlink", "players")
    wait_until(lambda: not has_carrier("servers"), 3, "the servers see nothing of a device that went")
    relink("link", "players")
    wait_until(lambda: has_carrier("servers") and ping(), 15, "the wire is not whole although the device is back")
    wait_until(lambda: harness.health()["status"] == "well", 5, f"/health: {harness.health()}")
    wait_until(lambda: conserved(harness.metrics())[0], 5, "packets are not conserved")
    expect(total(harness.metrics(), "portcullis_port_hold_failures_total") == 0, "a link could not be set")

    set_cable("players", "down")
    wait_until(lambda: not has_carrier("servers"), 3, "the break is not seen any more")
    appliance.process.send_signal(signal.SIGTERM)
    expect(appliance.wait_end(10) == 0, f"SIGTERM: {appliance.tail()}")
    expect(has_carrier("servers"), "it ended and left a link held down")

    appliance = stage.appliance(config)
    wait_until(lambda: not has_carrier("servers"), 15, "a break from before the start is not seen")
    appliance.end(signal.SIGKILL)
    set_cable("players", "up")
    expect(not has_carrier("servers"), "who set the link up? this test can not fail")
    stage.appliance(config)
    wait_until(ping, 15, "a link that a killed process held stays down after its restart")


def worker_thread(pid):
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        if (task / "comm").read_text().startswith(("rte-worker", "lcore-worker")):
            return int(task.name)
    raise harness.Failure("no thread of a Worker is there")


class Stopped:
    """One thread held by ptrace, as a Worker that hangs is."""

    def __init__(self, thread):
        self.thread, self.libc = thread, ctypes.CDLL(None, use_errno=True)
        self.call(0x4206)  # PTRACE_SEIZE
        self.call(0x4207)  # PTRACE_INTERRUPT
        os.waitpid(thread, 0x40000000)  # __WALL

    def call(self, request):
        if self.libc.ptrace(request, self.thread, None, None) != 0:
            raise harness.Failure(f"ptrace: {os.strerror(ctypes.get_errno())}")

    def go_on(self):
        self.call(17)  # PTRACE_DETACH


def check_privileges(pid):
    kept = 0x7000  # net_admin, net_raw, ipc_lock: what drivers-config/af_packet.yaml says.
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        status = dict(line.split(":\t", 1) for line in (task / "status").read_text().splitlines() if ":\t" in line)
        for which in ("CapEff", "CapPrm"):
            expect(int(status[which], 16) == kept, f"thread {status['Name']}: {which} {status[which]}")
        expect(int(status["CapInh"], 16) == 0 and status["NoNewPrivs"] == "1", f"thread {status['Name']}: {status}")


def check_cores(pid):
    """Nobody but the Worker runs on its core, where there is another."""
    def cores(thread):
        return os.sched_getaffinity(thread)
    worker = worker_thread(pid)
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        alone = int(task.name) == worker or os.cpu_count() == 1 or cores(worker).isdisjoint(cores(int(task.name)))
        expect(alone, f"thread {(task / 'comm').read_text().strip()} may run on {cores(int(task.name))}, the Worker on {cores(worker)}")


@scenario
def serves_systemd_with_no_more_than_it_needs(stage):
    """Ready when it is, fed while Workers turn and not when one hangs, priorities for the journal, its Worker's core to itself."""
    stage.topology()
    heard = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    heard.bind(str(stage.tmp / "notify"))
    heard.settimeout(0.1)
    said = []

    def listen(seconds=0.0):
        until = time.time() + seconds
        while True:
            try:
                said.append(heard.recv(4096).decode())
            except TimeoutError:
                if time.time() >= until:
                    return said

    config = stage.configuration(rcon=[], webhooks=[])
    log = (stage.tmp / "journal").open("w+")
    stream = os.fstat(log.fileno())
    environment = {**os.environ, "NOTIFY_SOCKET": str(stage.tmp / "notify"), "WATCHDOG_USEC": "900000",
                   "JOURNAL_STREAM": f"{stream.st_dev}:{stream.st_ino}"}
    # What the unit file's CapabilityBoundingSet leaves; PATH and mounts are the unit's business.
    bounds = re.search(r"^CapabilityBoundingSet=(.*)$", (root / "deploy/systemd/portcullis.service").read_text(), re.M)[1]
    bounds = ",".join(["-all", *("+" + c.removeprefix("CAP_").lower() for c in bounds.split())])
    process = subprocess.Popen(["setpriv", "--bounding-set", bounds, "--inh-caps=-all", stage.binary, "run", "--config", config],
                               stderr=log, env=environment, start_new_session=True)
    stage.callback(process.wait, 10)
    stage.callback(process.kill)
    wait_until(lambda: listen() and "READY=1" in said, 30, f"never READY=1: {said}")
    expect(harness.health()["status"] == "well", "READY=1 before it was well")
    check_privileges(process.pid)
    check_cores(process.pid)

    fed = len([m for m in listen(1.5) if "WATCHDOG=1" in m])
    expect(fed >= 2, f"the watchdog was fed {fed} times in 1.5 s of 0.9 s each: {said}")
    held = Stopped(worker_thread(process.pid))
    try:
        wait_until(lambda: harness.health()["status"] == "failing", 5, "/health does not see a Worker that hangs")
        listen()
        said.clear()
        listen(1.5)
        expect(not said, f"the watchdog is fed although a Worker hangs: {said}")
        expect(total(harness.metrics(), "portcullis_worker_alive") == 0, "no metric says that the Worker hangs")
    finally:
        held.go_on()
    wait_until(lambda: harness.health()["status"] == "well", 5, "it does not recover")
    expect(any("WATCHDOG=1" in m for m in listen(1.0)), "it is not fed again")

    process.send_signal(signal.SIGTERM)
    expect(process.wait(10) == 0, "SIGTERM does not end it in order")
    expect("STOPPING=1" in listen(), f"never STOPPING=1: {said}")
    log.seek(0)
    lines = log.read().splitlines()
    wrong = [line for line in lines if not re.match(r"<[3-7]>\S", line)]
    expect(lines and not wrong, f"lines without a priority: {wrong}")
    expect(any(line.startswith("<3>a worker makes no progress") for line in lines), f"no error was logged: {lines}")
