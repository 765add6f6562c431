#!/usr/bin/env python3
"""Goal: the binary's words to the shell hold: exit codes, which stream, how many sentences.
Method: run it. `ctl` talks to a listener of our own that answers from a table."""

import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import threading

binary = sys.argv[1]
root = pathlib.Path(os.environ.get("PORTCULLIS_SOURCE_ROOT", "."))
failures = []


def run(*arguments):
    done = subprocess.run([binary, *map(str, arguments)], capture_output=True, text=True, timeout=30)
    return done.returncode, done.stdout, done.stderr


def expect(what, condition, got):
    if not condition:
        failures.append(f"{what}: {got}")


def answer(listener, answers):
    """Each connection: one request line, the answer to its command."""
    while True:
        try:
            peer, _ = listener.accept()
        except OSError:
            return
        with peer, peer.makefile("rw") as lines:
            request = json.loads(lines.readline())
            lines.write(json.dumps(answers(request)) + "\n")


def usage(tmp):
    for arguments in ([], ["fly"], ["check"], ["ctl"], ["ctl", "fly"], ["ctl", "status", "--format", "xml"],
                      ["ctl", "sever", "--client", "10.0.0.1:1"], ["ctl", "block", "10.0.0.1", "--for", "soon"],
                      ["ctl", "block", "10.0.0.1", "--for", "-5m"], ["ctl", "block", "10.0.0.1", "--for", "0s"]):
        code, out, err = run(*arguments)
        expect(f"{arguments} is wrong usage", code == 2 and err and not out, (code, out, err))
    code, out, _ = run("--version")
    expect("--version", code == 0 and out.startswith("portcullis 0."), (code, out))
    code, out, _ = run("--help")
    expect("--help names the subcommands", code == 0 and "check" in out and "ctl" in out, (code, out))


def checks(tmp):
    code, out, err = run("check", root / "deploy/portcullis.yaml")
    expect("the example is good", code == 0 and "is good" in out and not err, (code, out, err))
    code, out, err = run("check", tmp / "absent.yaml")
    expect("an absent file", code == 2 and "absent.yaml: can not be read" in err and not out, (code, err))
    wrong = tmp / "wrong.yaml"
    wrong.write_text("wires:\n"
                     "  - name: edge\n"
                     "    outside: { device: a, driver: nosuch }\n"
                     "    inside: { device: b, driver: ice }\n"
                     "policies:\n"
                     "  default: { checks: { combat.raech: { enabled: true } } }\n")
    code, out, err = run("check", wrong)
    lines = err.splitlines()
    expect("checks and drivers that do not exist are both named",
           code == 2 and len(lines) == 2 and ":6:24: " in lines[0] and ":3:14: " in lines[1], (code, err))


def ctl(tmp):
    path = tmp / "admin.sock"
    code, out, err = run("ctl", "--socket", path, "status")
    expect("nobody answers", code == 1 and len(err.splitlines()) == 1 and str(path) in err and not out, (code, err))

    asked = []

    def answers(request):
        asked.append(request)
        if request["command"] == "kick":
            return {"ok": False, "error": "no player named Nobody is known to be here"}
        if request["command"] == "players":
            return {"ok": True, "result": {"count": 1, "unlisted": 0, "players": [
                {"name": "Al\u001bice", "uuid": "069a", "version": 765, "service": "survival", "address": "203.0.113.9",
                 "client": "198.51.100.7:1", "since": None, "latency_ms": 41, "opaque": False, "level": 7.5,
                 "findings": [{"check": "combat.reach", "count": 3}]}]}}
        return {"ok": True, "result": {"ordered": True}}

    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        threading.Thread(target=answer, args=(listener, answers), daemon=True).start()
        code, out, _ = run("ctl", "--socket", path, "players", "--service", "survival")
        rows = out.splitlines()
        expect("a table of players", code == 0 and len(rows) == 2 and rows[0].split()[0] == "name"
               and rows[1].split() == ["Al.ice", "069a", "765", "survival", "203.0.113.9", "198.51.100.7:1", "-", "41", "7.5",
                                        "combat.reach", "x3"],
               out)
        code, out, _ = run("ctl", "--socket", path, "--format", "json", "players")
        expect("JSON for programs", code == 0 and json.loads(out)["count"] == 1, out)
        code, out, err = run("ctl", "--socket", path, "kick", "Nobody")
        expect("an error of the appliance", code == 1 and not out and err.strip() ==
               "portcullis: no player named Nobody is known to be here", (code, err))
        code, out, _ = run("ctl", "block", "198.51.100.0/24", "--for", "10m", "--reason", "flood", "--socket", path)
        expect("options may stand behind", code == 0 and out == "ordered\n", (code, out))
    expect("what was asked", asked == [
        {"command": "players", "service": "survival"}, {"command": "players"}, {"command": "kick", "player": "Nobody"},
        {"command": "block", "prefix": "198.51.100.0/24", "reason": "flood", "for_s": 600}], asked)


with tempfile.TemporaryDirectory() as folder:
    for story in (usage, checks, ctl):
        story(pathlib.Path(folder))
print("\n".join(failures) or "all as promised")
sys.exit(1 if failures else 0)
