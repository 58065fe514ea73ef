#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 90
# families: 4 6
# A switch shuts the port of a server that answers too many ARP requests: while all heartbeats
# arrive, each router asks each witness once a second; at keepalive rate when one is missed.
. "$(dirname "$0")/lib.sh"
. "$TOP/tests/net/lib/pair.sh"
. "$TOP/tests/net/lib/faults.sh"

# questions SECONDS: ARP requests or solicitations of both routers for the witness, in that time.
questions()
{
	local filter="arp[6:2] = 1" line='who-has 10.10.0.11 .*tell 10.10.0.[23],'
	if [ "$FAMILY" = 6 ]; then
		filter="icmp6 and ip6[40] = 135"
		line="2001:db8:10:10::[23] > .* who has $(inet 10.10.0.11),"
	fi
	capture_start server1 private asked "$filter"
	pause "$1"
	capture_stop asked
	capture asked | grep -c "$line" || true
}

PAIR_HA=$(jq -c '. + {witnesses: [{link: "private", addresses: ["10.10.0.11"]}]}' <<< "$PAIR_HA")
pair_ready 1 1 "$(service web tcp 192.0.2.80:80 nat rr 10.10.0.11:8080)"
web_start server1 8080
wait_for 10 "the web answers" pair_serves 192.0.2.80 3
# Keepalive rate goes on for a second after the last missed heartbeat: a busy machine misses some.
calm()
{
	local n
	n=$(questions 4)
	note "$n questions in 4 s"
	[ "$n" -le 14 ]
}
wait_for 40 "two routers ask about 8 times in 4 s" calm

note "router b does not hear router a"
loss b public rx "udp dport 7694"
n=$(questions 2)
loss_end
is "questions of both in 2 s while heartbeats are missed" "$n" -ge 20
wait_for 40 "they ask about 8 times in 4 s again" calm
for r in a b; do
	pair_at $r
	doors_add_up
done
