#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# set: full
# limit: 150
# lb1 and lb2 are a pair and one member of the fleet, lb3 is another. The active router of the pair announces.
. "$(dirname "$0")/lib.sh"
. "$TOP/tests/net/lib/fleet.sh"

VIP=198.51.100.80
N=600
FLEET_BFD=60
FLEET_MEMBERS=true
FLEET_HA='{"keepalive": "200ms", "deadtime": "2s", "start_delay": "1s", "failback": "manual", "grace": "1s"}'
FULLNAT=198.51.100.81

# pair_node I: what makes lb1 or lb2 one of the pair.
pair_node()
{
	local other=$((3 - $1)) role=primary
	[ "$1" = 1 ] || role=backup
	jq -nc --arg i "$1" --arg o "$other" --arg role $role --arg key "$RUN/fleet.key" '
		{ha: {role: $role, priority: (300 - ($i | tonumber) * 100), key_file: $key,
		      paths: [{name: "public", local: "192.0.2.1\($i)", peer: "192.0.2.1\($o)"},
			      {name: "private", local: "10.10.1.\($i)", peer: "10.10.1.\($o)"}]},
		 pool: [{address: "10.10.2.1", link: "private"}]}'
}

state_is()
{
	fleet_at "$1"
	[ "$(rpc ha.status | jq -r .state)" = "$2" ]
}

synchronised()
{
	fleet_at "$1"
	rpc ha.status | jq -e .sync.synchronised
}

fleet_network 3 2 2
for i in 1 2; do
	echo_serve "server$i" tcp $VIP 7
	on_background "server$i" "fn$i" "$PROBE" tcp-echo "10.10.0.1$i:9"
done
SERVICES=("$(adopting "$(service echo tcp $VIP:7 dr mh 10.10.0.11:7 10.10.0.12:7)")"
	"$(service fn tcp $FULLNAT:9 fullnat rr 10.10.0.11:9 10.10.0.12:9)")
for i in 1 2 3; do
	FLEET_NODE='{"pool": [{"address": "10.10.2.3", "link": "private"}]}'
	[ $i = 3 ] || FLEET_NODE=$(pair_node $i)
	fleet_config $i "${SERVICES[@]}"
done
fleet_start 1
wait_for 20 "lb1 is active" state_is 1 active
fleet_start 2 3
wait_for 20 "lb2 is its backup" state_is 2 backup
fleet_birds
fleet_becomes 30 $VIP "1 3"
is "what lb2 says" "$(fleet_at 2 && rpc fleet.status | jq -r .state)" = standby
is "routes that lb2 announces" "$(rpc fleet.status | jq '.routes | length')" -eq 0
fleet_at 3
ctl --json fleet status > "$RUN/status" || fail "fleet status: $(cat "$RUN/status")"
is "members that are reached" "$(jq '[.members[] | select(.state == "announcing" or .state == "standby")] | length' \
	"$RUN/status")" -eq 3

# Nothing breaks by a hand-over within the pair, nor by the death of its active router.
hold_open $N $VIP:7
wait_for 20 "lb2 has the connections of lb1" synchronised 2
fleet_at 1
ctl ha handover > "$RUN/said" || fail "handover: $(cat "$RUN/said")"
wait_for 20 "lb2 is active" state_is 2 active
fleet_becomes 10 $VIP "2 3"
is "connections that answer, handed over" "$(hold_answered)" -eq $N
wait_for 20 "lb1 is its backup" state_is 1 backup
wait_for 20 "lb1 has the connections of lb2" synchronised 1
fleet_kill 2
fleet_becomes 20 $VIP "1 3"
is "connections that answer, lb2 killed" "$(hold_answered)" -eq $N
hold_close

# The pool of the pair moves with its active router. Only the pair has the connections: the other member is
# drained meanwhile.
fleet_start 2
wait_for 20 "lb2 is a backup again" state_is 2 backup
fleet_at 3
ctl fleet drain > "$RUN/said"
fleet_becomes 10 $FULLNAT "1"
hold_open $N $FULLNAT:9
wait_for 20 "lb2 has the connections of lb1" synchronised 2
fleet_at 1
ctl ha handover > "$RUN/said" || fail "handover: $(cat "$RUN/said")"
fleet_becomes 20 $FULLNAT "2"
is "connections by full NAT that answer, handed over" "$(hold_answered)" -eq $N
hold_close
fleet_at 2
doors_add_up
