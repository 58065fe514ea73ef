#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# set: full
# limit: 600
# alone: yes, all CPUs are taken
. "$(dirname "$0")/lib.sh"
. "$TOP/tests/net/lib/fleet.sh"

VIP=198.51.100.80
N=10000
FLEET_BFD=60

# The members but one.
without()
{
	seq 1 4 | grep -vx "$1" | tr '\n' ' ' | sed 's/ $//'
}

# hold_anew I: the connections, from an address that none of the ones before had. Members know those before, and
# the servers that they went to.
hold_anew()
{
	[ ! -e "$RUN/hold.in" ] || hold_close
	ip -n "$NET-client1" address add "203.0.113.15$1/24" dev eth0
	ip -n "$NET-client1" route replace default via 203.0.113.1 src "203.0.113.15$1"
	hold_open $N $VIP:7
}

fleet_ready 4 3 '{"on_server_gone": "drain", "drain_timeout": "1h"}'
hold_anew 1

# kill -9 of one, with a 1 kHz probe through it. BFD at 3 x 50 ms loses members by itself where the machine
# stands still. So a control asks without a router in between, and the routes of the edge are recorded: a kill
# that saw a hole of the control, or another member lost, is done again, four times at most.
on_background client2 control-server "$PROBE" udp-echo 203.0.113.102:9
for try in 1 2 3 4 5; do
	fleet_bfd 3
	probe_start ask client2
	on_background client2 control "$PROBE" udp-ask 203.0.113.102:9 --count 1000000 --rate 1000
	pause 1
	victim=$(probe_carrier)
	on_background edge routes ip monitor route
	for label in ask control; do kill -USR1 "$(cat "$RUN/$label.pid")"; done
	fleet_kill "$victim"
	pause 2
	gap=$(probe_end ask)
	stood=$(probe_end control)
	background_stop routes || true
	changes=$(grep -c "$VIP" "$RUN/routes.log" || true)
	fleet_bfd 60
	fleet_becomes 60 $VIP "$(without "$victim")"
	note "kill -9 of lb$victim: a gap of $gap ms, of the control $stood ms; $changes changes of the route"
	is "connections that answer, lb$victim killed" "$(hold_answered)" -eq $N
	fleet_start "$victim"
	fleet_becomes 60 $VIP "1 2 3 4"
	if [ "$gap" -lt 500 ] || [ $try -eq 5 ]; then break; fi
	if [ "$stood" -le 100 ] && [ "$changes" -le 1 ]; then break; fi
done
is "the gap with BFD at 3 x 50 ms, ms" "$gap" -lt 500
is "connections that answer, all back" "$(hold_answered)" -eq $N

# Another version of all, one after the other, under load. Done again, twice at most, where the control lost
# datagrams or had a hole, too.
for try in 1 2 3; do
	probe_start ask client2 16
	on_background client2 control "$PROBE" udp-ask 203.0.113.102:9 --count 1000000 --rate 1000
	for i in 1 2 3 4; do
		fleet_at $i
		ctl fleet drain > "$RUN/said"
		fleet_becomes 10 $VIP "$(without $i)"
		note "drops of lb$i: $(rpc counter.list | jq -c '[.drops[] | select(.count > 0) | {(.name): .count}] | add')"
		fleet_stop $i
		fleet_start $i
		fleet_becomes 60 $VIP "1 2 3 4"
	done
	probe_end ask > "$RUN/said"
	stood=$(probe_end control)
	lost=$(jq .lost "$RUN/ask.log")
	note "a rolling restart of all four: $(jq -c . "$RUN/ask.log"); of the control $stood ms, $(jq .lost "$RUN/control.log") lost"
	is "connections that answer, all restarted" "$(hold_answered)" -eq $N
	if [ "$lost" -eq 0 ] || { [ "$stood" -le 100 ] && [ "$(jq .lost "$RUN/control.log")" -eq 0 ]; }; then break; fi
done
is "datagrams lost by a rolling restart" "$lost" -eq 0

# A member goes for good, and comes.
fleet_stop 3
fleet_becomes 5 $VIP "1 2 4"
is "connections that answer, without lb3" "$(hold_answered)" -eq $N
fleet_start 3
fleet_becomes 60 $VIP "1 2 3 4"

# What the theory says of 4 routers whose flows Linux cuts into regions, and of the list before and after,
# as shares of a million.
# theory SERVERS EVENT COLUMN
theory()
{
	"$BUILD/tests/fleet-sim/fleet-sim" 4 "$1" 200000 4093 |
		awk -F ' *[|] *' -v event="$2" -v column="$3" \
			'$2 == event && $3 == "threshold" { print int($column * 10000 + 0.5) }'
}

# broken_by WHAT SHARE: of N connections, beside the theory of SHARE in a million.
broken_by()
{
	local answered broken expected
	fleet_kill 1
	fleet_becomes 10 $VIP "2 3 4"
	answered=$(hold_answered)
	broken=$((N - answered))
	expected=$(($2 * N / 1000000))
	note "$1 and a router killed: $broken of $N flows broke; the theory: $expected"
	is "flows that broke, against 80 % of the theory" $broken -ge $((expected * 80 / 100))
	is "flows that broke, against 120 % of the theory" $broken -le $((expected * 120 / 100))
	hold_close
}

# Linux gives the regions of four routers, the first of which dies, to three: half of the flows moves.
MOVED=500000

# A server is added while a router dies: what breaks is what mh deals anew, as far as it reaches another
# router.
hold_anew 2
fleet_server 4
echo_serve server4 tcp $VIP 7
echo_serve server4 udp $VIP 7
for i in 1 2 3 4; do
	fleet_at $i
	rpc server.add "{\"service\": \"tcp:$VIP:7\", \"server\": {\"address\": \"10.10.0.14:7\"}}" > "$RUN/said"
	rpc config.save > "$RUN/said" # for the member that starts again
done
is "connections that answer, a server added" "$(hold_answered)" -eq $N
broken_by "a server added" $(($(theory 3 "a server is added" 6) * MOVED / 1000000))

# The same with a server that is removed, which keeps the flows that go on by the same router.
fleet_start 1
fleet_becomes 60 $VIP "1 2 3 4"
hold_anew 3
for i in 1 2 3 4; do
	fleet_at $i
	rpc server.delete "{\"service\": \"tcp:$VIP:7\", \"server\": \"10.10.0.13:7\"}" > "$RUN/said"
done
is "connections that answer, a server removed" "$(hold_answered)" -eq $N
broken_by "a server removed" $((($(theory 4 "a server is removed" 5) + $(theory 4 "a server is removed" 6)) * MOVED / 1000000))

# A member with a stale configuration is seen by its digest.
fleet_at 2
a=$(rpc fleet.status | jq -r .digest)
rpc server.delete "{\"service\": \"tcp:$VIP:7\", \"server\": \"10.10.0.14:7\"}" > "$RUN/said"
is "the digest after a change of one member" "$(rpc fleet.status | jq -r .digest)" != "$a"
fleet_at 3
is "the digest of another member" "$(rpc fleet.status | jq -r .digest)" = "$a"
doors_add_up
