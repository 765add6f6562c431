#!/usr/bin/env python3
"""Compares what `offline` finds with what the captures' manifests say.

    judge.py OFFLINE CAPTURE_FOLDER [check-prefix ...]
"""
import collections, json, pathlib, subprocess, sys

offline, folder, *families = sys.argv[1:]
families = families or ["movement.", "timing."]
folder = pathlib.Path(folder)
files = json.loads((folder / "manifest.json").read_text())
false_acts, honest_seconds, low = [], 0.0, collections.Counter()
spent = ""
for entry in files:
    path = folder / entry["file"]
    run = subprocess.run([offline, str(path)], capture_output=True, text=True)
    spent = run.stderr.strip().splitlines()[-1] if run.stderr else ""
    found, players = [], {}
    for line in run.stdout.splitlines():
        kind, _, port, *rest = line.split("\t")
        if kind == "player":
            players[int(port)] = rest[0]
            honest_seconds += float(rest[1]) if entry["kind"] == "legit" or "profile" in entry else 0
        elif any(rest[1].startswith(f) for f in families):
            found.append((int(port), float(rest[0]), rest[1], float(rest[2]), *rest[3:]))
    if run.returncode not in (0,):
        print("FAILED", entry["file"], run.returncode, run.stderr[-200:])
    windows = []  # (name, check, from, to)
    for p in entry["players"]:
        if "windows" in p:
            windows += [(p["name"], w["expected_check"], w["from"], w["to"], w["behaviour"])
                        for w in p["windows"] if w.get("cheat")]
        elif "cheat_window_s" in p:
            windows.append((p["name"], None, *p["cheat_window_s"], p.get("expected_detection")))
    if entry["kind"] == "cheat" and "profile" not in entry:
        cheater = next((p["name"] for p in entry["players"] if p["role"].startswith("cheat")), None)
        for a, b in entry["behaviour_windows_s"]:
            for check in entry["expected_checks"]:
                windows.append((cheater, check, a, b, entry["behaviour"]))
    for port, at, check, confidence, *evidence in found:
        name = players.get(port, "?")
        inside = [w for w in windows if w[0] == name and w[2] - 0.3 <= at <= w[3] + 6]
        if confidence < 0.95:
            low[(entry["kind"], check, bool(inside))] += 1
        elif not inside:
            false_acts.append((entry["file"], name, port, at, check, confidence, *evidence))
    for name, check, a, b, behaviour in windows:
        mine = [f for f in found if players.get(f[0]) == name and a - 0.3 <= f[1] <= b + 0.5
                and f[3] >= 0.95 and (check is None or f[2] == check)]
        if check is None or any(check.startswith(f) for f in families):
            delay = f"{mine[0][1] - a:6.2f} s, {len(mine)} acts" if mine else "MISSED"
            print(f"{entry['file']:45} {behaviour:12} {check or '':18} {delay}")
for act in false_acts:
    print("FALSE", *act)
print(f"{len(false_acts)} false acts in {honest_seconds / 3600:.2f} player-hours; {spent}")
print("below 0.95 (kind, check, in a cheat window):", dict(low))
