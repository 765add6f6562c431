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
import time

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
    for arguments, words in ((["fly"], '"fly"'), (["verdicts", "lits"], 'did you mean "list"'), (["verdicts"], "replay"),
                             (["ctl", "--socket", "x"], "unblock"), (["inspect", "x", "--format", "jsonnl"], "jsonl"),
                             (["verdicts", "list", "--format", "xml"], 'allowed: csv, jsonl or text')):
        code, out, err = run(*arguments)
        expect(f"{arguments} says what there is", code == 2 and words in err, err)
    code, out, _ = run("--version")
    expect("--version", code == 0 and out.startswith("portcullis 0."), (code, out))
    code, out, _ = run("--help")
    expect("--help names the subcommands", code == 0 and "check" in out and "ctl" in out, (code, out))


def checks(tmp):
    code, out, err = run("check", root / "deploy/portcullis.yaml")
    expect("the example is good", code == 0 and "is good" in out and not err, (code, out, err))
    code, out, err = run("check", "/dev/zero")
    expect("a file without an end", code == 2 and "over 4 MiB" in err, (code, err))
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


def machine(tmp):
    """What `check` finds out about the machine, and that it believes who says that it is another."""
    base = ("wires:\n  - name: edge\n    outside: { device: a, driver: ice }\n    inside: { device: b, driver: ice }\n"
            "services: [ { name: s, protocol: minecraft, address: 10.0.0.2, port: 25565 } ]\n")
    file, secret = tmp / "machine.yaml", tmp / "secret"

    def check(more, *options):
        file.write_text(base + more)
        return run("check", file, *options)

    rcon = f"rcon: [ {{ service: s, address: 10.0.0.2, port: 1, password_file: {secret} }} ]\n"
    hook = f"webhooks: [ {{ url_file: {secret} }} ]\n"
    code, out, err = check(rcon)
    expect("a secret that is not there", code == 2 and f"{file}:6:9: password_file: secret file {secret}: No such" in err, err)
    expect("which may be elsewhere", check(rcon, "--elsewhere")[0] == 0, err)
    secret.mkdir()
    code, out, err = check(rcon)
    expect("a folder for a secret", code == 2 and "it is a folder" in err, err)
    secret.rmdir()
    secret.write_text("hunter2\n")
    secret.chmod(0o600)
    code, out, err = check(rcon)
    expect("a good secret", code == 0 and "warning" not in out and not err, (code, out, err))
    code, out, err = check(hook)
    expect("no address, and not shown", code == 2 and "https://" in err and "hunter2" not in err, err)
    secret.chmod(0o644)
    code, out, _ = check(rcon)
    expect("everybody's secret", code == 0 and f"{secret} is a secret that every user" in out and "chmod 600" in out, out)
    secret.write_text("http://example.org/hook\n")
    secret.chmod(0o600)
    code, out, _ = check(hook)
    expect("an address that is read on the way", code == 0 and "use https://" in out, out)
    code, out, err = check("cores: 1000\nworkers: 1\n")
    expect("a core that is not there", code == 2 and "CPU 1000 can not be used; usable: " in err, err)
    code, out, err = check("workers: 64\n")
    expect("workers without cores", code == 0 and "64 workers share" in out, (code, out, err))
    file.write_text(base.split("services")[0])
    code, out, err = run("check", file)
    expect("nothing to protect", code == 0 and "warning: " in out and "nothing is inspected" in out, out)
    code, out, err = run("run", "--config", file, "other.yaml")
    expect("a word too many", code == 2 and '"other.yaml"' in err and len(err.splitlines()) == 1, (code, err))


def journal(tmp):
    """Each line of a message has its priority for the journal."""
    wrong = tmp / "two.yaml"
    wrong.write_text("workers: x\nmode: y\n")
    read, write = os.pipe()
    stat = os.fstat(write)
    environment = {**os.environ, "JOURNAL_STREAM": f"{stat.st_dev}:{stat.st_ino}"}
    subprocess.run([binary, "check", wrong], stderr=write, env=environment, timeout=30)
    os.close(write)
    with os.fdopen(read) as lines:
        said = lines.read().splitlines()
    expect("priorities", len(said) == 2 and all(line.startswith("<3>") for line in said), said)


def ctl(tmp):
    path = tmp / "admin.sock"
    code, out, err = run("ctl", "--socket", path, "status")
    expect("nobody answers", code == 1 and len(err.splitlines()) == 1 and str(path) in err and not out, (code, err))

    asked = []

    def answers(request):
        asked.append(request)
        if request["command"] == "reload":
            time.sleep(17)
            return {"ok": True, "result": {"file": "a.yaml", "needs_restart": []}}
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
        asked_before = list(asked)
        broken = tmp / "broken.yaml"
        broken.write_text(f"policies: {{ default: {{ block_s: never }} }}\nadmin:\n  socket: '{path}'  # ours\n")
        code, out, err = run("ctl", "--config", broken, "unblock", "10.0.0.1")
        expect("a broken file still says who is to be asked", code == 0 and out == "ordered\n" and "block_s" in err
               and f"the appliance at {path} is asked" in err, (code, out, err))
        broken.write_text("admin: { socket: " + str(path) + " }\nservices: [ {\n")
        code, out, err = run("ctl", "--config", broken, "unblock", "10.0.0.1")
        expect("one that is no YAML, too", code == 0 and out == "ordered\n" and "broken.yaml" in err, (code, out, err))
        code, out, err = run("ctl", "--config", tmp / "absent.yaml", "unblock", "10.0.0.1")
        expect("a file that is not there is a slip", code == 2 and "absent.yaml" in err, (code, err))
        code, out, err = run("ctl", "--socket", path, "reload")
        expect("a reload is waited for", code == 0 and "in force" in out and "still waiting" in err, (code, out, err))
        asked = asked_before
    expect("what was asked", asked == [
        {"command": "players", "service": "survival"}, {"command": "players"}, {"command": "kick", "player": "Nobody"},
        {"command": "block", "prefix": "198.51.100.0/24", "reason": "flood", "for_s": 600}], asked)


with tempfile.TemporaryDirectory() as folder:
    for story in (usage, checks, machine, journal, ctl):
        story(pathlib.Path(folder))
print("\n".join(failures) or "all as promised")
sys.exit(1 if failures else 0)
