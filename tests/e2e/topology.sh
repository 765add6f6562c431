#!/usr/bin/env bash
# Two hosts and the wire between them:
#
#   players (10.88.0.1)  outside0 ── [appliance] ── inside0  servers (10.88.0.2)
#
#   topology.sh unlink|link NAME players|servers     pull that host's cable, and plug in a new one
#   topology.sh up|down NAME     namespaces NAME-players and NAME-servers; links NAMEo and NAMEi
#                                stay here, for the appliance to open
set -euo pipefail

action=$1 name=$2

down() {
    ip netns del "$name-players" 2>/dev/null || true
    ip netns del "$name-servers" 2>/dev/null || true
    ip link del "${name}o" 2>/dev/null || true
    ip link del "${name}i" 2>/dev/null || true
}

# host SIDE LINK ADDRESS: a namespace with one end of a veth pair in it.
host() {
    ip netns add "$name-$1"
    ip -n "$name-$1" link set lo up
    link "$@"
}

# link SIDE LINK ADDRESS: the veth pair of a namespace that is there.
link() {
    local space=$name-$1 link=$2 address=$3
    ip link add "$link" type veth peer name eth0 netns "$space"
    ip -n "$space" addr add "$address/24" dev eth0
    ip -n "$space" link set eth0 up
    # Frames must be as a cable would carry them: real checksums, no 64 KB segments.
    ethtool -K "$link" tx off rx off tso off gso off gro off >/dev/null
    ip netns exec "$space" ethtool -K eth0 tx off rx off tso off gso off gro off >/dev/null
    sysctl -qw "net.ipv6.conf.$link.disable_ipv6=1"
    ip link set "$link" up promisc on
    # Receive work on both cores: else a polling core starves the softirq that feeds it.
    echo 3 > "/sys/class/net/$link/queues/rx-0/rps_cpus"
}

case $action in
up)
    down
    trap down ERR
    host players "${name}o" 10.88.0.1
    host servers "${name}i" 10.88.0.2
    ;;
down)
    down
    ;;
unlink | link)
    case $3 in players) end=o address=10.88.0.1 ;; servers) end=i address=10.88.0.2 ;; esac
    if [ "$action" = link ]; then link "$3" "$name$end" "$address"; else ip link del "$name$end"; fi
    ;;
*)
    sed -n '2,8s/^# \{0,1\}//p' "$0"
    exit 2
    ;;
esac
