#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 120
# alone: yes, packets that are lost are counted
# Failback is on: a primary that was killed and started again waits until every check has a
# verdict, then for failback_delay, then takes the role back and loses no packet.
. "$(dirname "$0")/lib.sh"
. "$TOP/tests/net/lib/pair.sh"
. "$TOP/tests/net/lib/faults.sh"

checked()
{
	local r
	for r in a b; do
		jq '.shared.checks = [{name: "port", type: "tcp", interval: "20s", fast_interval: "700ms",
			timeout: "1s", fall: 5}] | .shared.services[1].check = "port"' "$RUN/$r.json" \
			> "$RUN/new"
		mv "$RUN/new" "$RUN/$r.json"
	done
}

PAIR_HA=$(jq -c '. + {failback: "auto", failback_delay: "2s"}' <<< "$PAIR_HA")
pair_network 1 2
for r in a b; do
	pair_config $r "$(service echo udp 192.0.2.80:7 nat rr 10.10.0.11:7)" \
		"$(service web tcp 192.0.2.80:80 nat rr 10.10.0.11:8080 10.10.0.12:8080)"
done
checked
echo_serve server1 udp 10.10.0.11 7
for i in 1 2; do web_start server$i 8080; done
pair_start a b
pair_becomes 20 a active
pair_becomes 5 b backup
probes()
{
	pair_at b
	rpc health.counters | jq .probes
}
knows_all()
{
	[ "$(of "$1" '.servers | "\(.up) of \(.all), \(.verdicts)"')" = "3 of 3, true" ] &&
		[ "$(of "$1" '.peer | "\(.servers_up), \(.verdicts)"')" = "3, true" ]
}
for r in a b; do wait_for 20 "$r knows of all servers, and what the peer knows" knows_all $r; done
wait_for 30 "b is synchronised" pair_synchronised b

before=$(probes)
pair_kill a
pair_becomes 5 b active
# The states that b learnt of its servers while it stood by hold, and are asked again at the fast interval.
asked_again()
{
	[ "$(probes)" -ge $((before + 2)) ]
}
wait_for 3 "b asks both servers again" asked_again
wait_for 5 "the web answers by b" pair_serves 192.0.2.80 3
# a cannot ask server2: it knows that after a second at the earliest.
loss a private tx "ip daddr 10.10.0.12"
pair_start a
pair_becomes 5 a backup
on_background client1 probe "$PROBE" udp-ask 192.0.2.80:7 --count 12000 --rate 1000 --flows 20 \
	--linger 1500
waits_for_checks()
{
	[ "$(of a .state)" = backup ] || fail "a took back before its checks had a verdict"
	of a .explain | grep -q "Failback waits for a verdict of every health check"
}
wait_for 20 "failback waits for checks" waits_for_checks
knows()
{
	[ "$(of a .servers.verdicts)" = true ]
}
wait_for 20 "a has its verdicts" knows
began=$(date +%s%3N)
pair_becomes 15 a active
waited=$(($(date +%s%3N) - began))
note "a was active $waited ms after it had its verdicts"
is "as failback_delay says" "$waited" -ge 1700
pair_becomes 35 b backup
is "a took it by hand-over" "$(of a '.transitions.committed // 0')" -eq 1
background_wait probe || fail "the probe: $(cat "$RUN/probe.log")"
note "$(cat "$RUN/probe.log")"
is "lost packets" "$(jq .lost "$RUN/probe.log")" -eq 0

note "the backup sees more than the active router: both say so"
sees_more()
{
	[ "$(of "$1" .servers.backup_sees_more)" = true ]
}
for r in a b; do wait_for 10 "$r says that b sees more" sees_more $r; done
pair_at a
ctl ha status > "$RUN/said"
grep -q "The peer sees 3 of 3 real servers up, this router 2" "$RUN/said" ||
	fail "ha status: $(cat "$RUN/said")"
loss_end
