# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Networks of namespaces with plvs in the middle, for tests and for the demo.
#
#	client1 ... --+                          +-- server1 ...
#	              | switch         switch    |
#	host ---------+ "public"       "private" +
#	              |                          |
#	            [public]      plvs      [private]     namespace "dpdk": the ends DPDK owns
#	             TAP                      TAP         namespace "linux": the router's Linux side
#
# The two sides of plvs are apart because the kernel still sees what af_packet reads: in one
# namespace with the TAPs it would answer everything a second time.
#
# A script is written with addresses of IPv4 and runs for IPv6 as well if its head says
# "# families: 4 6": tests/run then runs it twice, the second time with PLVS_FAMILY=6. Whatever a
# script gives to `on`, `on_background`, `ip`, `capture_start`, to the configuration and to the
# functions of lib/ then means addresses of IPv6. What it looks for in outputs it passes through
# `inet`.
#
# A script sources this file and gets a prefix ($NET) for its namespaces, a directory ($RUN)
# for its files, and a trap that takes both away however it ends.

set -euo pipefail

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
BUILD=${PLVS_BUILD:-$TOP/build}
NET=${PLVS_NET:-plvs$$}
RUN=${PLVS_RUN:-$(mktemp -d "${TMPDIR:-/tmp}/$NET.XXXXXX")}
CPUS=$(nproc)
# The first of the CPUs of a router: tests that run side by side begin at different ones.
CPU=${PLVS_CPU:-0}
FAMILY=${PLVS_FAMILY:-4}
PROBE=$BUILD/tests/net/probe
PLVS_PID=
NET_LEGS=0
# on: hosts leave checksums and the cutting into segments to veth, as they do by default.
NET_OFFLOADS=${NET_OFFLOADS:-off}

# shellcheck source=tests/net/lib/plvs.sh
. "$TOP/tests/net/lib/plvs.sh"
# shellcheck source=tests/net/lib/traffic.sh
. "$TOP/tests/net/lib/traffic.sh"

note()
{
	echo "  $*"
}

# Also from where standard error goes elsewhere, as inside wait_for.
exec {ERRORS}>&2
fail()
{
	echo "FAILED: $*" >&"$ERRORS"
	exit 1
}

# is WHAT ACTUAL OPERATOR EXPECTED: an assertion on integers (-eq -ge ...) or strings (= !=).
is()
{
	if test "$2" "$3" "$4"; then
		note "$1: $2"
	else
		fail "$1: is '$2', should be $3 '$4'"
	fi
}

# pause SECONDS, without a process: tests do it many times a second.
exec {NEVER}<> <(:)
pause()
{
	read -rt "$1" -u "$NEVER" || true
}

# wait_for SECONDS WHAT COMMAND...: polls until the command succeeds.
wait_for()
{
	local limit=$1 what=$2 end
	shift 2
	end=$((SECONDS + limit))
	until "$@" > "$RUN/wait.log" 2>&1; do
		if [ $SECONDS -ge $end ]; then
			tail -5 "$RUN/wait.log" >&2
			fail "not within $limit s: $what"
		fi
		pause 0.05
	done
}

# --- Families ---------------------------------------------------------------------------

# Reads a text, and writes it with each address A.B.C.D as 2001:db8:A:B::C:D (parts that are 0 left
# out), /16, /24 and /32 as /64, /112 and /128, and ports behind brackets.
inet_filter()
{
	local q='([0-9]{1,3})\.([0-9]{1,3})\.([0-9]{1,3})\.([0-9]{1,3})'
	if [ "$FAMILY" = 4 ]; then
		cat
		return
	fi
	sed -E -e "s#\\b$q/32\\b#\1.\2.\3.\4/128#g; s#\\b$q/24\\b#\1.\2.\3.\4/112#g" \
		-e "s#\\b$q/16\\b#\1.\2.\3.\4/64#g" \
		-e "s#://$q([:/])#://[\1.\2.\3.\4]\5#g" \
		-e "s#\\b$q:([0-9]+)#[\1.\2.\3.\4]:\5#g" \
		-e "s#\\b$q\\b#2001:db8:\1:\2::\3:\4#g" \
		-e 's#(2001:db8:[0-9]+):0::#\1::#g; s#(2001:db8:[0-9:]+)::0:#\1::#g' \
		-e 's#(2001:db8:[0-9:]+::)0([^0-9:]|$)#\1\2#g'
}

# inet TEXT...: the same of a text.
inet()
{
	if [ "$FAMILY" = 4 ]; then
		echo "$*"
	else
		inet_filter <<< "$*"
	fi
}

# bracketed ADDRESS: as programs want it that take it in brackets.
bracketed()
{
	if [ "$FAMILY" = 4 ]; then echo "$1"; else echo "[$(inet "$1")]"; fi
}

# asks_for ADDRESS...: what nftables matches of ARP requests and solicitations for these addresses.
asks_for()
{
	local a b c d list=
	if [ "$FAMILY" = 4 ]; then
		list=$(printf ', %s' "$@")
		echo "arp operation request arp daddr ip { ${list#, } }"
		return
	fi
	while IFS=. read -r a b c d; do
		list+=$(printf ', 0x20010db8%04d%04d00000000%04d%04d' "$a" "$b" "$c" "$d")
	done < <(printf '%s\n' "$@")
	echo "icmpv6 type nd-neighbor-solicit @th,64,128 { ${list#, } }"
}

# Sets ARGS to the arguments with addresses of the family.
args_of_family()
{
	local a
	ARGS=()
	for a; do
		case $FAMILY$a in 6*[0-9].[0-9]*.[0-9]*.[0-9]*) a=$(inet "$a") ;; esac
		ARGS+=("$a")
	done
}

ip()
{
	local ARGS
	args_of_family "$@"
	command ip "${ARGS[@]}"
}

# --- Namespaces, switches, legs ---------------------------------------------------------

ns_add()
{
	local ns=$NET-$1
	ip netns add "$ns"
	echo "$ns" >> "$RUN/namespaces"
	local off=1
	# Interfaces of DPDK have no addresses, and bridges need none. Addresses of hosts are used at once.
	if [ "$FAMILY" = 6 ]; then
		case $1 in dpdk* | wire) ;; *) off=0 ;; esac
	fi
	ip netns exec "$ns" sysctl -qw net.ipv6.conf.all.disable_ipv6=$off \
		net.ipv6.conf.default.disable_ipv6=$off net.ipv6.conf.default.accept_dad=0 \
		net.ipv6.conf.default.accept_ra=0 net.ipv4.conf.all.rp_filter=0 \
		net.ipv4.conf.default.rp_filter=0 net.ipv4.ip_local_port_range="10000 65000"
	ip -n "$ns" link set lo up
}

# both_families HOST...: hosts with addresses of IPv6 beside those of IPv4.
both_families()
{
	local host
	for host; do
		on "$host" sysctl -qw net.ipv6.conf.all.disable_ipv6=0 net.ipv6.conf.default.disable_ipv6=0
	done
}

# forward_on NAMESPACE: it is a router.
forward_on()
{
	if [ "$FAMILY" = 4 ]; then
		on "$1" sysctl -qw net.ipv4.ip_forward=1
	else
		on "$1" sysctl -qw net.ipv6.conf.all.forwarding=1
	fi
}

# on NAMESPACE COMMAND...
on()
{
	local ns=$NET-$1 ARGS
	shift
	args_of_family "$@"
	command ip netns exec "$ns" "${ARGS[@]}"
}

# Runs a command in the background of a namespace; its output goes to $RUN/LABEL.log and
# its process id to $RUN/LABEL.pid.
on_background()
{
	local ns=$NET-$1 label=$2 ARGS
	shift 2
	args_of_family "$@"
	command ip netns exec "$ns" "${ARGS[@]}" > "$RUN/$label.log" 2>&1 < /dev/null &
	echo $! > "$RUN/$label.pid"
}

# background_stop LABEL [SIGNAL]: ends it and gives its exit status.
background_stop()
{
	local pid
	pid=$(cat "$RUN/$1.pid")
	kill "-${2:-TERM}" "$pid" 2> /dev/null || true
	wait "$pid"
}

background_wait()
{
	wait "$(cat "$RUN/$1.pid")"
}

# A switch is a bridge in the namespace "wire".
switch_add()
{
	if [ ! -e "/run/netns/$NET-wire" ]; then
		ns_add wire
		# Where bridges pass netfilter they drop what is malformed before plvs sees it.
		on wire sysctl -qew net.bridge.bridge-nf-call-iptables=0
	fi
	ip -n "$NET-wire" link add name "$1" type bridge forward_delay 0 mcast_snooping 0
	ip -n "$NET-wire" link set dev "$1" up
}

# leg_add NAMESPACE INTERFACE SWITCH [ADDRESS/LENGTH]: a cable from a host to a switch.
leg_add()
{
	local ns=$NET-$1 if=$2 port
	NET_LEGS=$((NET_LEGS + 1))
	port=port$NET_LEGS
	# A single queue: net_af_xdp needs it, and for all others it is as good as many.
	ip link add name "$if" netns "$ns" numtxqueues 1 numrxqueues 1 type veth \
		peer name "$port" netns "$NET-wire" numtxqueues 1 numrxqueues 1
	ip -n "$NET-wire" link set dev "$port" master "$3" up
	# veth would hand on packets with unfinished checksums, which most drivers of DPDK take as
	# they are.
	[ "$NET_OFFLOADS" = on ] || ip netns exec "$ns" ethtool -K "$if" tx off > /dev/null 2>&1
	ip -n "$ns" link set dev "$if" up
	[ -z "${4:-}" ] || ip -n "$ns" address add "$4" dev "$if"
}

mac_of()
{
	ip -n "$NET-$1" -j link show dev "$2" | jq -r '.[0].address'
}

# --- The usual network: two switches, clients, servers ----------------------------------

# Addresses: clients 192.0.2.101..., servers 10.10.0.11... and, for direct routing,
# 192.0.2.11...; the router's own 192.0.2.10 and 10.10.0.2; VIPs as the services say.
GATEWAY=10.10.255.254

client_add()
{
	ns_add "client$1"
	leg_add "client$1" eth0 public "192.0.2.$((100 + $1))/24"
}

server_add()
{
	local ns=server$1
	ns_add "$ns"
	leg_add "$ns" private private "10.10.0.$((10 + $1))/16"
	ip -n "$NET-$ns" route add default via $GATEWAY
}

# server_add_direct N VIP: a public leg and the VIP on loopback, where it is never
# announced. What comes in by the private leg still leaves by it.
server_add_direct()
{
	leg_add "server$1" public public "192.0.2.$((10 + $1))/24"
	server_vip "$1" "$2"
}

# server_vip N VIP: of server_add_direct what has addresses.
server_vip()
{
	local ns=server$1
	on "$ns" sysctl -qw net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2
	ip -n "$NET-$ns" address add "$2/32" dev lo
	ip -n "$NET-$ns" "-$FAMILY" rule add from 10.10.0.0/16 lookup 10
	ip -n "$NET-$ns" route add default via $GATEWAY table 10
}

# network_two_armed CLIENTS SERVERS
network_two_armed()
{
	local i
	switch_add public
	switch_add private
	ns_add linux
	ns_add dpdk
	for ((i = 1; i <= $1; i++)); do client_add "$i"; done
	for ((i = 1; i <= $2; i++)); do server_add "$i"; done
	leg_add dpdk public public
	leg_add dpdk private private
	plvs_port public '{"addresses": ["192.0.2.10/24"]}'
	plvs_port private '{"addresses": ["10.10.0.2/16"]}'
}

# --- The end ----------------------------------------------------------------------------

namespace_end()
{
	local pids
	[ -e "/run/netns/$1" ] || return 0
	pids=$(ip netns pids "$1")
	# shellcheck disable=SC2086
	[ -z "$pids" ] || kill -KILL $pids 2> /dev/null || true
	ip netns delete "$1"
}

network_end()
{
	local ns
	set +e
	# Processes that a script before this one left, if any.
	[ -n "$PLVS_PID" ] || PLVS_PID=$(cat "$RUN/plvs.pid" 2> /dev/null)
	if [ -n "$PLVS_PID" ] && kill -0 "$PLVS_PID" 2> /dev/null; then
		kill -TERM "$PLVS_PID"
		timeout 10 tail --pid="$PLVS_PID" -f /dev/null
	fi
	if [ -e "$RUN/namespaces" ]; then
		while read -r ns; do namespace_end "$ns"; done < "$RUN/namespaces"
	fi
	wait 2> /dev/null
	rm -rf "/var/run/dpdk/$NET"
}

# at_exit FUNCTION: runs before the namespaces go, however the test ends; the last one first. What it returns
# changes nothing.
AT_EXIT=()
at_exit()
{
	AT_EXIT=("$1" "${AT_EXIT[@]}")
}

on_exit()
{
	local status=$? each
	trap - EXIT
	trap '' INT TERM
	set +e
	for each in "${AT_EXIT[@]}"; do "$each"; done
	network_end 2> /dev/null
	if [ $status -ne 0 ] && [ -e "$RUN/plvs.log" ]; then
		echo "--- the end of plvs.log" >&"$ERRORS"
		tail -25 "$RUN/plvs.log" >&"$ERRORS"
	fi
	rm -rf "$RUN"
	exit $status
}

trap on_exit EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
