#!/usr/bin/env bash
# What systemd thinks of the unit: that it reads it without a word, and how exposed it is; and
# that nothing in it leaves the wire cut.
#
#   verify.sh UNIT BINARY     BINARY stands in for /usr/bin/portcullis; 77 without systemd-analyze
set -euo pipefail

exposure_max=35   # Tenths; the unit runs as root with raw sockets, so 0 is out of reach.
command -v systemd-analyze >/dev/null || exit 77
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
unit=$folder/portcullis.service
sed "s|/usr/bin/portcullis|$(realpath "$2")|" "$1" > "$unit"

# Neither gets better by trying again, and RestartPreventExitStatus= knows of neither.
if grep -E '^(ExecStartPre|LoadCredential)=' "$1"; then
    echo "$1: that ends a start which is then tried again for nothing"
    exit 1
fi

# With a limit, a few crashes in a minute leave the wire cut until somebody comes.
if ! grep -qx 'StartLimitIntervalSec=0' "$1"; then
    echo "$1: systemd would give it up"
    exit 1
fi

said=$(systemd-analyze verify --man=no --recursive-errors=no "$unit" 2>&1) || { echo "$said"; exit 1; }
[ -z "$said" ] || { echo "$said"; exit 1; }
systemd-analyze security --offline=yes --no-pager --threshold=$exposure_max "$unit" | tail -1
