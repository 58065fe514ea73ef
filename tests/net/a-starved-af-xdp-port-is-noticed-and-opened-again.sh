#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 120
PLVS_DRIVER=af_xdp
. "$(dirname "$0")/lib.sh"

network_two_armed 1 2
for i in 1 2; do web_start server$i; done
plvs_config "$(service web tcp 192.0.2.80:80 nat rr 10.10.0.11:80 10.10.0.12:80)"
jq --arg at "$RUN/metrics" '.node.metrics = {socket: $at}' "$RUN/plvs.json" > "$RUN/c" &&
	mv "$RUN/c" "$RUN/plvs.json"
plvs_start 2

serves()
{
	web_ask client1 192.0.2.80 5 > "$RUN/answers" && [ "$(wc -l < "$RUN/answers")" -eq 5 ]
}

stalls()
{
	rpc port.list | jq -e "[.ports[].stalls] | add >= $1"
}

works()
{
	rpc port.list | jq -e 'all(.ports[]; .link_up and .state == "works")'
}

failed()
{
	rpc port.list | jq -e 'any(.ports[]; .link_up == false and .state == "failed")'
}

warned()
{
	rpc status | jq -e '.warnings[] | select(test("carries nothing while its device counts drops"))'
}

wait_for 10 "the web answers" serves
# 20 frames a second for each port, so that there is something to drop.
on_background client1 pings1 ping -q -i 0.05 192.0.2.10
on_background server1 pings2 ping -q -i 0.05 10.10.0.2

for socket in 0 1; do
	"$TOP/tests/net/lib/starve.py" "$PLVS_PID" $socket
	since=$EPOCHREALTIME
	wait_for 10 "the stall is noticed" stalls $((socket + 1))
	took=$(((${EPOCHREALTIME/./} - ${since/./}) / 1000))
	note "noticed after $took ms"
	# The ring empties with the frames that arrive; the bound is for a busy machine.
	is "milliseconds until it was noticed" $took -le 4000
	wait_for 5 "status warns" warned
	wait_for 10 "both ports work" works
	wait_for 10 "the web answers again" serves
done
curl -s --unix-socket "$RUN/metrics" http://plvs/metrics > "$RUN/document"
is "stalls in metrics" "$(awk '/^plvs_port_stalls_total/ { n += $2 } END { print n }' \
	"$RUN/document")" -eq 2
is "restarts in metrics" "$(awk '/^plvs_port_restarts_total/ { n += $2 } END { print n }' \
	"$RUN/document")" -eq 2
is "lines of the log" "$(grep -c "receives nothing while its device" "$RUN/plvs.log")" -eq 2

# Three times in a row are enough.
n=2
for _ in 1 2; do
	"$TOP/tests/net/lib/starve.py" "$PLVS_PID" 0
	n=$((n + 1))
	wait_for 10 "stall $n is noticed" stalls $n
	wait_for 15 "both ports work" works
done
"$TOP/tests/net/lib/starve.py" "$PLVS_PID" 0
"$TOP/tests/net/lib/starve.py" "$PLVS_PID" 1
wait_for 20 "the restarts are used up" failed
background_stop pings1 INT || true
background_stop pings2 INT || true
doors_add_up
