#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 150
. "$(dirname "$0")/lib.sh"
. "$TOP/tests/net/lib/fleet.sh"

VIP=198.51.100.80
# A busy machine loses members by BFD at 3 x 50 ms: it is so only while a member is killed.
FLEET_BFD=60
FLEET_ANNOUNCE='{"stuck": "5s", "drain": "3s"}'
FLEET_NODE='{"metrics": {"socket": "'$RUN'/lb@.metrics"}}'
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

# BIRD that is not there: named, and traffic goes on by the other member. A daemon whose session is down is another
# finding.
daemon_is()
{
	[ "$(rpc fleet.status | jq -r .daemon)" = "$1" ]
}
# found ID: how many of doctor's findings have it.
found()
{
	(ctl doctor --json || true) | jq "[.findings[] | select(.id == \"$1\")] | length"
}
fleet_at 2
wait_for 10 "BIRD of lb2 is seen" daemon_is connected
is "findings about a daemon that is well" "$(found routing-daemon-missing)$(found bgp-session-missing)" = 00
kill -KILL "$(cat "$RUN/bird-lb2.pid")"
wait_for 10 "lb2 knows that no daemon runs" daemon_is missing
is "VIPs in the table, which nobody exports" "$(rpc fleet.status | jq .announced)" -eq 1
is "findings about a daemon that is not there" "$(found routing-daemon-missing)" -eq 1
is "the metric of a daemon that is not there" "$(curl -sS --unix-socket "$RUN/lb2.metrics" http://lb2/metrics |
	grep '^plvs_fleet_daemon_missing')" = 'plvs_fleet_daemon_missing{member="lb2"} 1'
grep -q "no routing daemon runs: no program in network namespace .* has TCP port 179" "$RUN/lb2.log" ||
	fail "lb2 does not log that no daemon runs"
if ctl fleet status > "$RUN/status"; then fail "a member without a daemon is well"; fi
grep -q "^lb2 .*no routing daemon runs" "$RUN/status" || fail "fleet status: $(cat "$RUN/status")"
fleet_becomes 10 $VIP "1"
is "connections that answer, BIRD of lb2 killed" "$(hold_answered)" -eq 1000
edge disable lb2 > "$RUN/said"
fleet_bird 2
fleet_at 2
wait_for 15 "lb2 knows that its daemon has no session" daemon_is idle
is "findings about a daemon without a session" "$(found bgp-session-missing)" -eq 1
is "findings about a daemon that is not there" "$(found routing-daemon-missing)" -eq 0
edge enable lb2 > "$RUN/said"
wait_for 20 "BIRD of lb2 has its session again" daemon_is connected
fleet_becomes 20 $VIP "1 2"
is "connections that answer, BIRD of lb2 back" "$(hold_answered)" -eq 1000

# kill -9 of the member that a probe goes by.
fleet_bfd 3
probe_start ask client2
pause 0.5
victim=$(probe_carrier)
left=$((3 - victim))
kill -USR1 "$(cat "$RUN/ask.pid")"
fleet_kill "$victim"
fleet_becomes 5 $VIP "$left"
pause 1
gap=$(probe_end ask)
fleet_bfd 60
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

# The wait is bounded: packets that do not cease, since the edge has a route of its own, are forwarded for as long as
# `drain` says, and then the router ends.
ip -n "$NET-edge" route add $VIP/32 via 192.0.2.11 metric 1
probe_start ask client2
pause 0.5
begin=$(date +%s%3N)
fleet_stop 1
took=$(($(date +%s%3N) - begin))
background_stop ask || true
grep -q "VIPs are withdrawn; packets for them still come after 3[0-9]* ms" "$RUN/lb1.log" ||
	fail "lb1 did not wait for 3 s: $(tail -5 "$RUN/lb1.log")"
is "the end of lb1 under traffic that does not cease, ms" "$took" -ge 3000
