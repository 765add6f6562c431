# Shared by the scripts in tools/: where things are, what is installed, how to speak.
# Sourced, never run.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# Captures of which it is known what must be found in them.
replay_captures=("$root/tests/data/replay" "$root/../shared/captures/minecraft" "$root/../shared/captures/badline")

say() { printf '\n== %s\n' "$*" >&2; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }

need_root() { [ "$(id -u)" = 0 ] || die "needs root for $1: run it with sudo"; }

# Installs what tools/packages names and the machine lacks.
install_packages() {
    local wanted missing
    wanted=$(grep -v '^#' "$root/tools/packages")
    # Any node and npm will do: they only fetch the pinned node that the peers run on.
    command -v npm >/dev/null || wanted+=$'\nnodejs\nnpm'
    missing=$(comm -23 <(sort <<<"$wanted") \
        <(dpkg-query -W -f '${db:Status-Abbrev}${Package}\n' | sed -n 's/^ii //p' | sort))
    [ -n "$missing" ] || return 0
    need_root "installing packages"
    say "installing" $missing
    apt-get update -qq
    # Of packages with a service (prometheus) only the programs are wanted.
    local guard=/usr/sbin/policy-rc.d ours=
    if [ ! -e $guard ]; then
        printf '#!/bin/sh\nexit 101\n' > $guard
        chmod +x $guard
        ours=1
    fi
    local status=0
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null || status=$?
    [ -z "$ours" ] || rm -f $guard
    return $status
}

# The game servers and clients that tests talk to, as tests/e2e/package-lock.json pins them.
install_peers() {
    local stamp=$root/tests/e2e/node_modules/.portcullis-lock
    cmp -s "$root/tests/e2e/package-lock.json" "$stamp" 2>/dev/null && return 0
    say "installing game peers (npm)"
    (cd "$root/tests/e2e" && npm ci --silent --no-progress 2>/dev/null) || die "npm ci failed in tests/e2e"
    cp "$root/tests/e2e/package-lock.json" "$stamp"
}

# configure DIR [MESON OPTIONS...]
configure() {
    local dir=$1
    shift
    [ -f "$dir/build.ninja" ] && return 0
    if command -v ccache >/dev/null; then
        export CC="ccache ${CC:-gcc}" CXX="ccache ${CXX:-g++}"
    fi
    meson setup "$dir" "$root" "$@" >"$dir.log" 2>&1 || { tail -20 "$dir.log" >&2; die "meson setup failed"; }
    rm -f "$dir.log"
}

# reserve_hugepages COUNT: at least COUNT free 2 MB pages and a mounted hugetlbfs.
reserve_hugepages() {
    local pages=/sys/kernel/mm/hugepages/hugepages-2048kB
    local free
    free=$(cat $pages/free_hugepages)
    if [ "$free" -lt "$1" ]; then
        echo $(($(cat $pages/nr_hugepages) + $1 - free)) > $pages/nr_hugepages
        free=$(cat $pages/free_hugepages)
        [ "$free" -ge "$1" ] || die "only $free of $1 hugepages of 2 MB: free memory, or set vm.nr_hugepages at boot"
    fi
    grep -q ' hugetlbfs ' /proc/mounts || { mkdir -p /dev/hugepages && mount -t hugetlbfs none /dev/hugepages; }
}
