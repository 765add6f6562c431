#!/usr/bin/env python3
"""Goal: `portcullis verdicts` finds, counts and prints what the log holds: plainly for programs, in colours and through a
pager for a person; and answers what cannot be with one sentence and the right exit code.
Method: a long log that the log's own benchmark wrote, a short one with one of everything, the built binary, and a terminal
that is ours.

  verdicts_test.py BINARY LOG_BENCH SAMPLE_LOG
"""

import collections
import csv
import io
import json
import os
import pathlib
import pty
import shutil
import subprocess
import sys
import tempfile
import unicodedata
import unittest

BINARY, LOG_BENCH, SAMPLE_LOG = map(os.path.abspath, sys.argv[1:4])


def verdicts(*arguments):
    done = subprocess.run([BINARY, "verdicts", *map(str, arguments)], capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout, done.stderr


def on_a_terminal(*arguments, **environment):
    """What a person would see."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen([BINARY, "verdicts", *map(str, arguments)], stdout=theirs, stdin=subprocess.DEVNULL,
                               env={**os.environ, "TERM": "xterm", **environment})
    os.close(theirs)
    seen = b""
    while True:
        try:
            data = os.read(ours, 65536)
        except OSError:  # Nobody writes any more.
            break
        if not data:
            break
        seen += data
    os.close(ours)
    return process.wait(60), seen.decode()


class Verdicts(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="portcullis-verdicts.")
        cls.log = pathlib.Path(cls.folder.name, "log")
        cls.log.mkdir()
        subprocess.run([LOG_BENCH, "1", "2000", cls.log], check=True, capture_output=True, timeout=60)
        code, out, err = verdicts("list", "--log", cls.log, "--format", "jsonl")
        assert code == 0 and not err, err
        cls.all = [json.loads(line) for line in out.splitlines()]
        assert len(cls.all) > 500, len(cls.all)
        cls.sample = pathlib.Path(cls.folder.name, "sample")
        subprocess.run([SAMPLE_LOG, cls.sample], check=True, capture_output=True, timeout=60)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def test_finds_by_each_filter(self):
        one = self.all[len(self.all) // 2]
        for option, value, like in (
                ("--player", one["player"]["name"].upper(), lambda v: v["player"]["name"] == one["player"]["name"]),
                ("--player", one["player"]["uuid"], lambda v: v["player"]["uuid"] == one["player"]["uuid"]),
                ("--check", one["check"], lambda v: v["check"] == one["check"]),
                ("--address", one["flow"]["client"].rsplit(":", 1)[0],
                 lambda v: v["flow"]["client"].rsplit(":", 1)[0] == one["flow"]["client"].rsplit(":", 1)[0]),
                ("--since", one["time"], lambda v: v["time"] >= one["time"]),
                ("--until", one["time"], lambda v: v["time"] < one["time"]),
                ("--min-confidence", 0.9, lambda v: v["confidence"] >= 0.9)):
            code, out, _ = verdicts("list", "--log", self.log, "--format", "jsonl", option, value)
            ids = [json.loads(line)["id"] for line in out.splitlines()]
            self.assertEqual((code, ids), (0, [v["id"] for v in self.all if like(v)]), option)

    def test_prints_the_same_as_csv_and_text(self):
        code, out, _ = verdicts("list", "--log", self.log, "--format", "csv", "--last", 50)
        rows = list(csv.DictReader(io.StringIO(out)))
        self.assertEqual((code, [row["id"] for row in rows]), (0, [v["id"] for v in self.all[-50:]]))
        self.assertEqual([float(row["observed"]) for row in rows], [v["evidence"]["observed"] for v in self.all[-50:]])
        code, out, _ = verdicts("list", "--log", self.log, "--last", 50)
        self.assertEqual((code, len(out.splitlines())), (0, 50))
        self.assertNotIn("\033", out)

    def test_counts(self):
        counted = collections.Counter(v["check"] for v in self.all)
        code, out, _ = verdicts("stats", "--log", self.log, "--by", "check,service", "--format", "jsonl")
        rows = [json.loads(line) for line in out.splitlines()]
        self.assertEqual(code, 0)
        self.assertEqual({r["value"]: r["verdicts"] for r in rows if r["by"] == "check"}, dict(counted))
        self.assertEqual([r["verdicts"] for r in rows if r["by"] == "service"], [len(self.all)])
        playing = {v["player"]["name"] for v in self.all if v["player"].get("in_game", True)}
        self.assertEqual([r["players"] for r in rows if r["by"] == "service"], [len(playing)])
        players = {v["player"]["name"] for v in self.all}
        code, out, _ = verdicts("stats", "--log", self.log, "--by", "player", "--top", 0, "--format", "csv")
        self.assertEqual((code, len(out.splitlines())), (0, len(players) + 1))
        code, out, _ = verdicts("stats", "--log", self.log)
        self.assertEqual(code, 0)
        for word in ("action", "check", "player", "hour", f"and {len(players) - 20} more"):
            self.assertIn(word, out)

    def test_counts_as_acted_what_was_done_and_as_players_who_play(self):
        _, out, _ = verdicts("list", "--log", self.sample, "--format", "jsonl")
        told = [json.loads(line) for line in out.splitlines()]
        done = [v for v in told if v["mode"] == "enforce" and v["action"] in ("kick", "block")]
        playing = {v["player"]["name"] for v in told if v["player"].get("in_game", True)} - {""}
        _, out, _ = verdicts("stats", "--by", "service,mode,player", "--log", self.sample, "--format", "jsonl")
        rows = {(r["by"], r["value"]): r for r in map(json.loads, out.splitlines())}
        self.assertEqual(rows["service", "survival"]["acted"], len(done))
        self.assertEqual(rows["service", "survival"]["players"], len(playing))
        observed = rows["mode", "observe"]
        self.assertEqual((observed["verdicts"], observed["decided"], observed["acted"]), (1, 1, 0))
        self.assertEqual([rows["player", name]["players"] for name in ("", "Carol (claimed)", "Alice")], [0, 0, 1])
        _, out, _ = verdicts("stats", "--by", "mode", "--log", self.sample, "--format", "csv")
        self.assertEqual([(r["acted"], r["decided"]) for r in csv.DictReader(io.StringIO(out)) if r["value"] == "observe"],
                         [("0", "1")])

    def test_exports_with_each_verdict_what_became_of_it(self):
        _, plain, _ = verdicts("export", "--log", self.sample)
        code, out, err = verdicts("export", "--log", self.sample, "--outcomes")
        told = [json.loads(line) for line in out.splitlines()]
        self.assertEqual((code, err), (0, ""))
        self.assertEqual([r for r in told if r["type"] != "outcome"], [json.loads(line) for line in plain.splitlines()])
        kick = next(at for at, r in enumerate(told) if r.get("action") == "kick")
        outcomes = told[kick + 1:kick + 5]
        self.assertEqual({(o["type"], o["verdict"]) for o in outcomes}, {("outcome", told[kick]["id"])})
        self.assertEqual({(o["target"], o["result"]) for o in outcomes},
                         {("wire", "done"), ("rcon", "failed"), ("webhook", "expired"), ("blocklist", "done")})
        self.assertEqual(len([r for r in told if r["type"] == "outcome"]), 4)
        _, shown, _ = verdicts("show", "--log", self.sample, told[kick]["id"], "--format", "jsonl")
        self.assertEqual([json.loads(line) for line in shown.splitlines()[:-1]], told[kick:kick + 5])
        _, out, _ = verdicts("export", "--log", self.sample, "--outcomes", "--format", "csv")
        rows = list(csv.DictReader(io.StringIO(out), strict=True))
        self.assertEqual([(row["type"], row["id"]) for row in rows], [(r["type"], r.get("id", r.get("verdict"))) for r in told])
        self.assertEqual([(row["target"], row["result"], row["detail"]) for row in rows if row["type"] == "outcome"],
                         [(o["target"], o["result"], o["detail"]) for o in outcomes])
        self.assertEqual({None in row or None in row.values() for row in rows}, {False}, "a row is longer or shorter")
        _, out, _ = verdicts("export", "--log", self.sample, "--outcomes", "--last", 1, "--check", "movement.speed")
        self.assertEqual(len(out.splitlines()), 1)

    def test_every_record_has_an_id_that_show_finds(self):
        _, out, _ = verdicts("export", "--log", self.sample)
        told = {r["type"]: r for r in map(json.loads, out.splitlines())}
        self.assertEqual(set(told), {"verdict", "login", "disconnect", "opaque"})
        for record in told.values():
            code, shown, err = verdicts("show", "--log", self.sample, record["id"], "--format", "jsonl")
            self.assertEqual((code, json.loads(shown.splitlines()[0])), (0, record), err)

    def test_no_name_steers_a_terminal_or_breaks_a_line(self):
        _, out, _ = verdicts("list", "--log", self.sample, "--all", "--format", "jsonl")
        names = {json.loads(line)["player"]["name"] for line in out.splitlines()}
        self.assertTrue({"\033[2J\033[41mPWN", "A\nB  9 9", "\ufffd\ufffdX"} <= names, names)
        self.assertIn("\u5b57" * 10, names)  # Of eleven: 32 bytes hold no more.
        for arguments in (("stats",), ("stats", "--by", "player"), ("list", "--all"), ("stats", "--format", "csv"),
                          ("list", "--all", "--format", "csv"), ("export", "--format", "csv"),
                          ("list", "--player", "Zo\u00ebx")):
            done = subprocess.run([BINARY, "verdicts", *arguments, "--log", self.sample], capture_output=True, timeout=60)
            self.assertEqual(done.returncode, 0, arguments)
            said = (done.stdout + done.stderr).decode("utf-8")  # Fails where it is none.
            steering = {c for c in said if unicodedata.category(c) == "Cc"} - {"\n"}
            self.assertEqual(steering, set(), arguments)
        self.assertIn("did you mean", said)
        _, out, _ = verdicts("stats", "--by", "player", "--log", self.sample)
        head, *rows = out.splitlines()[:-1]
        self.assertEqual(len(rows), len({name for name in names} - {"Alice", "Bob", "Carol", ""}) + 4)
        self.assertEqual({len(row) for row in rows}, {len(head)}, out)
        _, out, _ = verdicts("export", "--format", "csv", "--log", self.sample)
        rows = list(csv.DictReader(io.StringIO(out)))
        self.assertEqual(len(rows), len(out.splitlines()) - 1)
        self.assertIn("A\ufffdB  9 9", {row["player"] for row in rows})

    def test_goes_by_the_players_own_address_and_marks_who_only_says_a_name(self):
        def own(verdict):
            return verdict["player"].get("address", verdict["flow"]["client"].rsplit(":", 1)[0])

        def is_in_game(verdict):
            return "true" if verdict["player"].get("in_game", True) else "false"
        told = {v["player"]["address"] for v in self.all if "address" in v["player"]}
        knocked = {v["player"]["name"] for v in self.all if is_in_game(v) == "false"}
        self.assertTrue(told and knocked, "the log has neither of those")
        code, out, _ = verdicts("export", "--log", self.log, "--format", "csv")
        rows = list(csv.DictReader(io.StringIO(out)))
        self.assertEqual((code, [(row["address"], row["in_game"]) for row in rows]),
                         (0, [(own(v), is_in_game(v)) for v in self.all]))
        code, out, _ = verdicts("stats", "--log", self.log, "--by", "address,player", "--top", 0, "--format", "jsonl")
        counts = {(r["by"], r["value"]): r["verdicts"] for r in map(json.loads, out.splitlines())}
        self.assertEqual({value: n for (by, value), n in counts.items() if by == "address"},
                         dict(collections.Counter(map(own, self.all))))
        self.assertEqual({value for by, value in counts if value.endswith(" (claimed)")},
                         {f"{name} (claimed)" for name in knocked})

    def test_shows_colours_and_pages_for_a_person_alone(self):
        options = ("list", "--log", self.log, "--last", 5, "--all")
        code, seen = on_a_terminal("stats", "--log", self.log, PAGER="cat")
        self.assertEqual(code, 0)
        self.assertIn("\033[1m", seen)
        code, seen = on_a_terminal("stats", "--log", self.log, PAGER="cat", NO_COLOR="1")
        self.assertNotIn("\033", seen)
        code, seen = on_a_terminal(*options, PAGER="sed s/^/paged:/")
        self.assertEqual((code, seen.count("paged:")), (0, 5))
        code, seen = on_a_terminal("list", "--log", self.log, PAGER="head -n 1")  # Left early.
        self.assertEqual((code, len(seen.splitlines())), (0, 1), seen)
        code, seen = on_a_terminal(*options, "--no-pager", PAGER="sed s/^/paged:/")
        self.assertEqual((code, seen.count("paged:"), len(seen.splitlines())), (0, 0, 5))
        piped = subprocess.run([BINARY, "verdicts", *map(str, options)], capture_output=True, text=True,
                               env={**os.environ, "PAGER": "sed s/^/paged:/"}, timeout=60)
        self.assertNotIn("paged:", piped.stdout)

    def test_prints_without_a_pager_where_there_is_none(self):
        environment = {name: value for name, value in os.environ.items() if name != "PAGER"}
        environment["PATH"] = self.folder.name  # No less in it.
        ours, theirs = pty.openpty()
        done = subprocess.run([BINARY, "verdicts", "list", "--log", self.log, "--last", "5"], stdout=theirs,
                              stderr=subprocess.PIPE, env=environment, timeout=60)
        os.close(theirs)
        seen = os.read(ours, 65536)
        os.close(ours)
        self.assertEqual((done.returncode, done.stderr, len(seen.splitlines())), (0, b"", 5))

    def test_fails_when_the_output_does_not_arrive(self):
        for arguments in (("list",), ("export",), ("list", "--last", "3"), ("stats",), ("show", self.all[0]["id"])):
            with open("/dev/full", "w") as full:
                done = subprocess.run([BINARY, "verdicts", *arguments, "--log", self.log], stdout=full,
                                      stderr=subprocess.PIPE, text=True, timeout=60)
            self.assertEqual(done.returncode, 1, (arguments, done.stderr))
            self.assertIn("not all of the output could be written", done.stderr)

    def test_names_that_nobody_has_are_told(self):
        code, out, err = verdicts("list", "--log", self.log, "--check", "movement.sped")
        self.assertEqual((code, out), (2, ""))
        self.assertIn('(did you mean "movement.speed"?); allowed: ', err)
        # None of those in the log, but there is such a check: that is an answer.
        self.assertEqual(verdicts("list", "--log", self.log, "--check", "combat.no_swing"), (0, "", ""))
        name = self.all[0]["player"]["name"]
        code, out, err = verdicts("list", "--log", self.log, "--player", name + "x")
        self.assertEqual((code, out), (0, ""))
        self.assertRegex(err, f'^the log knows no player "{name}x" \\(did you mean "Player')

    def test_repairs_what_is_damaged(self):
        log = pathlib.Path(self.folder.name, "damaged")
        shutil.copytree(self.log, log)
        (log / "CURRENT").unlink()
        code, out, err = verdicts("list", "--log", log)
        self.assertEqual((code, out), (1, ""))
        self.assertIn(f"portcullis verdicts repair --log {log}", err)
        code, out, err = verdicts("repair", "--log", log)
        self.assertEqual((code, err), (0, ""))
        self.assertRegex(out, "^[0-9]+ entries can be read")
        code, out, _ = verdicts("list", "--log", log)
        self.assertEqual((code, len(out.splitlines())), (0, len(self.all)))
        code, out, err = verdicts("repair", "--log", log / "none")
        self.assertEqual((code, out), (1, ""))
        self.assertIn("there is no verdict log at", err)

    def test_says_what_is_wrong_in_a_sentence(self):
        absent = "0190a6c2-5d3f-7001-9c41-2f0000000007"
        for want, words, arguments in (
                (2, "--since soon", ("list", "--log", self.log, "--since", "soon")),
                (2, "--address nowhere", ("list", "--log", self.log, "--address", "nowhere")),
                (2, "is not an id", ("show", "--log", self.log, "7")),
                (1, "no entry has the id", ("show", "--log", self.log, absent)),
                (1, "there is no verdict log at", ("list", "--log", self.log / "none")),
                (2, "stats", ("stats", "--log", self.log, "--by", "weather")),
                (2, "name verdicts by id", ("replay", "--log", self.log)),
                (1, "there is no evidence", ("replay", "--log", self.log, absent)),
                (1, "there is no evidence", ("evidence", "--log", self.log, absent, "-o", self.log / "x"))):
            code, out, err = verdicts(*arguments)
            self.assertEqual((code, out), (want, ""), (arguments, err))
            if words != "stats":
                self.assertIn(words, err)
                self.assertEqual(len(err.splitlines()), 1, err)
        code, out, _ = verdicts("show", "--log", self.log, self.all[0]["id"])
        self.assertEqual((code, out.splitlines()[-1]), (0, "evidence: none"))

    def test_a_broken_configuration_says_where_and_how_to_go_round_it(self):
        broken = pathlib.Path(self.folder.name, "broken.yaml")
        signatures = f"verdict_log: {{ path: {self.log} }}\nsignatures: /nonexistent/signatures.yaml\n"
        for text, words in ((f"verdict_log:\n  path: {self.log}\n  retention_days: never\n", f"{broken}:3:19: "),
                            ("verdict_log: { path: x\nservices: [\n", f"{broken}:"),
                            (signatures, "/nonexistent/signatures.yaml: "),
                            (None, f"{broken}: ")):
            broken.unlink(missing_ok=True)
            if text:
                broken.write_text(text)
            for command in (("list",), ("stats",), ("repair",), ("replay", "--all"), ("show", self.all[0]["id"])):
                code, out, err = verdicts(*command, "--config", broken)
                self.assertEqual((code, out), (2, ""), (command, text, err))
                self.assertTrue(err.startswith(words), (words, err))
                self.assertIn("--log PATH", err.splitlines()[-1])
        code, out, err = verdicts("list", "--log", self.log, "--format", "jsonl")
        self.assertEqual((code, len(out.splitlines()), err), (0, len(self.all), ""))

    def test_leaves_nothing_behind_when_its_reader_goes(self):
        with tempfile.TemporaryDirectory(prefix="portcullis-tmp.") as scratch:
            process = subprocess.Popen([BINARY, "verdicts", "list", "--log", str(self.log)], stdout=subprocess.PIPE,
                                       stderr=subprocess.DEVNULL, env={**os.environ, "TMPDIR": scratch})
            process.stdout.read(1)
            process.stdout.close()
            self.assertNotEqual(process.wait(60), 0, "all went into the pipe: the log is too small for this test")
            self.assertEqual(os.listdir(scratch), [])

    def test_times_between_which_nothing_lies_are_told(self):
        for since, until in (("1h", "2h"), ("2026-01-02", "2026-01-01"), ("2026-01-02", "2026-01-02")):
            code, out, err = verdicts("list", "--log", self.log, "--since", since, "--until", until)
            self.assertEqual((code, out), (2, ""), err)
            self.assertIn(f"--since {since} is not before --until {until}", err)
            self.assertEqual(len(err.splitlines()), 1, err)
        code, out, err = verdicts("list", "--log", self.log, "--since", "2199-01-01")
        self.assertEqual((code, out), (0, ""))
        self.assertRegex(err, "^--since 2199-01-01 is in the future: it is 20[0-9T:.-]+Z")
        self.assertEqual(verdicts("list", "--log", self.log, "--since", "2h", "--until", "1h"), (0, "", ""))

    def test_a_time_before_all_times_is_refused(self):
        code, out, err = verdicts("list", "--log", self.log, "--since", "400000d")
        self.assertEqual((code, out), (2, ""), err)
        self.assertIn("before 1970", err)
        code, out, err = verdicts("list", "--log", self.log, "--since", "7d", "--format", "jsonl")
        self.assertEqual((code, len(out.splitlines())), (0, len(self.all)), err)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
