"""What the appliance promises live, a function each."""

import json
import os
import re
import signal
import socket
import subprocess
import time

import harness
from harness import expect, total, wait_until

FOUND_WITHIN_S = 5.0
all_of_them = {}


def scenario(function):
    all_of_them[function.__name__] = function
    return function


def conserved(values):
    """received = transmitted + dropped + in flight - injected, per wire."""
    received = total(values, "portcullis_received_packets_total")
    sent = total(values, "portcullis_transmitted_packets_total")
    dropped = total(values, "portcullis_dropped_packets_total")
    flying = total(values, "portcullis_queued_packets")
    made = total(values, "portcullis_injected_packets_total")
    return received + made == sent + dropped + flying, (received, made, sent, dropped, flying)


@scenario
def honest_players_stay_and_cheaters_go(stage):
    """Ten honest players play undisturbed for a minute while each cheater is thrown out within 5 s."""
    version = "1.16.5"
    stage.topology()
    server = stage.game_server(version)
    rcon, hook = stage.rcon_server(), stage.webhook_server()
    config = stage.configuration()
    stage.appliance(config)
    honest = stage.honest(version, 10, 60)
    time.sleep(8)
    delays = {}
    for cheat in ("speed", "fly", "reach", "timer"):
        cheater = stage.cheater(version, cheat)
        began = cheater.wait_for("cheats", 30)["at"]
        ended = wait_until(lambda c=cheater, n=f"Cheat{cheat}": [e for e in c.of("ended") if e["name"] == n], 25,
                           f"the {cheat} cheater is still there")[0]
        delays[cheat] = ended["at"] - began
        expect(ended["why"] in ("kicked", "end"), f"the {cheat} cheater was never thrown out: {ended['why']}")
        expect(delays[cheat] <= FOUND_WITHIN_S, f"the {cheat} cheater was thrown out only after {delays[cheat]:.1f} s")
        print(f"   {cheat}: out after {delays[cheat]:.2f} s, {ended['why']} {ended['text'][:80]}")
    honest.wait_end(90)

    ends = honest.of("ended")
    expect(len(ends) == 10, f"{len(ends)} of 10 honest players ended")
    thrown = [(e["name"], e["why"], e["text"][:80]) for e in ends if e["why"] != "left"]
    expect(not thrown, f"honest players were thrown out: {thrown}")
    received = {e["name"]: e["ledger"] for e in server.of("left")}
    for end in ends:
        expect(received.get(end["name"]) == end["ledger"],
               f"{end['name']} sent {end['ledger']}, the server received {received.get(end['name'])}")

    verdicts = stage.verdicts(config)
    for cheat in delays:
        mine = [v for v in verdicts if v["type"] == "verdict" and v["player"]["name"] == f"Cheat{cheat}"]
        expect(any(v["action"] == "kick" for v in mine), f"no kick of the {cheat} cheater in the verdict log")
        wait_until(lambda c=cheat: any(f"kick Cheat{c} " in r["text"] for r in rcon.of("command")), 5,
                   f"RCON was never told to kick Cheat{cheat}")
    stage.proved(config, verdicts)
    messages = wait_until(lambda: hook.of("message"), 10, "the webhook was never called")
    wrong = [m["faults"] for m in messages if m["faults"]]
    expect(not wrong, f"Discord would refuse: {wrong[:1]}")

    scrape = harness.metrics()
    holds, numbers = conserved(scrape)
    expect(holds, f"packets are not conserved: received, injected, sent, dropped, in flight = {numbers}")
    kicks = total(scrape, "portcullis_actions_total", action="kick")
    expect(kicks == len(delays), f"{kicks:.0f} kicks counted, {len(delays)} happened")
    logins = total(scrape, "portcullis_logins_total")
    joined = len(server.of("joined"))
    expect(logins == joined, f"{logins:.0f} logins counted, {joined} happened")


@scenario
def what_is_not_for_a_service_crosses(stage):
    """ARP, ping, other TCP ports and UDP cross untouched."""
    stage.topology()
    stage.appliance(stage.configuration())
    ping = subprocess.run(["ip", "netns", "exec", "pct-players", "ping", "-c", "5", "-i", "0.05", "-W", "2",
                           harness.server_address], capture_output=True, text=True)
    expect(" 0% packet loss" in ping.stdout, f"ping loses packets: {ping.stdout}")
    listener = stage.peer("python3", "-c", ECHO_SERVER, "9001", space="servers")
    listener.wait_for("listening", 10)
    echo = subprocess.run(["ip", "netns", "exec", "pct-players", "python3", "-c", ECHO_CLIENT, harness.server_address, "9001"],
                          capture_output=True, text=True, timeout=60)
    expect(echo.stdout.strip() == "same", f"4 MB over another port came back changed: {echo.stdout} {echo.stderr}")
    holds, numbers = conserved(harness.metrics())
    expect(holds, f"packets are not conserved: received, injected, sent, dropped, in flight = {numbers}")


ECHO_SERVER = """
import json, socket, sys
listener = socket.create_server(("", int(sys.argv[1])))
print(json.dumps({"event": "listening"}), flush=True)
peer, _ = listener.accept()
while data := peer.recv(65536):
    peer.sendall(data)
"""

ECHO_CLIENT = """
import random, socket, sys, threading
sent = random.Random(1).randbytes(4 << 20)
peer = socket.create_connection((sys.argv[1], int(sys.argv[2])), 10)
threading.Thread(target=lambda: (peer.sendall(sent), peer.shutdown(socket.SHUT_WR)), daemon=True).start()
back = b""
while data := peer.recv(65536):
    back += data
print("same" if back == sent else f"{len(back)} of {len(sent)} bytes")
"""


@scenario
def kernel_reads_what_was_decoded(stage):
    """Whatever a hostile sender does, a Linux socket reads byte by byte what we decoded, and nothing stalls."""
    count = int(os.environ.get("PORTCULLIS_CONNECTIONS", "300"))
    seed = int(os.environ.get("PORTCULLIS_SEED", "1"))
    own = "10.88.0.77"  # Of no kernel, which would reset what it did not open.
    stage.topology()
    subprocess.run(["ip", "-n", "pct-servers", "neigh", "add", own, "lladdr", harness.mac_of("players"), "dev", "eth0"],
                   check=True)
    reader = stage.peer("python3", harness.here / "peers/stream_reader.py", harness.game_port, space="servers")
    reader.wait_for("listening", 10)
    streams = stage.tmp / "streams.jsonl"
    # So many connections of one address are a flood by themselves; here only their bytes are judged.
    spared = {"default": {"exempt": {"addresses": [own]}}}
    appliance = stage.appliance(stage.configuration(policies=spared), "--streams", streams)
    sender = stage.peer("python3", harness.here / "peers/odd_sender.py", "eth0", own, harness.server_address,
                        harness.game_port, harness.mac_of("servers"), count, seed, space="players")
    wait_until(lambda: sender.of("done") or sender.process.poll() is not None, 60 + count // 5,
               "the sender never came to an end")
    expect(sender.of("done"), f"the sender broke: {sender.tail()}")
    scrape = harness.metrics()
    holds, numbers = conserved(scrape)
    expect(holds, f"packets are not conserved: received, injected, sent, dropped, in flight = {numbers}")
    appliance.process.send_signal(signal.SIGTERM)
    expect(appliance.wait_end(10) == 0, f"SIGTERM: {appliance.tail()}")

    stalled = [c for c in sender.said if c.get("event") in ("stalled", "reset")]
    expect(not stalled, f"seed {seed}: {len(stalled)} of {count} connections came to no end: {stalled[:3]}")
    wait_until(lambda: len(reader.of("read")) >= count, 10, "the server did not see all connections end")
    decoded = {}
    for record in map(json.loads, streams.read_text().splitlines()):
        if record["direction"] == "c2s":
            decoded[int(record["flow"]["client"].rsplit(":", 1)[1])] = (record["bytes"], record["sha256"])
    read = {r["port"]: (r["bytes"], r["sha256"]) for r in reader.of("read")}
    different = [port for port in read if read[port] != decoded.get(port)]
    drops = {dict(labels)["reason"]: int(n) for (metric, labels), n in scrape.items()
             if metric == "portcullis_dropped_packets_total" and n}
    print(f"   {len(read)} connections, {sum(size for size, _ in read.values())} bytes, {int(numbers[0])} packets; "
          f"dropped: {drops}")
    expect(not different, f"seed {seed}: {len(different)} of {len(read)} streams differ, ports {different[:5]}")


@scenario
def nobody_speaks_in_the_servers_name(stage):
    """Who sends resets, ends and data from the server's address among the players ends nothing and hides nothing."""
    version, seconds = "1.16.5", 20
    stage.topology()
    server = stage.game_server(version)
    config = stage.configuration()
    stage.appliance(config)
    spoofer = stage.peer("python3", harness.here / "peers/spoofer.py", "eth0", harness.server_address, harness.game_port,
                         harness.mac_of("servers"), seconds + 5, space="players")
    honest = stage.honest(version, 3, seconds)
    cheater = stage.cheater(version, "speed")
    began = cheater.wait_for("cheats", 30)["at"]
    ended = cheater.wait_for("ended", 30)
    expect(ended["why"] in ("kicked", "end"), f"the cheater was never thrown out: {ended['why']}")
    expect(ended["at"] - began <= FOUND_WITHIN_S, f"the cheater was thrown out only after {ended['at'] - began:.1f} s")
    honest.wait_end(60)
    ends = [(e["name"], e["why"], e["text"][:80]) for e in honest.of("ended")]
    expect(len(ends) == 3 and all(why == "left" for _, why, _ in ends), f"honest players were thrown out: {ends}")
    forged = spoofer.wait_for("done", 60)["forged"]
    expect(forged > 1000, f"only {forged} packets were forged")

    scrape = harness.metrics()
    refused = total(scrape, "portcullis_dropped_packets_total", reason="wrong_side")
    print(f"   cheater out after {ended['at'] - began:.2f} s; {refused:.0f} of {forged} forged packets dropped")
    # But for those of connections that had just ended.
    expect(refused >= 0.9 * forged, f"of {forged} forged packets {refused:.0f} were dropped")
    unread = {reason: total(scrape, "portcullis_notices_total", reason=reason)
              for reason in ("decoder_error", "stream_gap", "midstream_flow")}
    expect(not any(unread.values()), f"connections were not read to their end: {unread}")
    names = {e["name"] for e in honest.of("ended")}
    records = [r for r in stage.verdicts(config) if r["type"] == "disconnect" and r["player"]["name"] in names]
    expect(len(records) == 3 and all(r["reason"] == "fin" for r in records), f"how they left: {records}")
    holds, numbers = conserved(scrape)
    expect(holds, f"packets are not conserved: received, injected, sent, dropped, in flight = {numbers}")


@scenario
def floods_stay_out_and_players_stay(stage):
    """Floods of pings and logins meet a closed wire, slow connections end, players stay; a player can be followed."""
    version = "1.16.5"
    ladder = [{"level": 1, "action": "log"}, {"level": 5, "action": "alert"}, {"level": 10, "action": "kick"},
              {"level": 20, "action": "block"}]
    limits = {"per_second": 5, "burst": 40}
    settings = {"policies": {"default": {"ladder": ladder, "block_s": 60, "checks": {
        "flood.connections": limits, "flood.logins": {"per_second": 2, "burst": 10},
        "flood.slow": {"handshake_s": 4}}}}}
    sources = {"status": "10.88.0.66", "login": "10.88.0.67", "slow": "10.88.0.68"}
    stage.topology()
    for source in sources.values():
        subprocess.run(["ip", "-n", "pct-players", "addr", "add", f"{source}/24", "dev", "eth0"], check=True)
    server = stage.game_server(version)
    config = stage.configuration(**settings)
    appliance = stage.appliance(config)
    honest = stage.honest(version, 3, 26)
    wait_until(lambda: len(server.of("joined")) == 3, 30, "the honest players never joined")

    def flooder(kind, *how):
        return stage.peer("python3", harness.here / "peers/flooder.py", harness.server_address, harness.game_port,
                          sources[kind], kind, *how, space="players")

    slow = flooder("slow", 5, 16)
    for kind in ("status", "login"):
        done = flooder(kind, 400).wait_for("done", 30)
        expect(done["kept_out"], f"the {kind} flood was never kept out: {done}")
        expect(done["opened"] < 200, f"the {kind} flood was kept out only after {done['opened']} connections")
        print(f"   {kind}: kept out after {done['opened']} connections, {done['seconds'] - 1.5:.2f} s")
    done = slow.wait_for("done", 30)
    expect(done["ended"] == done["opened"], f"slow connections live on: {done}")
    print(f"   slow: the last of {done['opened']} ended after {done['seconds']:.1f} s")

    def packets():
        lines = [line[line.index("{"):] for line in appliance.other if '"type":"packet"' in line]
        return [json.loads(line) for line in lines]

    expect(not packets(), "packets were reported unasked")
    stage.configuration(**settings, logging={"trace_players": ["honest0"]})
    code, _, err = stage.tool("ctl", "--config", config, "reload")
    expect(code == 0, f"ctl reload: {err}")
    wait_until(lambda: [p for p in packets() if p["name"].startswith("position")], 10, "honest0 was never reported")
    expect(len({p["flow"]["client"] for p in packets()}) == 1, "others were reported than who was asked for")
    honest.wait_end(60)
    ends = [(e["name"], e["why"], e["text"][:80]) for e in honest.of("ended")]
    expect(len(ends) == 3 and all(why == "left" for _, why, _ in ends), f"honest players were thrown out: {ends}")

    code, out, _ = stage.tool("ctl", "--config", config, "--format", "json", "blocks")
    blocked = {b["prefix"].split("/")[0] for b in json.loads(out)["blocks"]}
    expect(blocked <= set(sources.values()) and {sources["status"], sources["login"]} <= blocked, f"blocked: {blocked}")
    scrape = harness.metrics()
    expect(total(scrape, "portcullis_dropped_packets_total", reason="blocked") > 0, "no packet met the block list")
    holds, numbers = conserved(scrape)
    expect(holds, f"packets are not conserved: received, injected, sent, dropped, in flight = {numbers}")
    found = {v["check"] for v in stage.verdicts(config) if v["type"] == "verdict" and v["confidence"] >= 0.95}
    expect(found == {"flood.connections", "flood.logins", "flood.slow"}, f"found: {found}")


@scenario
def what_is_enciphered_is_read_with_the_servers_keys(stage):
    """A server in online mode feeds its keys: honest players stay, a cheater goes, and who resets harms neither."""
    stage.topology()
    keys = stage.tmp / "keys.sock"
    stage.appliance(stage.configuration(keys={"socket": str(keys)}, rcon=[], webhooks=[]))
    server = stage.game_server(env={"PORTCULLIS_KEYS": str(keys)})
    stage.peer(harness.node, harness.here / "peers/resetter.js", harness.server_address, harness.game_port, 20,
               space="players").wait_for("done", 60)
    honest = stage.honest("1.16.5", 3, 20)
    cheater = stage.cheater("1.16.5", "fly", 30)
    out = cheater.wait_for("ended", 60)
    expect(out["why"] == "kicked", f"the cheater was not told why: {out}")
    honest.wait_end(90)
    ends = [(e["name"], e["why"], e["text"][:80]) for e in honest.of("ended")]
    expect(len(ends) == 3 and all(why == "left" for _, why, _ in ends), f"honest players ended so: {ends}")
    expect(server.process.poll() is None, f"the server ended: {server.tail()}")
    opaque = total(harness.metrics(), "portcullis_notices_total", reason="opaque_flow")
    expect(opaque == 0, f"{opaque:.0f} connections were not read")


@scenario
def players_behind_a_proxy_are_told_apart(stage):
    """Behind a balancer and Velocity each player has his own address, and who is blocked is he, not the proxy."""
    secret = stage.tmp / "forwarding.secret"
    secret.write_text("known to the proxy\n")
    stage.topology()
    server = stage.peer("python3", harness.here / "peers/proxied.py", "server", harness.game_port, "known to the proxy",
                        space="servers")
    server.wait_for("listening", 10)
    config = stage.configuration(
        services=[{"name": "survival", "protocol": "minecraft", "address": harness.server_address,
                   "port": harness.game_port, "proxy_protocol": True, "forwarding": "velocity",
                   "forwarding_secret_file": str(secret), "proxies": [harness.player_address]}],
        policies={"default": {"ladder": [{"level": 1, "action": "block"}]}}, rcon=[], webhooks=[])
    stage.appliance(config)

    def player(name, address, behaviour="honest", seconds=20, key="known to the proxy"):
        return stage.peer("python3", harness.here / "peers/proxied.py", "player", harness.server_address,
                          harness.game_port, name, address, key, behaviour, seconds, space="players")

    def ask(command):
        code, out, err = stage.tool("ctl", command, "--config", config, "--format", "json")
        expect(code == 0, f"ctl {command} exits {code}: {err}")
        return json.loads(out)

    bob = player("Bob", "203.0.113.8")
    cheater = player("Alice", "203.0.113.7", "cheat")
    for one in (bob, cheater):
        one.wait_for("playing", 10)
    shown = wait_until(lambda: {p["name"]: p["address"] for p in ask("players")["players"]}, 5, "ctl players is empty")
    expect(shown.get("Bob") == "203.0.113.8", f"ctl players shows {shown}")

    ended = cheater.wait_for("ended", 10)
    expect(ended["why"] != "left", "the cheater was never thrown out")
    blocks = wait_until(lambda: [b["prefix"] for b in ask("blocks")["blocks"]], 5, "nobody was blocked")
    expect(blocks == ["203.0.113.7/32"], f"blocked is {blocks}")
    again = player("Alice", "203.0.113.7")
    expect(again.wait_for("ended", 10)["why"] != "left", "a blocked player came in again")
    expect(not again.of("playing"), "a blocked player reached the game")

    forger = player("Mallory", "203.0.113.9", key="a guess")
    expect(forger.wait_for("ended", 10)["why"] != "left", "a forger stayed")
    expect(not forger.of("playing") and not server.of("refused"), "what a forger says reached the server")

    carol = player("Carol", "203.0.113.10", seconds=2)
    expect(carol.wait_for("ended", 15)["why"] == "left", "others behind the proxy can not come in any more")
    expect(not bob.of("ended"), "another player behind the proxy was thrown out with the cheater")

    found = [v for v in stage.verdicts(config) if v["type"] == "verdict" and v["action"] == "block"]
    checks = {v["check"]: v for v in found}
    expect(set(checks) == {"packets.not_finite", "identity.forwarding"}, f"found were {sorted(checks)}")
    expect(checks["packets.not_finite"]["player"]["address"] == "203.0.113.7", f"{checks['packets.not_finite']}")
    expect(checks["identity.forwarding"]["evidence"]["note"] == "forged", f"{checks['identity.forwarding']}")
    code, out, err = stage.tool("verdicts", "list", "--config", config, "--address", "203.0.113.7", "--format", "jsonl")
    listed = [json.loads(line)["check"] for line in out.splitlines()]
    expect(code == 0 and listed == ["packets.not_finite"], f"verdicts list --address gives {listed} {err}")


@scenario
def observe_touches_nothing(stage):
    """In observe mode a cheater is written down and stays."""
    version = "1.20.4"
    stage.topology()
    stage.game_server(version)
    config = stage.configuration(mode="observe")
    stage.appliance(config)
    cheater = stage.cheater(version, "speed", 6)
    ended = cheater.wait_for("ended", 60)
    expect(ended["why"] == "left", f"the cheater was {ended['why']} in observe mode")
    found = [v for v in stage.verdicts(config) if v["type"] == "verdict" and v["confidence"] >= 0.95]
    expect(found and all(v["mode"] == "observe" for v in found), "no verdict in mode observe was written")
    expect(total(harness.metrics(), "portcullis_injected_packets_total") == 0, "packets were injected in observe mode")


@scenario
def verdicts_survive_kill_9(stage):
    """Killed while verdicts flow, the log holds every verdict that `verdicts list` had shown."""
    version = "1.16.5"
    stage.topology()
    stage.game_server(version)
    stage.webhook_server()
    config = stage.configuration(mode="observe")
    appliance = stage.appliance(config)
    cheater = stage.cheater(version, "fly", 20)
    cheater.wait_for("cheats", 30)
    wait_until(lambda: stage.verdicts(config), 10, "no verdict was shown")
    time.sleep(2)
    shown = {v["id"] for v in stage.verdicts(config) if "id" in v}
    appliance.end(signal.SIGKILL)
    left = [v["id"] for v in stage.verdicts(config) if "id" in v]
    expect(shown, "nothing was shown before the kill")
    expect(shown <= set(left), f"{len(shown - set(left))} of {len(shown)} shown verdicts are lost")
    expect(len(left) == len(set(left)), "a verdict is there twice")


@scenario
def stops_in_order_and_idles_quietly(stage):
    """Without traffic it leaves the core alone; on SIGTERM it drains and exits 0."""
    stage.topology()
    appliance = stage.appliance(stage.configuration())
    time.sleep(1)

    def cpu_seconds():
        fields = open(f"/proc/{appliance.process.pid}/stat").read().rsplit(") ", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    before = cpu_seconds()
    time.sleep(4)
    share = (cpu_seconds() - before) / 4
    print(f"   idle: {share:.1%} of a core")
    expect(share < 0.25, f"idle it uses {share:.0%} of a core")
    appliance.process.send_signal(signal.SIGTERM)
    status = appliance.wait_end(10)
    expect(status == 0, f"SIGTERM: exit code {status}: {appliance.tail()}")


@scenario
def runs_while_rcon_and_webhook_are_down(stage):
    """With RCON and webhook unreachable from the start it runs, says so in /health, and the kick still happens."""
    version = "1.16.5"
    stage.topology()
    stage.game_server(version)
    stage.appliance(stage.configuration())
    cheater = stage.cheater(version, "speed")
    began = cheater.wait_for("cheats", 40)["at"]
    ended = cheater.wait_for("ended", 25)
    expect(ended["why"] in ("kicked", "end") and ended["at"] - began <= FOUND_WITHIN_S,
           f"the cheater: {ended['why']} after {ended['at'] - began:.1f} s")
    report = str(harness.health())
    expect("rcon" in report, f"/health does not speak of RCON: {report}")


@scenario
def blocked_stay_out_over_a_restart(stage):
    """A blocked address gets no packet to any worker's service, also after a restart, until it is let in again."""
    stage.topology()
    config = stage.configuration(workers=2, rcon=[], webhooks=[])
    listener = stage.peer("python3", "-c", GREETER, harness.game_port, space="servers")
    listener.wait_for("listening", 10)

    def let_in(count=8):
        """How many of so many connections, which hashing spreads over the workers, are greeted."""
        done = subprocess.run(["ip", "netns", "exec", "pct-players", "python3", "-c", KNOCKER, harness.server_address,
                               str(harness.game_port), str(count)], capture_output=True, text=True, timeout=60)
        return int(done.stdout)

    def ctl(*command):
        code, _, err = stage.tool("ctl", "--socket", stage.tmp / "admin.sock", *command)
        expect(code == 0, f"ctl {command}: {err}")

    appliance = stage.appliance(config)
    expect(let_in() == 8, "who is not blocked is kept out")
    ctl("block", harness.player_address, "--for", "10m", "--reason", "test")
    wait_until(lambda: let_in(1) == 0, 5, "a blocked address is let in")
    expect(let_in() == 0, "a blocked address is let in by some worker")
    appliance.process.send_signal(signal.SIGTERM)
    expect(appliance.wait_end(10) == 0, f"SIGTERM: {appliance.tail()}")
    stage.appliance(config)
    expect(let_in() == 0, "after a restart a blocked address is let in")
    drops = total(harness.metrics(), "portcullis_dropped_packets_total", reason="blocked")
    expect(drops >= 8, f"{drops:.0f} packets are counted as blocked")
    ctl("unblock", harness.player_address)
    wait_until(lambda: let_in() == 8, 5, "who is unblocked is kept out")


GREETER = """
import json, socket, sys
listener = socket.create_server(("", int(sys.argv[1])))
print(json.dumps({"event": "listening"}), flush=True)
while True:
    peer, _ = listener.accept()
    peer.sendall(b"hello")
    peer.close()
"""

KNOCKER = """
import socket, sys
peers = []
for _ in range(int(sys.argv[3])):
    peer = socket.socket()
    peer.setblocking(False)
    peer.connect_ex((sys.argv[1], int(sys.argv[2])))
    peers.append(peer)
greeted = 0
for peer in peers:
    peer.settimeout(1)
    try:
        greeted += peer.recv(5) == b"hello"
    except OSError:
        pass
print(greeted)
"""


@scenario
def wrong_input_gets_a_sentence(stage):
    """Wrong configuration exits 2 with file:line:column; what is missing outside exits 1 with one sentence."""
    def run(want, pattern, **changes):
        config = stage.configuration(**changes)
        code, out, err = stage.tool("run", "--config", config)
        expect(code == want, f"{changes}: exit code {code}, not {want}: {err}")
        expect(re.search(pattern, err), f"{changes}: says {err!r}, not /{pattern}/")
        expect(not re.search(r"terminate|Aborted|Segmentation", err), f"{changes}: dies: {err!r}")

    located = r"portcullis\.yaml:\d+:\d+: "
    run(2, located + r".*worker", workers="many")
    run(2, located + r".*wirez", wirez=[])
    run(2, located, services=[{"name": "a", "protocol": "chess", "address": "10.88.0.2", "port": 25565}])
    run(2, located + ".*already a port", wires=[{
        "name": "edge", "outside": {"device": "net_af_packet0,iface=pct-twice", "driver": "af_packet"},
        "inside": {"device": "net_af_packet1,iface=pct-twice", "driver": "af_packet"}}])
    run(1, "pct-nowhere", wires=[{"name": "edge",
                                  "outside": {"device": "net_af_packet0,iface=pct-nowhere", "driver": "af_packet"},
                                  "inside": {"device": "net_af_packet1,iface=pct-nowhere2", "driver": "af_packet"}}])
    stage.topology()
    run(1, "verdict", verdict_log={"path": "/proc/verdicts"})
    with socket.create_server(("127.0.0.1", 9464)):
        run(1, "9464.*another program|9464.*listen", metrics={"listen": "127.0.0.1:9464"})
    code, _, err = stage.tool("run", "--config", stage.tmp / "absent.yaml")
    expect(code == 2 and "absent.yaml: can not be read" in err, f"absent configuration: {code} {err!r}")
    run(1, "password", rcon=[{"service": "survival", "address": "127.0.0.1", "port": 1,
                              "password_file": str(stage.tmp / "no-such-password")}])
    # A card's driver wants hugepages; with some free, it is the card that is missing.
    run(1, "sysctl vm.nr_hugepages|no driver took the device",
        wires=[{"name": "edge", "outside": {"device": "0000:fe:00.0", "driver": "ice"},
                "inside": {"device": "0000:fe:00.1", "driver": "ice"}}])
    nobody_may_not(stage)
    in_the_way_of_another(stage)


def nobody_may_not(stage):
    """Somebody without rights is told which he lacks."""
    config = stage.configuration(admin={"socket": "off"}, metrics={"listen": "off"}, rcon=[], webhooks=[])
    who = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"]
    stage.tmp.chmod(0o755)
    reachable = subprocess.run([*who, stage.binary, "check", config], capture_output=True)
    if reachable.returncode != 0:  # The tree is root's alone: then root without his rights.
        who = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", "--"]
    done = subprocess.run([*who, stage.binary, "run", "--config", config], capture_output=True, text=True, timeout=60)
    expect(done.returncode == 1 and "CAP_NET_RAW" in done.stderr, f"without rights: {done.returncode} {done.stderr!r}")
    expect(len([l for l in done.stderr.splitlines() if l]) == 1, f"without rights: more than a sentence: {done.stderr!r}")


def in_the_way_of_another(stage):
    """A second appliance finds the socket and the log of the first in use."""
    first = stage.configuration()
    stage.appliance(first)
    elsewhere = {"metrics": {"listen": "127.0.0.1:9465"}, "rcon": [], "webhooks": [], "wires": [
        {"name": "edge", "outside": {"device": "net_ring0", "driver": "ring"}, "inside": {"device": "net_ring1", "driver": "ring"}}]}
    for what, pattern in (({"verdict_log": {"path": str(stage.tmp / "other")}}, "admin.*another appliance"),
                          ({"admin": {"socket": "off"}}, "verdict log .*another appliance writes to it")):
        code, _, err = stage.tool("run", "--config", stage.configuration(**elsewhere, **what))
        expect(code == 1 and re.search(pattern, err), f"{what}: {code} {err!r}, not /{pattern}/")
