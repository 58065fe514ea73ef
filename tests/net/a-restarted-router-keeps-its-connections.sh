#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 120
. "$(dirname "$0")/lib.sh"

network_two_armed 1 2
plvs_config "$(service echo tcp 192.0.2.80:7 nat lc 10.10.0.11:7 10.10.0.12:7)"
mkdir -m 700 "$RUN/state"
jq --arg dir "$RUN/state" '.node.state_dir = $dir' "$RUN/plvs.json" > "$RUN/plvs.json.new"
mv "$RUN/plvs.json.new" "$RUN/plvs.json"
plvs_start 2
for i in 1 2; do echo_serve server$i tcp 10.10.0.1$i 7; done

exec {questions}> >(on client1 "$PROBE" tcp-hold 192.0.2.80:7 --count 1000 --rate 1000 \
	> "$RUN/hold.log" 2>&1)
reports()
{
	[ "$(grep -c connections "$RUN/hold.log")" -ge "$1" ]
}
wait_for 40 "1000 connections are open" reports 1
is "answered at once" "$(sed -n '$p' "$RUN/hold.log" | jq .answered)" -eq 1000
busy=$(rpc service.list | jq -c '[.services[0].servers[] | [.address, .active]]')
plvs_stop
is "mode of the file" "$(stat -c %a "$RUN/state/connections")" = 600

# With another number of workers, as after a change of hardware.
plvs_start 1
is "connections in the table" "$(rpc connection.count | jq .count)" -eq 1000
is "active at the servers" \
	"$(rpc service.list | jq -c '[.services[0].servers[] | [.address, .active]]')" = "$busy"
is "files left" "$(find "$RUN/state" -name "connections*" -type f | wc -l)" -eq 0
echo ask >&$questions
wait_for 40 "a second round is answered" reports 2
is "answered again" "$(sed -n '$p' "$RUN/hold.log" | jq .answered)" -eq 1000

# A crash leaves nothing, and what others could have written is not believed.
plvs_kill
is "files after a crash" "$(find "$RUN/state" -name "connections*" -type f | wc -l)" -eq 0
echo "plvs connections" > "$RUN/state/connections"
plvs_start 1
is "connections after a crash" "$(rpc connection.count | jq .count)" -eq 0
grep -q "connections of before are not taken up" "$RUN/plvs.log" ||
	fail "nothing is said of a file that is none"
exec {questions}>&-
doors_add_up
