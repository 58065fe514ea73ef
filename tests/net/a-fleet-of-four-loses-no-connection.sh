#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# set: full
# limit: 400
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

fleet_ready 4 3
hold_open $N $VIP:7

# kill -9 of one, with a 1 kHz probe through it. A machine that stands still is given more tries.
for _ in 1 2 3; do
	fleet_bfd 3
	probe_start ask client2
	pause 1
	victim=$(probe_carrier)
	kill -USR1 "$(cat "$RUN/ask.pid")"
	fleet_kill "$victim"
	fleet_becomes 5 $VIP "$(without "$victim")"
	pause 1.5
	gap=$(probe_end ask)
	fleet_bfd 60
	note "kill -9 of lb$victim: a gap of $gap ms, before it $(jq .gap_before_mark_ms "$RUN/ask.log") ms"
	is "connections that answer, lb$victim killed" "$(hold_answered)" -eq $N
	fleet_start "$victim"
	fleet_becomes 20 $VIP "1 2 3 4"
	[ "$gap" -ge 500 ] || break
done
is "the gap with BFD at 3 x 50 ms, ms" "$gap" -lt 500
is "connections that answer, all back" "$(hold_answered)" -eq $N

# Another version of all, one after the other, under load.
probe_start ask client2 16
for i in 1 2 3 4; do
	fleet_at $i
	ctl fleet drain > "$RUN/said"
	fleet_becomes 5 $VIP "$(without $i)"
	fleet_stop $i
	fleet_start $i
	fleet_becomes 20 $VIP "1 2 3 4"
done
gap=$(probe_end ask)
note "a rolling restart of all four: $(jq -c . "$RUN/ask.log")"
# Packets on their way when the probe is stopped count as lost.
is "datagrams lost by a rolling restart" "$(jq .lost "$RUN/ask.log")" -le 5
is "connections that answer, all restarted" "$(hold_answered)" -eq $N

# A member goes for good, and comes.
fleet_stop 3
fleet_becomes 5 $VIP "1 2 4"
is "connections that answer, without lb3" "$(hold_answered)" -eq $N
fleet_start 3
fleet_becomes 20 $VIP "1 2 3 4"

# A server is added while a router dies: what breaks is what mh deals anew and what reaches another
# router. Of three servers that become four, a quarter is dealt anew at least; of four routers of a
# Linux edge that become three, more than a quarter of the flows moves. So at most half breaks.
# The connections are new: routers that carried others in the steps above know their servers.
hold_close
hold_open $N $VIP:7
fleet_server 4
echo_serve server4 tcp $VIP 7
echo_serve server4 udp $VIP 7
for i in 1 2 3 4; do
	fleet_at $i
	rpc server.add "{\"service\": \"tcp:$VIP:7\", \"server\": {\"address\": \"10.10.0.14:7\"}}" > "$RUN/said"
done
is "connections that answer, a server added" "$(hold_answered)" -eq $N
fleet_kill 1
fleet_becomes 5 $VIP "2 3 4"
answered=$(hold_answered)
broken=$((N - answered))
dealt=$((N * 28 / 100))
note "a server added and a router killed: $broken of $N flows broke"
is "flows that broke" $broken -gt 0
is "flows that broke, against those that mh deals anew" $broken -le $dealt
hold_close

# A member with a stale configuration is seen by its digest.
fleet_at 2
a=$(rpc fleet.status | jq -r .digest)
rpc server.delete "{\"service\": \"tcp:$VIP:7\", \"server\": \"10.10.0.14:7\"}" > "$RUN/said"
is "the digest after a change of one member" "$(rpc fleet.status | jq -r .digest)" != "$a"
fleet_at 3
is "the digest of another member" "$(rpc fleet.status | jq -r .digest)" = "$a"
doors_add_up
