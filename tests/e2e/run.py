#!/usr/bin/env python3
"""The live tests: real servers and clients through a running appliance, in namespaces.  Needs root.

  run.py --binary build/apps/portcullis/portcullis [SCENARIO...]

A scenario is a function in scenarios.py; its docstring is the promise that it holds the appliance to.
"""

import argparse
import os
import signal
import sys
import time
import traceback

import harness
import observed  # noqa: F401: adds its scenarios
import scenarios
import shadowland  # noqa: F401 - its scenario joins the others
import versions  # noqa: F401 - its scenario joins the others


def main():
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # Ends as Ctrl-C does: tidied up.
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--binary", required=True)
    parser.add_argument("names", nargs="*", metavar="SCENARIO", help=", ".join(scenarios.all_of_them))
    options = parser.parse_args()
    if os.geteuid() != 0:
        print("SKIP live tests: they need root")
        print("0 passed, 0 failed, 1 skipped")
        return 0
    passed = failed = skipped = 0
    for name in options.names or scenarios.all_of_them:
        scenario = scenarios.all_of_them[name]
        began = time.time()
        print(f"-- {name}: {scenario.__doc__.split(chr(10))[0]}", flush=True)
        try:
            with harness.Stage(os.path.abspath(options.binary)) as stage:
                scenario(stage)
            passed += 1
            print(f"   holds ({time.time() - began:.0f} s)", flush=True)
        except harness.Skipped as why:
            skipped += 1
            print(f"SKIP {name}: {why}", flush=True)
        except harness.Failure as failure:
            failed += 1
            print(f"FAIL {name}: {failure}", flush=True)
        except Exception:  # A scenario that breaks has failed; the others still run.
            failed += 1
            print(f"FAIL {name}:\n{traceback.format_exc()}", flush=True)
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
