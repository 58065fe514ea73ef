#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 120
. "$(dirname "$0")/lib.sh"

network_two_armed 1 2
plvs_config "$(service echo tcp 192.0.2.80:7 nat lc 10.10.0.11:7 10.10.0.12:7)"
plvs_start 2
for i in 1 2; do echo_serve server$i tcp 10.10.0.1$i 7; done

exec {questions}> >(on client1 "$PROBE" tcp-hold 192.0.2.80:7 --count 10000 --rate 2500 \
	> "$RUN/hold.log" 2>&1)
reports()
{
	[ "$(grep -c connections "$RUN/hold.log")" -ge "$1" ]
}
wait_for 60 "10,000 connections are open" reports 1
note "$(cat "$RUN/hold.log")"
is "answered at once" "$(sed -n '$p' "$RUN/hold.log" | jq .answered)" -eq 10000
is "connections in the table" "$(rpc connection.count | jq .count)" -eq 10000
is "active at the busier server" \
	"$(rpc service.list | jq '[.services[0].servers[].active] | max')" -le 5002
echo ask >&$questions
wait_for 40 "a second round is answered" reports 2
is "answered again" "$(sed -n '$p' "$RUN/hold.log" | jq .answered)" -eq 10000
is "rows of the connection list" "$(ctl --json connection list limit 20000 |
	grep -o '"client"' | wc -l)" -eq 10000
exec {questions}>&-
doors_add_up
