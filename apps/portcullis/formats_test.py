#!/usr/bin/env python3
"""Goal: docs/FORMATS.md says of each record exactly what is in it: no key that is not there, none left out, none of another
kind.
Method: the tables of that page against what the built binary prints of a log with one of everything and of a capture with
a cheater in it, whose evidence is replayed.

  formats_test.py BINARY SAMPLE_LOG CAPTURE FORMATS.md
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

BINARY, SAMPLE_LOG, CAPTURE, PAGE = map(os.path.abspath, sys.argv[1:5])

# A running appliance alone writes these; the tests of Control and of webhooks read them.
OF_AN_APPLIANCE = {"verdicts", ("packet", "cut")}
# What is in them goes by other names: packets' fields, checks and reasons, records.
OPEN = {"fields", "verdicts", "drops", "notices", "stored", "found"}
KINDS = {str: "text", bool: "boolean", int: "number", float: "number", list: "list", dict: "object", type(None): "null"}


def portcullis(*arguments):
    done = subprocess.run([BINARY, *map(str, arguments)], capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, (arguments, done.stderr)
    return done.stdout


def lines(*arguments):
    return [json.loads(line) for line in portcullis(*arguments, "--format", "jsonl").splitlines()]


def documented():
    """Of each type its keys, and what each is."""
    tables = {}
    for section in re.split(r"^## ", pathlib.Path(PAGE).read_text(), flags=re.M)[1:]:
        rows = re.findall(r"^\| `([a-z0-9_.]+)` \| ([a-z ]+\??) \|", section, re.M)
        if rows:
            tables[section.split("\n")[0]] = dict(rows)
    return tables


def flat(record):
    for key, value in record.items():
        if isinstance(value, dict) and key not in OPEN:
            yield from ((f"{key}.{inner}", what) for inner, what in flat(value))
        elif key != "type":
            yield key, KINDS[type(value)]


class Formats(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="portcullis-formats.")
        cls.log = pathlib.Path(cls.folder.name, "log")
        subprocess.run([SAMPLE_LOG, cls.log], check=True, capture_output=True, timeout=60)
        proofs = pathlib.Path(f"{cls.log}.evidence")
        proofs.mkdir()
        told = lines("verdicts", "export", "--log", cls.log, "--outcomes")
        one, other = [r["id"] for r in told if r["type"] == "verdict"][:2]
        told += lines("inspect", CAPTURE, "--packets", "--evidence", proofs)
        proof = next(proofs.iterdir())
        told += lines("verdicts", "replay", proof)
        proof.rename(proofs / f"{one}.pcapng")
        for verdict in (one, other):
            told += lines("verdicts", "show", "--log", cls.log, verdict)
        told += lines("verdicts", "stats", "--log", cls.log)
        told += lines("inspect", CAPTURE, "--streams")
        cls.told = {}
        for record in told:
            cls.told.setdefault(record["type"], []).append(dict(flat(record)))

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def test_each_type_is_documented(self):
        self.assertEqual(set(documented()) - OF_AN_APPLIANCE, set(self.told))

    def test_each_key_is_what_the_page_says(self):
        for kind, keys in documented().items():
            if kind in OF_AN_APPLIANCE:
                continue
            seen = set()
            for record in self.told[kind]:
                for key, what in record.items():
                    self.assertIn(key, keys, f"{kind}: {key} is not documented")
                    self.assertIn(what, keys[key].rstrip("?").split(" or "), f"{kind}: {key}")
                seen |= set(record)
                always = {key for key, what in keys.items() if not what.endswith("?")}
                self.assertEqual(always - set(record), set(), f"{kind}: not always there")
            missing = {key for key in set(keys) - seen if (kind, key) not in OF_AN_APPLIANCE}
            self.assertEqual(missing, set(), f"{kind}: documented, and never seen")

    def test_each_column_is_documented_in_its_place(self):
        page = pathlib.Path(PAGE).read_text()
        heads = re.findall(r"^    ([a-z_]+(?:,[a-z_]+)+)$", page[page.index("## CSV"):], re.M)

        def head(*arguments):
            return portcullis("verdicts", *arguments, "--log", self.log, "--format", "csv").splitlines()[0]
        entries, outcomes, stats = heads
        self.assertEqual(head("list"), entries)
        self.assertEqual(head("export"), entries)
        self.assertEqual(head("export", "--outcomes"), f"{entries},{outcomes}")
        self.assertEqual(head("stats"), stats)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
