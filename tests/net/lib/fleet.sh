# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# A fleet: a router "edge" with BIRD (BGP, BFD, kernel multipath) in front of members lb1, lb2 ... that
# announce VIPs by BIRD. Sourced after lib.sh.
#
#	client1 -- edge --- switch "public" --- lb1, lb2 ...   192.0.2.1, 192.0.2.11 ...
#	            `------ switch "private" -- lb1, lb2 ..., server1 ...   10.10.0.1, 10.10.1.1 ..., 10.10.0.11 ...
#
# Clients are 203.0.113.101 ..., VIPs of 198.51.100.0/24. Servers have the VIPs on loopback and answer
# clients by the edge.
#
# Member i is router lbI: its namespaces, files and process are those of routers.sh.

. "$TOP/tests/net/lib/routers.sh"
. "$TOP/tests/net/lib/hold.sh"

FLEET_SIZE=0
# Keys of node.announce beside the table. Machines of tests let threads wait for long.
FLEET_ANNOUNCE='{"stuck": "5s"}'
# The multiplier of BFD: 3 as in config/fleet. A busy machine loses members by it.
FLEET_BFD=3
# Routing daemons go before what else the machine does, where it lets them: BFD counts milliseconds.
FLEET_PRIORITY=$(! chrt -f 10 true 2> /dev/null || echo "chrt -f 10")
# Keys of shared.ha beside the mode.
FLEET_HA='{}'
# true: they have encrypted control connections.
FLEET_MEMBERS=false
# What the node part of each says beside the rest; @ is the member's number.
FLEET_NODE='{}'
FLEET_ADDRESSES='[]'
# Of a member: the daemon that announces its VIPs (bird or frr), and the table.
declare -A FLEET_DAEMONS=() FLEET_TABLES=()

edge()
{
	on edge birdc -s "$RUN/bird-edge.ctl" "$@"
}

# fleet_network MEMBERS CLIENTS SERVERS
fleet_network()
{
	local i
	FLEET_SIZE=$1
	router_key "$RUN/fleet.key"
	switch_add public
	switch_add private
	switch_add clients
	ns_add edge
	leg_add edge clients clients 203.0.113.1/24
	leg_add edge public public 192.0.2.1/24
	leg_add edge private private 10.10.0.1/16
	forward_on edge
	on edge sysctl -qw net.ipv4.fib_multipath_hash_policy=1 net.ipv6.fib_multipath_hash_policy=1
	for ((i = 1; i <= $1; i++)); do router_legs "lb$i"; done
	for ((i = 1; i <= $2; i++)); do
		ns_add "client$i"
		leg_add "client$i" eth0 clients "203.0.113.$((100 + i))/24"
		ip -n "$NET-client$i" route add default via 203.0.113.1
	done
	for ((i = 1; i <= $3; i++)); do fleet_server "$i"; done
}

# fleet_server I: with the VIPs 198.51.100.80 and 198.51.100.81.
fleet_server()
{
	local vip
	ns_add "server$1"
	leg_add "server$1" private private "10.10.0.$((10 + $1))/16"
	on "server$1" sysctl -qw net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2
	for vip in 198.51.100.80 198.51.100.81; do
		ip -n "$NET-server$1" address add $vip/32 dev lo
	done
	ip -n "$NET-server$1" route add default via 10.10.0.1
}

# adopting SERVICE-JSON [MORE-JSON]: the service as a fleet wants it.
adopting()
{
	jq -c --argjson more "${2:-{\}}" \
		'. + {adopt: true, scheduler: "mh", scheduler_flags: ["port"], mh_slots: 4093} + $more' \
		<<< "$1"
}

# fleet_config MEMBER SERVICE-JSON...
fleet_config()
{
	local i=$1
	shift
	# shellcheck disable=SC2016 # variables of jq
	printf '%s\n' "$@" | router_config "lb$i" "192.0.2.1$i" "10.10.1.$i" \
		'.node.ports[0].linux.routes = ["default via 192.0.2.1"] |
		 .node += {ledger: {enabled: false}, announce: ({table: $table} + $announce)} |
		 .shared = {addresses: $addresses, services: $services, ha: ({mode: "fleet"} + $ha)} |
		 if $members then
			.node.control.fleet = "\($public):7696" |
			.node.control.change = {socket: "\($socket).change"} |
			.node.ha = {key_file: $key} |
			.shared.ha.members = [range(1; $size + 1) |
				{name: "lb\(.)", address: "192.0.2.1\(.):7696"}]
		 else . end | .node *= $node' \
		--argjson announce "$FLEET_ANNOUNCE" --argjson ha "$FLEET_HA" --argjson size "$FLEET_SIZE" \
		--arg key "$RUN/fleet.key" --argjson node "${FLEET_NODE//@/$i}" \
		--argjson addresses "$FLEET_ADDRESSES" --argjson table "${FLEET_TABLES[$i]:-7690}" \
		--argjson members "$FLEET_MEMBERS"
}

fleet_at()
{
	router_at "lb$1"
}

# fleet_start MEMBER...
fleet_start()
{
	routers_start "${@/#/lb}"
}

# fleet_birds: the edge's and the members' routing daemons, by the files of config/fleet.
# shellcheck disable=SC2086 # words of FLEET_PRIORITY
fleet_birds()
{
	local i
	sed -e '/^protocol bgp lb/d' "$TOP/config/fleet/bird-edge.conf" > "$RUN/bird-edge.conf"
	for ((i = 1; i <= FLEET_SIZE; i++)); do
		echo "protocol bgp lb$i from member$FAMILY { neighbor $(inet "192.0.2.1$i") as 65010; }" \
			>> "$RUN/bird-edge.conf"
		sed -e "s/192\.0\.2\.11/192.0.2.1$i/; s/:2:11/:2:1$i/" \
			"$TOP/config/fleet/bird-member.conf" > "$RUN/bird-lb$i.conf"
	done
	sed -i "s/multiplier 3/multiplier $FLEET_BFD/" "$RUN"/bird-edge.conf "$RUN"/bird-lb*.conf
	on_background edge bird-edge $FLEET_PRIORITY bird -f -c "$RUN/bird-edge.conf" -s "$RUN/bird-edge.ctl" \
		-P "$RUN/bird-edge.bpid"
	for ((i = 1; i <= FLEET_SIZE; i++)); do "fleet_${FLEET_DAEMONS[$i]:-bird}" "$i"; done
}

# shellcheck disable=SC2086
fleet_bird()
{
	on_background "linux-lb$1" "bird-lb$1" $FLEET_PRIORITY bird -f -c "$RUN/bird-lb$1.conf" \
		-s "$RUN/bird-lb$1.ctl" -P "$RUN/bird-lb$1.bpid"
}

# fleet_frr MEMBER: zebra, bgpd and bfdd by the file of config/fleet, with sockets and process ids of their own.
fleet_frr()
{
	local i=$1 dir=$RUN/frr-lb$1 daemon options
	mkdir -p "$dir"
	chmod 755 "$RUN"
	chown frr:frr "$dir"
	sed -e "s/192\.0\.2\.11/192.0.2.1$i/; s/detect-multiplier .*/detect-multiplier $FLEET_BFD/" \
		"$TOP/config/fleet/frr-member.conf" > "$dir/frr.conf"
	for daemon in zebra bgpd bfdd; do
		options=(-f /dev/null -i "$dir/$daemon.pid" -z "$dir/zserv.api" --vty_socket "$dir" -P 0 -u frr -g frr)
		[ $daemon != bfdd ] || options+=(--bfdctl "$dir/bfdd.sock")
		on_background "linux-lb$i" "$daemon-lb$i" "/usr/lib/frr/$daemon" "${options[@]}" --log stdout
		wait_for 10 "$daemon of lb$i runs" test -S "$dir/$daemon.vty"
	done
	fleet_vtysh "$i" -f "$dir/frr.conf" > "$RUN/said" || fail "FRR: $(cat "$RUN/said")"
}

fleet_vtysh()
{
	local i=$1
	shift
	on "linux-lb$i" vtysh --vty_socket "$RUN/frr-lb$i" "$@"
}

# fleet_bfd MULTIPLIER: BFD waits for so many times 50 ms, at the edge and the members. A machine that
# stands still for longer loses all members at once.
fleet_bfd()
{
	local file name
	for file in "$RUN"/bird-edge.conf "$RUN"/bird-lb*.conf; do
		name=${file##*/bird-} name=${name%.conf}
		sed -i "s/multiplier [0-9]*/multiplier $1/" "$file"
		birdc -s "$RUN/bird-$name.ctl" configure > "$RUN/said" || fail "BIRD: $(cat "$RUN/said")"
	done
}

# members_of VIP: the members by which the edge reaches the VIP, as "1 2 4".
members_of()
{
	ip -n "$NET-edge" "-$FAMILY" -j route show "$1/32" |
		jq -r '[.[] | (.nexthops // [.])[] | .gateway // empty |
			sub("^.*[.:]1"; "") | tonumber] | sort | join(" ")'
}

members_are()
{
	[ "$(members_of "$1")" = "$2" ]
}

# fleet_becomes SECONDS VIP MEMBERS
fleet_becomes()
{
	local end=$((SECONDS + $1))
	until members_are "$2" "$3"; do
		if [ $SECONDS -ge $end ]; then
			fleet_look >&"$ERRORS" 2>&1 || true
			fail "not within $1 s: the edge reaches $2 by members \"$3\" (is \"$(members_of "$2")\")"
		fi
		pause 0.05
	done
}

# Of each station what it says about announcing, for a test that fails.
fleet_look()
{
	local i
	edge show protocols all
	edge show bfd sessions
	for ((i = 1; i <= FLEET_SIZE; i++)); do
		echo "--- lb$i"
		fleet_at "$i"
		ctl fleet show
		ip -n "$NET-linux-lb$i" "-$FAMILY" route show table "${FLEET_TABLES[$i]:-7690}"
		[ ! -e "$RUN/frr-lb$i" ] || fleet_vtysh "$i" -c "show ip route" -c "show bgp summary" -c "show bfd peers"
		[ ! -e "$RUN/bird-lb$i.ctl" ] || birdc -s "$RUN/bird-lb$i.ctl" show protocols all
	done
}

fleet_kill()
{
	router_kill "lb$1"
}

# fleet_stop MEMBER [SECONDS]: SIGTERM; status 0.
fleet_stop()
{
	router_stop "lb$1" "${2:-30}"
}

fleet_end()
{
	local i names=()
	[ ! -e "$RUN/hold.in" ] || hold_close
	for ((i = 1; i <= FLEET_SIZE; i++)); do names+=("lb$i"); done
	routers_end "${names[@]}"
}
at_exit fleet_end

# --- connections by direct routing --------------------------------------------------------------

# fleet_ready MEMBERS SERVERS [MORE-JSON]: they run, and the edge reaches 198.51.100.80 by all of them. The
# service: TCP port 7 by direct routing, adopted.
fleet_ready()
{
	local i list=() all
	fleet_network "$1" 2 "$2"
	for ((i = 1; i <= $2; i++)); do
		list+=("10.10.0.$((10 + i)):7")
		echo_serve "server$i" tcp 198.51.100.80 7
		echo_serve "server$i" udp 198.51.100.80 7
	done
	FLEET_SERVICES=("$(adopting "$(service echo tcp 198.51.100.80:7 dr mh "${list[@]}")" "${3:-{\}}")"
		"$(adopting "$(service ask udp 198.51.100.80:7 dr mh "${list[@]}")")")
	for ((i = 1; i <= $1; i++)); do
		fleet_config "$i" "${FLEET_SERVICES[@]}"
		fleet_start "$i"
	done
	fleet_birds
	all=$(seq -s ' ' 1 "$1")
	fleet_becomes 30 198.51.100.80 "$all"
}

# A number of worker counters of a member, over its workers.
fleet_counter()
{
	fleet_at "$1"
	rpc counter.list | jq "[.workers[].counters.$2] | add // 0"
}

# probe_start LABEL CLIENT [FLOWS]: a numbered datagram each millisecond to 198.51.100.80:7.
probe_start()
{
	on_background "$2" "$1" "$PROBE" udp-ask 198.51.100.80:7 --count 1000000 --rate 1000 \
		--flows "${3:-1}"
}

# probe_count LABEL CLIENT COUNT: the same over 16 flows, so many datagrams; background_wait LABEL waits
# for the last answers.
probe_count()
{
	on_background "$2" "$1" "$PROBE" udp-ask 198.51.100.80:7 --count "$3" --rate 1000 --flows 16
}

# probe_end LABEL: its longest gap in ms, once the last answers have come. What was lost is in $RUN/LABEL.log.
probe_end()
{
	local pid
	pid=$(cat "$RUN/$1.pid")
	kill -USR2 "$pid"
	# Also in a subshell, whose child the probe is not.
	timeout 20 tail --pid="$pid" -f /dev/null || fail "the probe $1 does not end"
	jq -e .longest_gap_ms "$RUN/$1.log" || fail "$1: $(cat "$RUN/$1.log")"
}

# probe_carrier: the member by which the one flow of a probe goes.
probe_carrier()
{
	local i best=0 most=0 before=() now
	for ((i = 1; i <= FLEET_SIZE; i++)); do before[i]=$(fleet_counter "$i" lookups); done
	pause 0.5
	for ((i = 1; i <= FLEET_SIZE; i++)); do
		now=$(($(fleet_counter "$i" lookups) - before[i]))
		if [ $now -gt $most ]; then most=$now best=$i; fi
	done
	[ $best -gt 0 ] || fail "no member forwards the probe"
	echo "$best"
}
