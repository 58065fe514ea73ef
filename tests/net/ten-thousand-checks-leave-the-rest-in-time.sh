#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 240
# alone: yes, times are measured
# set: full
# Ten thousand servers behind one machine, each checked by TCP every two seconds over the
# exception path, while numbered packets cross the router.
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/net/lib/health.sh
. "$TOP/tests/net/lib/health.sh"

services=100 each=100
network_two_armed 1 2
# 10.20.x.y lies behind server1: one neighbour for all of them.
ip -n "$NET-server1" route add local 10.20.0.0/16 dev lo

many()
{
	jq -nc --argjson services $services --argjson each $each '
		range($services) as $s | {name: "s\($s)", protocol: "tcp",
			listen: ["192.0.2.90:\(1000 + $s)"], scheduler: "rr", check: "connects",
			servers: [range($each) | {address: "10.20.\($s).\(. + 1):80"}]}'
}

health_config '[{"name": "connects", "type": "tcp", "interval": "2s", "timeout": "2s"}]' \
	"$(service numbers udp 192.0.2.80:7000 nat rr 10.10.0.12:7000)" "$(many)"
web_start server1
echo_serve server2 udp 10.10.0.12 7000
plvs_start
on linux ip route add 10.20.0.0/16 via 10.10.0.11 2> /dev/null ||
	wait_for 5 "the way to the servers" on linux ip route replace 10.20.0.0/16 via 10.10.0.11

ups()
{
	rpc health.list '{"state": "up"}' | jq '[.servers[] | select(.state == "up")] | length'
}
all_are_up()
{
	[ "$(ups)" -ge $((services * each)) ]
}
wait_for 60 "all servers are up" all_are_up
edges=$(edges)
before=$(rpc health.counters)
began=${EPOCHREALTIME/./}
on client1 timeout 60 "$PROBE" udp-ask 192.0.2.80:7000 --count 30000 --rate 1000 --linger 3000 \
	> "$RUN/numbers"
after=$(rpc health.counters)
took=$((${EPOCHREALTIME/./} - began))
late=$(rpc ha.status)
note "$(cat "$RUN/numbers")"
note "health: $(jq -c '{late_p50_us, late_p99_us, late_max_us}' <<< "$after")"
note "ha: $(jq -c '{late_p50_us, late_p99_us, late_max_us}' <<< "$late")"
is "checks a second" "$(jq -n --argjson a "$before" --argjson b "$after" --argjson us $took \
	'($b.probes - $a.probes) * 1000000 / $us | floor')" -ge 4500
is "checks that failed" "$(jq -n --argjson a "$before" --argjson b "$after" \
	'$b.failures + $b.errors - $a.failures - $a.errors')" -eq 0
is "microseconds that one check in a hundred is late" "$(jq .late_p99_us <<< "$after")" -lt 100000
is "microseconds that the ha loop is late once in a hundred" "$(jq .late_p99_us <<< "$late")" -lt 5000
is "changes of state meanwhile" "$(($(edges) - edges))" -eq 0
is "numbered packets lost" "$(jq .lost "$RUN/numbers")" -eq 0
