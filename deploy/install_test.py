#!/usr/bin/env python3
"""What `meson install` leaves is enough: the unit's program is there, and finds its profiles and pipelines.

  install_test.py BUILD_DIR
"""

import pathlib
import re
import subprocess
import sys
import tempfile


def main():
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        done = subprocess.run(["meson", "install", "-C", sys.argv[1], "--no-rebuild", "--destdir", folder],
                              capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        assert not (root / "etc").exists(), "the operator's /etc is written to"
        unit = (root / "usr/lib/systemd/system/portcullis.service").read_text()
        programs = set(re.findall(r"^Exec\w+=(\S+)", unit, re.M))
        assert programs, "the unit runs nothing"
        for program in programs:
            assert (root / program[1:]).is_file(), f"the unit runs {program}, which is not installed"
        documents = re.search(r"^Documentation=file://(\S+)", unit, re.M)[1]
        assert (root / documents[1:]).is_file(), f"the unit names {documents}, which is not installed"
        # From a folder in which nothing of the source is; the program looks beside itself first.
        capture = pathlib.Path(__file__).parent.parent / "tests/data/replay/1.8.8-cheat-reach6.pcap"
        done = subprocess.run([root / "usr/bin/portcullis", "inspect", capture.resolve()],
                              capture_output=True, text=True, cwd=folder)
        assert done.returncode == 0 and "combat.reach" in done.stdout, done.stdout + done.stderr
        files = [str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()]
        strange = [name for name in files if not name.startswith("usr/") or name.endswith("_test.py")]
        assert not strange, f"installed, but of no use there: {strange}"
    print(f"{len(files)} files are enough")


if __name__ == "__main__":
    sys.exit(main())
