#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# set: full
# limit: 120
# families: 4 6
# Full NAT by members of a fleet: each has a pool of its own (node.pool), so that what servers answer comes
# back to the member that began the connection. First the pool is in the servers' network, where members
# answer ARP and ND for it; then in no network, and the edge has the routes that members announce.
. "$(dirname "$0")/lib.sh"
. "$TOP/tests/net/lib/fleet.sh"

VIP=198.51.100.81
N=400
FLEET_NODE='{"pool": [{"address": "10.10.2.1@", "link": "private"}]}'
FLEET_BFD=60
ROUTER_WORKERS=([lb1]=1 [lb2]=2)
SERVICES=("$(service echo tcp $VIP:7 fullnat rr 10.10.0.11:7 10.10.0.12:7)")

# sources SERVER POOL...: how many connections the server has from these addresses.
sources()
{
	local server=$1 a n=0
	shift
	for a; do n=$((n + $(on "$server" ss -Htn state established dst "$(bracketed "$a")" | wc -l))); done
	echo "$n"
}

# pool_spreads POOL-OF-LB1 POOL-OF-LB2: the servers see clients under both, and no other way.
pool_spreads()
{
	local one two
	one=$(($(sources server1 "$1") + $(sources server2 "$1")))
	two=$(($(sources server1 "$2") + $(sources server2 "$2")))
	is "connections under $1" $one -gt 50
	is "connections under $2" $two -gt 50
	is "connections under both" $((one + two)) -eq $N
}

# homes MEMBER: whether the edge has the route of its pool.
pool_at()
{
	[ "$(members_of "$1")" = "$2" ]
}

fleet_network 2 2 2
for i in 1 2; do
	ip -n "$NET-server$i" address del 198.51.100.81/32 dev lo
	echo_serve "server$i" tcp "10.10.0.1$i" 7
	fleet_config "$i" "${SERVICES[@]}"
	fleet_start "$i"
done
fleet_birds
fleet_becomes 30 $VIP "1 2"
hold_open $N $VIP:7
pool_spreads 10.10.2.11 10.10.2.12
is "connections that answer" "$(hold_answered)" -eq $N
fleet_at 1
is "addresses of the pool that lb1 announces" "$(rpc fleet.status | jq .homes)" -eq 1
is "VIPs that lb1 announces" "$(rpc fleet.status | jq .announced)" -eq 1

# Drained: the VIP goes, the pool stays. The connections of lb2 go on; those of lb1 meet a router that does
# not know them.
theirs=$(($(sources server1 10.10.2.12) + $(sources server2 10.10.2.12)))
ctl fleet drain > "$RUN/said"
fleet_becomes 5 $VIP "2"
wait_for 5 "lb1 announces its pool when drained" pool_at 10.10.2.11 1
is "connections that answer, lb1 drained" "$(hold_answered)" -eq "$theirs"
hold_close
fleet_at 1
ctl fleet undrain > "$RUN/said"
fleet_becomes 20 $VIP "1 2"

# A pool in no network, changed without a restart. Servers answer by the edge, whose route leads to the
# member's public port.
FLEET_NODE='{"pool": [{"address": "10.99.0.1@", "link": "private"}]}'
for i in 1 2; do
	fleet_config "$i" "${SERVICES[@]}"
	jq '.node.ports[0].source_check = "loose"' "$RUN/lb$i.json" > "$RUN/lb$i.json.new"
	mv "$RUN/lb$i.json.new" "$RUN/lb$i.json"
	fleet_at $i
	ctl config apply "$RUN/lb$i.json" > "$RUN/said"
	wait_for 10 "the edge has the pool of lb$i" pool_at "10.99.0.1$i" $i
	is "keys that wait for a restart, pool among them" "$(grep -c 'node.pool' <(sed -n '/restart/,$p' "$RUN/said"))" -eq 0
	# The check of sources is a key that waits for a restart.
	fleet_stop $i
	fleet_start $i
done
fleet_becomes 30 $VIP "1 2"
hold_open $N $VIP:7
pool_spreads 10.99.0.11 10.99.0.12
is "connections that answer, by routes" "$(hold_answered)" -eq $N

# A killed member takes its own connections with it, and no other.
theirs=$(($(sources server1 10.99.0.11) + $(sources server2 10.99.0.11)))
fleet_kill 2
fleet_becomes 10 $VIP "1"
is "connections that answer, lb2 killed" "$(hold_answered)" -eq "$theirs"
hold_close
fleet_at 1
doors_add_up
