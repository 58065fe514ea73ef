#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 90
# alone: yes, times are measured
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/net/lib/health.sh
. "$TOP/tests/net/lib/health.sh"

# server1 stands for a hundred servers whose health is one process's, server2 for one more.
# Datagrams by the thousand go to all of them: how long after the verdict do some still go to
# server1?
A=10.10.0.11 B=10.10.0.12 N=100

network_two_armed 1 2
mapfile -t servers < <(for ((i = 1; i <= N; i++)); do echo $A:$((8000 + i)); done)
health_config '[
	{"name": "one", "type": "tcp", "address": "'$A'", "port": 7000, "interval": "100ms",
	 "timeout": "400ms", "rise": 1, "fall": 1},
	{"name": "other", "type": "tcp", "port": 7000, "interval": "100ms", "timeout": "400ms"}]' \
	"$(service many udp 192.0.2.80:53 nat rr "${servers[@]}" $B:53 |
		jq -c '.check = "one" | .servers[-1].check = "other"')"
for i in 1 2; do
	on_background server$i tcp$i "$PROBE" tcp-echo 10.10.0.1$i:7000
	# No listener is needed: the port is not said to be closed.
	block server$i 'meta l4proto udp'
done
plvs_start
wait_for 10 "all are up" all_up
is "checks that run for them all" "$(rpc health.counters | jq .checks)" -eq 2

capture_start server1 private last 'udp and dst portrange 8001-8100'
on_background client1 load "$PROBE" udp-ask 192.0.2.80:53 --count 10000000 --rate 4000 --flows 500
sleep 0.5
generation=$(rpc status | jq .generation)
edges=$(edges)
background_stop tcp1 || true
server_becomes 5 many $A:8001 down
verdict=$(health_of many $A:8001 .since_ms)
sleep 0.7
background_stop load || true
capture_stop last
is "changes of state" "$(($(edges) - edges))" -eq $N
is "publications" "$(($(rpc status | jq .generation) - generation))" -eq 1
is "chosen" "$(chosen many)" = "$B:53"
tcpdump -tt -n -r "$RUN/last.pcap" 2> /dev/null | awk '{ printf "%.0f\n", $1 * 1000 }' > "$RUN/times"
is "datagrams that server1 got before" \
	"$(awk -v v="$verdict" '$1 < v' "$RUN/times" | wc -l)" -ge 200
note "verdict to publication: $(rpc health.counters | jq .swap_last_us) us"
is "from the verdict to the last packet, ms" \
	"$(($(tail -1 "$RUN/times") - verdict))" -lt $SWAP_MS

# And back.
on_background server1 tcp1 "$PROBE" tcp-echo $A:7000
server_becomes 5 many $A:8001 up
doors_add_up
