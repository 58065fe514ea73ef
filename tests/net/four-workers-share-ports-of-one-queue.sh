#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 90
# alone: yes, all CPUs are taken
# families: 4 6
. "$(dirname "$0")/lib.sh"

network_two_armed 2 3
server_add_direct 3 192.0.2.90
plvs_config "$(service web tcp 192.0.2.80:80 nat rr 10.10.0.11:80 10.10.0.12:80 10.10.0.13:80)" \
	"$(service direct tcp 192.0.2.90:80 dr rr 192.0.2.13:80)" \
	"$(service numbers udp 192.0.2.80:7000 nat rr 10.10.0.11:7000)" \
	"$(service bulk tcp 192.0.2.80:5201 nat rr 10.10.0.12:5201)"
plvs_start 4
for i in 1 2 3; do web_start server$i; done
echo_serve server1 udp 10.10.0.11 7000
bulk_serve server2

# The request to the driver, and the driver's answer.
is "queues of each port" "$(ctl --json port list | jq -c '[.ports[] |
	[.queues_asked, .rx_queues, .tx_queues, .rss]] | unique')" = '[[4,1,1,"none"]]'
is "lines of port list" "$(ctl port list | grep -c "none")" -eq 2

web_ask client1 192.0.2.80 300 > "$RUN/answers"
is "answers by NAT" "$(wc -l < "$RUN/answers")" -eq 300
for i in 1 2 3; do
	# A single logical scheduler: within the number of workers of the exact turn.
	is "by server$i" "$(answers_by "$RUN/answers" server$i)" -ge 96
done
web_ask client2 192.0.2.90 100 > "$RUN/answers"
is "answers by DR" "$(wc -l < "$RUN/answers")" -eq 100

on client1 "$PROBE" udp-ask 192.0.2.80:7000 --count 20000 --rate 5000 --flows 64 > "$RUN/report"
note "$(cat "$RUN/report")"
is "reordered within a flow" "$(jq .reordered "$RUN/report")" -eq 0
is "duplicates" "$(jq .duplicates "$RUN/report")" -eq 0
is "lost" "$(jq .lost "$RUN/report")" -eq 0
is "Mbit/s" "$(bulk client1 192.0.2.80 2 -P 8)" -ge 5

is "workers that created connections" \
	"$(counted '[.workers[] | select(.counters.created > 0)] | length')" -eq 4
is "hand-offs" "$(rpc status | jq .doors.handed_off)" -ge 1000
doors_add_up
