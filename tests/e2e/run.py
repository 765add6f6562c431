#!/usr/bin/env python3
"""The live tests: real servers and clients through a running appliance, in namespaces.  Needs root.

  run.py --binary build/apps/portcullis/portcullis [SCENARIO...]

A scenario is a function in scenarios.py; its docstring is the promise that it holds the appliance to.
"""

import argparse
import sys

import harness
import observed  # noqa: F401: adds its scenarios
import scenarios
import shadowland  # noqa: F401 - its scenario joins the others
import versions  # noqa: F401 - its scenario joins the others


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--binary", required=True)
    parser.add_argument("names", nargs="*", metavar="SCENARIO", help=", ".join(scenarios.all_of_them))
    options = parser.parse_args()
    return harness.play_all(scenarios.all_of_them, options.names, options.binary, lambda play, stage: play(stage))


if __name__ == "__main__":
    sys.exit(main())
