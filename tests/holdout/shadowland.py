#!/usr/bin/env python3
"""Plays Shadowland sessions that no fixed capture holds, and holds the checks to them.

Goal: honest players on bad lines are never acted upon and lose nothing; every attack of the peer brings its check,
sealed and plain.
Method: shadowland.js plays each scene in virtual time with the peer in ../shared/peers/shadowland (seeded: the same
seed gives the same bytes); tests/replay/shadowland.py judges the captures as it does those that come with the project.

  shadowland.py --binary build/apps/portcullis/portcullis [--out DIR] [--seed N] [--rounds N] [SCENE...]
"""

import argparse
import concurrent.futures
import importlib.util
import json
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
PEERS = HERE.parents[2] / "shared/peers/shadowland"
RECORD = [os.environ.get("NODE", "node"), str(HERE / "shadowland.js")]


def replay():
    """The judge of captures, as a module."""
    spec = importlib.util.spec_from_file_location("replay_shadowland", HERE.parent / "replay/shadowland.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def record(out, seed, scene):
    subprocess.run([*RECORD, str(PEERS), str(out), str(seed), scene], check=True)
    return json.loads((out / f"{scene}-{seed}.entry.json").read_text())


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--binary", required=True)
    parser.add_argument("--out", type=pathlib.Path, help="keep the captures here")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=1, help="each scene with so many seeds")
    parser.add_argument("scenes", nargs="*")
    options = parser.parse_args()
    if not (PEERS / "server.js").exists():
        print(f"SKIP: there is no Shadowland peer at {PEERS}")
        return
    scenes = subprocess.run([*RECORD, "--list"], check=True, capture_output=True, text=True).stdout.split()
    unknown = set(options.scenes) - set(scenes)
    if unknown:
        raise SystemExit(f"error: no such scene: {', '.join(sorted(unknown))}; there are {', '.join(scenes)}")
    with tempfile.TemporaryDirectory() as scratch:
        out = options.out or pathlib.Path(scratch)
        out.mkdir(parents=True, exist_ok=True)
        jobs = [(out, seed, scene) for seed in range(options.seed, options.seed + options.rounds)
                for scene in options.scenes or scenes]
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            entries = list(pool.map(lambda job: record(*job), jobs))
        (out / "manifest.json").write_text(json.dumps(entries))
        print(f"{len(entries)} sessions recorded, seeds {options.seed} to {options.seed + options.rounds - 1}", flush=True)
        raise SystemExit(replay().judge_all(options.binary, [out]))


if __name__ == "__main__":
    sys.exit(main())
