#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 150
. "$(dirname "$0")/lib.sh"
. "$TOP/tests/net/lib/fleet.sh"

VIP=198.51.100.80
fleet_ready 2 2
hold_open 1000 198.51.100.80:7
for i in 1 2; do
	fleet_at $i
	note "lb$i: $(rpc status | jq -c .connections.live) connections, $(ctl fleet show | head -1)"
	[ "$(rpc status | jq .connections.live)" -gt 100 ] || fail "lb$i has no share of the flows"
done
is "BGP and BFD have a class of their own" "$(rpc counter.list |
	jq '[.punts[] | select(.name == "routing") | .count] | add')" -gt 0

# No router answers ARP for a VIP of a fleet.
ns_add stranger
leg_add stranger eth0 public 192.0.2.99/24
is "answers to ARP for the VIP" "$(on stranger arping -c 2 -w 2 -I eth0 $VIP | grep -c 'reply from' ||
	true)" -eq 0

# An operator drains a member: its flows go on at the other one, by the same servers.
fleet_at 1
ctl fleet drain > "$RUN/said"
fleet_becomes 5 $VIP "2"
is "connections that answer, lb1 drained" "$(hold_answered)" -eq 1000
is "flows that lb2 adopted" "$(fleet_counter 2 adopted)" -gt 100
fleet_at 1
ctl fleet undrain > "$RUN/said"
fleet_becomes 5 $VIP "1 2"
is "connections that answer, lb1 back" "$(hold_answered)" -eq 1000

# A service without its quorum takes its VIP away, and only that.
rpc health.force "{\"service\": \"tcp:$VIP:7\", \"server\": \"10.10.0.11:7\", \"state\": \"down\"}" \
	> /dev/null
pause 0.5
is "members, with a server down" "$(members_of $VIP)" = "1 2"
rpc health.force "{\"service\": \"tcp:$VIP:7\", \"server\": \"10.10.0.12:7\", \"state\": \"down\"}" \
	> /dev/null
fleet_becomes 5 $VIP "2"
for s in 11 12; do
	rpc health.force "{\"service\": \"tcp:$VIP:7\", \"server\": \"10.10.0.$s:7\", \"state\": \"auto\"}" \
		> /dev/null
done
fleet_becomes 5 $VIP "1 2"

# A port without a carrier.
ip -n "$NET-dpdk-lb2" link set dev private down
fleet_becomes 5 $VIP "1"
ip -n "$NET-dpdk-lb2" link set dev private up
fleet_becomes 5 $VIP "1 2"

# kill -9 of the member that a probe goes by.
probe_start ask client2
pause 0.5
victim=$(probe_carrier)
left=$((3 - victim))
kill -USR1 "$(cat "$RUN/ask.pid")"
fleet_kill "$victim"
fleet_becomes 5 $VIP "$left"
pause 1
gap=$(probe_end ask)
note "kill -9 of lb$victim: a gap of $gap ms ($(jq -c . "$RUN/ask.log"))"
is "connections that answer, lb$victim killed" "$(hold_answered)" -eq 1000
# The machine of a quick run is busy; the full set holds it to 500 ms.
is "the gap, ms" "$gap" -lt 2000

# Routes of the killed process go with --withdraw, and at the next start.
is "routes that it left" "$(ip -n "$NET-linux-lb$victim" route show table 7690 | grep -c blackhole)" -eq 1
"$BUILD/src/plvs" -c "$RUN/lb$victim.json" --withdraw
is "routes after --withdraw" "$(ip -n "$NET-linux-lb$victim" route show table 7690 2> /dev/null | wc -l)" -eq 0
fleet_start "$victim"
fleet_becomes 20 $VIP "1 2"
is "connections that answer, lb$victim back" "$(hold_answered)" -eq 1000

# SIGTERM withdraws first and forwards what still comes.
probe_count ask client2 4000
pause 1
fleet_stop 2
fleet_becomes 5 $VIP "1"
background_wait ask || true
note "SIGTERM of lb2: $(jq -c . "$RUN/ask.log")"
is "datagrams lost by an end in order" "$(jq .lost "$RUN/ask.log")" -eq 0
is "connections that answer, lb2 ended" "$(hold_answered)" -eq 1000
hold_close
fleet_at 1
doors_add_up
