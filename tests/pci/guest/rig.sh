# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# In the guest: the network of tests/net/lib.sh around the NICs of machine/boot, a table of results,
# and the checks that all kinds of devices share. Sourced.

# shellcheck source=tests/net/lib.sh
. "$PLVS_TOP/tests/net/lib.sh"
mkdir -p "$RUN"
PCI=$TOP/tests/pci/guest
table=/out/table
worst=0

# An emulated CPU is slow: times of lib.sh are for real ones.
eval "$(declare -f wait_for | sed '1s/wait_for/wait_for_real/')"
wait_for()
{
	local limit=$1
	shift
	wait_for_real $((limit * 6)) "$@"
}

timeout()
{
	command timeout $(($1 * 6)) "${@:2}"
}

# row WHAT RESULT: a line of the table.
row()
{
	printf '%-46s %s\n' "$1" "$2" | tee -a "$table"
}

# words TEXT: what the row of the check says beside "ok".
words()
{
	echo "$*" > "$RUN/words"
}

# check WHAT FUNCTION [ARGUMENT...]: a row with "ok" or FAILED. The script goes on.
check()
{
	local what=$1 begin=$SECONDS status
	shift
	: > "$RUN/words"
	echo "--- $what"
	# In a shell of its own, so that a failure ends the check alone. No "if" around: -e is to hold.
	set +e
	(set -e; "$@")
	status=$?
	set -e
	if [ $status -eq 0 ]; then
		row "$what" "ok$(sed 's/^/: /' "$RUN/words")"
	else
		worst=1
		row "$what" "FAILED$(sed 's/^/: /' "$RUN/words")"
		tail -15 "$RUN/plvs.log" 2> /dev/null || true
	fi
	echo "    $((SECONDS - begin)) s"
}

# end: the exit status of the script.
end()
{
	exit $worst
}

# dut N: the PCI address of the Nth NIC under test.
dut()
{
	echo "0000:01:00.$1"
}

driver_of()
{
	basename "$(readlink "/sys/bus/pci/devices/$1/driver")"
}

# monitor COMMAND: to QEMU.
monitor()
{
	# The empty line ends what the firmware may have written: QEMU took the first command for a part of it.
	printf '\n%s\n' "$1" > /dev/ttyS1
}

# interface_of BYTE BYTE: the interface with the MAC 02:00:00:00:XX:YY.
interface_of()
{
	local found
	found=$(grep -lx "02:00:00:00:$1:$2" /sys/class/net/*/address) || return 1
	basename "$(dirname "$found")"
}

interfaces_there()
{
	interface_of 01 00 && interface_of 01 01 && interface_of 02 00 && interface_of 02 01
}

# A host without udev: modules of the NICs, and what the network needs.
machine_ready()
{
	local m
	ip link set lo up
	for m in virtio_net e1000e vmxnet3 igb tun bridge veth 8021q; do modprobe "$m"; done
	wait_for 5 "the NICs have interfaces" interfaces_there
}

# pci_network CLIENTS SERVERS: two switches, each with a cable to a NIC under test.
pci_network()
{
	local i=0 name
	ns_add linux
	ns_add dpdk
	for name in public private; do
		switch_add $name
		ip link set dev "$(interface_of 02 0$i)" name "wire$i" netns "$NET-wire"
		ip -n "$NET-wire" link set dev "wire$i" mtu 9000 master $name up
		i=$((i + 1))
	done
	for ((i = 1; i <= $1; i++)); do client_add "$i"; done
	for ((i = 1; i <= $2; i++)); do
		server_add "$i"
		server_add_direct "$i" 192.0.2.90
	done
}

services_config()
{
	plvs_config "$(service web tcp 192.0.2.80:80 nat rr 10.10.0.11:80 10.10.0.12:80)" \
		"$(service tagged tcp 198.18.30.80:80 nat rr 10.10.0.11:80 10.10.0.12:80)" \
		"$(service direct tcp 192.0.2.90:80 dr rr 192.0.2.11:80 192.0.2.12:80)" \
		"$(service numbers udp 192.0.2.80:7000 nat rr 10.10.0.11:7000)"
}

servers_start()
{
	web_start server1
	web_start server2
	on_background server1 datagrams "$PCI/datagrams.py" serve 10.10.0.11 7000
	wait_for 10 "the echo server runs" grep -q ready "$RUN/datagrams.log"
}

# ports JQ: what the ports say of a thing, each answer once.
ports()
{
	ctl --json port list | jq -r "[.ports[]$1 | tostring] | unique | join(\", \")"
}

# queues RECEIVE [RSS]: the table has both; without RSS only the queues are held.
queues()
{
	ctl port list
	words "$(ctl --json port list | jq -r '[.ports[] | "\(.rx_queues) of \(.queues_asked) queues, RSS \(.rss)"] | unique | join("; ")')"
	is "queues" "$(ports .rx_queues)" = "$1"
	[ -z "${2:-}" ] || is "RSS" "$(ports .rss)" = "$2"
}

# answers VIP COUNT SERVERS: so many requests are answered, by so many servers.
answers()
{
	web_ask client1 "$1" "$2" > "$RUN/answers"
	is "answers of $1" "$(wc -l < "$RUN/answers")" -eq "$2"
	is "servers" "$(sort -u "$RUN/answers" | wc -l)" -eq "$3"
}

# spreads WORKERS: requests from many ports are received by so many workers, and all are answered.
spreads()
{
	answers 192.0.2.80 40 2
	words "$(rpc counter.list | jq -r '[.workers[].counters.received | tostring] | join(", ")') frames"
	is "workers that received" "$(counted '[.workers[] | select(.counters.received > 10)] | length')" -ge "$1"
}

# 4 MiB of a file, by NAT.
bulk_crosses()
{
	local begin
	begin=$(date +%s%3N)
	is "bytes" "$(on client1 curl -sS -m 120 -r 0-4194303 -o /dev/null -w '%{size_download}' http://192.0.2.80/big)" -eq 4194304
	words "4 MiB in $(($(date +%s%3N) - begin)) ms on an emulated CPU"
}

pings()
{
	on client1 ping -q -c 3 -i 0.3 -W 2 "$1" | sed -n 's/.* \([0-9]*\) received.*/\1/p'
}

# VLAN 30 on the public port, made by an administrator while plvs runs: the router's address there,
# a service that clients of the VLAN reach, and untagged traffic beside.
vlan_works()
{
	local ns=$NET-client1
	ip -n "$NET-linux" link add link public name public.30 type vlan id 30
	ip -n "$NET-linux" address add 198.18.30.10/24 dev public.30
	ip -n "$NET-linux" link set dev public.30 up
	ip -n "$ns" link add link eth0 name eth0.30 type vlan id 30
	ip -n "$ns" address add 198.18.30.101/24 dev eth0.30
	ip -n "$ns" link set dev eth0.30 up
	wait_for 10 "the router answers in VLAN 30" on client1 ping -q -c 1 -W 1 198.18.30.10
	answers 198.18.30.80 10 2
	answers 192.0.2.80 10 2
	# Taken away, the VLAN is deaf.
	ip -n "$NET-linux" link delete public.30
	is "answers to ping without the interface" "$(pings 198.18.30.10)" -eq 0
	ip -n "$ns" link delete eth0.30
}

# When the log says so, in ms since 1970.
link_said()
{
	date -d "$(grep "port public: link is $1" "$RUN/plvs.log" | tail -1 | cut -d ' ' -f 1)" +%s%3N
}

carrier_is()
{
	[ "$(ip -n "$NET-linux" -j link show dev public | jq '.[0].flags | index("LOWER_UP") != null')" = "$1" ]
}

links_are()
{
	[ "$(ports .link_up)" = "$1" ]
}

# A cable pulled and put back: the link, the carrier of the TAP, and traffic afterwards.
cable_pulled()
{
	local begin
	links_are true
	begin=$(date +%s%3N)
	monitor "set_link nic0 off"
	wait_for 5 "plvs sees the link down" links_are "false, true"
	words "seen after $(($(link_said down) - begin)) ms"
	wait_for 5 "the TAP has no carrier" carrier_is false
	monitor "set_link nic0 on"
	wait_for 10 "plvs sees the link up" links_are true
	wait_for 5 "the TAP has its carrier" carrier_is true
	answers 192.0.2.80 10 2
}

# packets_cross MTU: hosts at both ends take packets of that size, the router answers such a ping, and
# NAT carries them both ways.
packets_cross()
{
	local mtu=$1 i
	is "MTU of the ports" "$(ports .mtu)" -eq "$mtu"
	for i in public private $(ip -n "$NET-wire" -o link show type veth | sed 's/^[0-9]*: \([^@:]*\).*/\1/'); do
		ip -n "$NET-wire" link set dev "$i" mtu 9000
	done
	ip -n "$NET-client1" link set dev eth0 mtu "$mtu"
	ip -n "$NET-server1" link set dev private mtu "$mtu"
	wait_for 10 "a ping of $mtu bytes" on client1 ping -q -c 2 -M "do" -W 1 -s $((mtu - 28)) 192.0.2.10
	is "datagrams of $mtu bytes that came back by NAT" \
		"$(on client1 "$PCI/datagrams.py" ask 192.0.2.80 7000 $((mtu - 28)) 20)" -ge 19
}
