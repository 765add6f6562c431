"""What the appliance promises Shadowland players, live: an independent server and clients on both sides of it."""

import json
import socket
import threading
import time

import harness
from harness import expect, here, total, wait_until
from scenarios import scenario

peers = here.parents[2] / "shared/peers/shadowland"
port, relay_port = 3565, 4565
PLAY_S = 30
WALKS = [{"name": "Alice"}, {"name": "Bob", "behaviour": "jump"}, {"name": "Carol", "hz": 60}]
ENTITIES = [{"type": 2, "name": "Wolf", "position": [409200, 409100, 1000]},
            {"type": 7, "name": "Sword", "position": [409200, 409300, 1000]}]


class KeyFeeder(threading.Thread):
    """Hands the appliance each key as the server makes it, as a plugin of the server would."""

    def __init__(self, server, path, address):
        super().__init__(daemon=True)
        self.server, self.path, self.address = server, path, address
        self.refused, self.fed = [], 0
        self.over = threading.Event()

    def run(self):
        feed = socket.socket(socket.AF_UNIX)
        feed.connect(str(self.path))
        answers = feed.makefile()
        told, clients, waiting = 0, {}, []
        while not self.over.is_set():
            said = list(self.server.said)
            for line in said[told:]:
                if line["event"] == "secrets":
                    self.give(feed, answers, {"cookie_secret": line["cookie"], "integrity_secret": line["integrity"]})
                elif line["event"] == "session":
                    clients[line["connection_id"]] = line["client"]
                elif line["event"] == "keys":
                    waiting.append(line["keys"])
            told = len(said)
            for key in [k for k in waiting if k["connection_id"] in clients]:
                waiting.remove(key)
                self.give(feed, answers, {"client": clients[key["connection_id"]],
                                          **{n: key[n] for n in ("connection_id", "epoch", "c2s", "s2c")}})
            time.sleep(0.005)

    def give(self, feed, answers, key):
        feed.sendall((json.dumps({"protocol": "shadowland", "server": self.address, **key}) + "\n").encode())
        answer = json.loads(answers.readline())
        self.fed += 1
        if not answer.get("ok"):
            self.refused.append(answer)


def clients(stage, name, address, to_port, seconds, players, **options):
    log = stage.tmp / f"{name}.jsonl"
    asked = {"server": address, "port": to_port, "duration": int(seconds * 1000), "log": str(log),
             "clients": [{**options, **player} for player in players]}
    return stage.peer("node", peers / "client.js", json.dumps(asked), space="players"), log


def lines(log, what):
    return [line[what] for line in map(json.loads, open(log)) if what in line]


@scenario
def shadowland_on_a_bad_line(stage):
    """Honest Shadowland players on a bad line, plain and encrypted, lose nothing; who cheats is thrown out."""
    if not (peers / "server.js").exists():
        raise harness.Skipped(f"there is no Shadowland server at {peers}")
    stage.topology()
    address = f"{harness.server_address}:{port}"
    server = stage.peer("node", here / "peers/shadowland_server.js", peers, json.dumps(
        {"address": harness.server_address, "port": port, "entities": ENTITIES, "naive": True, "rekey_ms": 12000}),
        space="servers")
    server.wait_for("listening", 20)
    keys = stage.tmp / "keys.sock"
    config = stage.configuration(
        services=[{"name": "shadow", "protocol": "shadowland", "address": harness.server_address, "port": port}],
        rcon=[], webhooks=[], keys={"socket": str(keys)})
    stage.appliance(config)
    feeder = KeyFeeder(server, keys, address)
    feeder.start()
    stage.callback(feeder.over.set)
    relay = stage.peer("python3", here / "peers/udp_relay.py", harness.player_address, relay_port, harness.server_address,
                       port, "loss=0.03", "duplicate=0.03", "reorder=0.03", "delay_ms=25", "jitter_ms=15", "seed=6",
                       space="players")
    relay.wait_for("listening", 10)

    honest = [clients(stage, f"honest-{mode}", harness.player_address, relay_port, PLAY_S,
                      [{**p, "name": f"{p['name']}{mode}"} for p in WALKS], encrypted=mode == "Sealed")
              for mode in ("Plain", "Sealed")]
    time.sleep(6)
    cheats = [clients(stage, f"cheat-{mode}", harness.player_address, relay_port, 20,
                      [{"name": f"Mallory{mode}", "attack": "teleport", "with": {"from": 2000, "to": 18000}}],
                      encrypted=mode == "Sealed") for mode in ("Plain", "Sealed")]
    for peer, _ in [*honest, *cheats]:
        expect(peer.wait_end(PLAY_S + 20) == 0, f"a client broke: {peer.tail()}")
    closed = {c["connection_id"]: c for c in server.of("closed")}
    verdicts = stage.verdicts(config)
    cheaters = [c for _, log in cheats for c in lines(log, "client")]
    for cheater in cheaters:
        gone = closed.get(cheater["connection_id"], {})
        mine = [(v["check"], v["level"], v["action"]) for v in verdicts
                if v["type"] == "verdict" and v["player"].get("name") == cheater["name"]]
        expect(gone.get("reason") == 7, f"the server never lost {cheater['name']}: {gone}; found: {mine[-3:]}")
    proved = {v["player"]["name"] for v in stage.proved(config, verdicts)}
    expect(proved >= {c["name"] for c in cheaters}, f"verdicts on {proved} alone are proved")
    for _, log in cheats:
        expect(lines(log, "disconnected") == [7], f"a cheater was not told that he is out: {lines(log, 'disconnected')}")

    stayed = [c for _, log in honest for c in lines(log, "client")]
    expect(len(stayed) == 2 * len(WALKS), f"{len(stayed)} of {2 * len(WALKS)} honest players ended")
    for player in stayed:
        expect(player["entity_id"], f"{player['name']} never got into the world")
        # His goodbye is said once, and the line may lose it.
        gone = closed.get(player["connection_id"], {"reason": 0})
        expect(gone["reason"] == 0, f"{player['name']} did not leave by himself: {gone}")
    for _, log in honest:
        expect(not lines(log, "disconnected"), f"honest players were put out: {lines(log, 'disconnected')}")
    names = {p["name"] for p in stayed}
    blamed = [(v["player"]["name"], v["check"], v["confidence"], v["evidence"]) for v in verdicts
              if v["type"] == "verdict" and v["confidence"] >= 0.95 and v["player"]["name"] not in {c["name"] for c in cheaters}]
    expect(not blamed, f"honest players are blamed: {blamed[:3]}")
    logins = {v["player"]["name"] for v in verdicts if v["type"] == "login"}
    expect(names <= logins, f"never seen to log in: {names - logins}")
    expect(not feeder.refused and feeder.fed > 1, f"keys: {feeder.fed} fed, refused: {feeder.refused[:1]}")
    epochs = {k["keys"]["epoch"] for k in server.of("keys")}
    expect(max(epochs) >= 1, "no session took new keys while it played")
    values = harness.metrics()
    received = total(values, "portcullis_received_packets_total")
    relay.end()
    print(f"   {received:.0f} packets, epochs up to {max(epochs)}, {feeder.fed} keys fed; the line: {relay.of('ended')[0]}")
