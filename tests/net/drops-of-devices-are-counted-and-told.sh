#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 60
PLVS_DRIVER=af_packet PLVS_FRAMES=32
. "$(dirname "$0")/lib.sh"

network_two_armed 1 1
plvs_config "$(service web tcp 192.0.2.80:80 nat rr 10.10.0.11:80)"
jq --arg at "$RUN/metrics" '.node.metrics = {socket: $at}' "$RUN/plvs.json" > "$RUN/c" &&
	mv "$RUN/c" "$RUN/plvs.json"
plvs_start 1

lost()
{
	rpc port.list | jq '.ports[] | select(.name == "public") | .device_counters.socket_rx_dropped'
}

# A router that stands still while 500 frames come: the ring has room for 32.
flood()
{
	kill -STOP "$PLVS_PID"
	on client1 ping -q -f -c 500 -W 1 -w 5 192.0.2.10 > /dev/null 2>&1 || true
	kill -CONT "$PLVS_PID"
	[ "$(lost)" -gt 0 ]
}
wait_for 10 "the router answers" on client1 ping -qc1 -W1 192.0.2.10
is "lost before" "$(lost)" -eq 0
wait_for 20 "the device counts drops" flood

n=$(lost)
is "counted as lost by public" "$(rpc counter.list '{"object": "drops"}' | jq '.devices[] |
	select(.port == "public" and .name == "socket_rx_dropped") | .count')" -ge "$n"
ctl counters drops > "$RUN/table"
is "lines of plvsctl counters drops" "$(grep -c '^public *socket_rx_dropped' "$RUN/table")" -eq 1
curl -s --unix-socket "$RUN/metrics" http://plvs/metrics > "$RUN/document"
is "in metrics" "$(awk '/^plvs_port_device_socket_rx_dropped_total{port="public"}/ { print $2 }' \
	"$RUN/document")" -ge "$n"

# While it goes on, status warns and a rate is shown.
shown()
{
	rpc status | jq -e '.warnings[] |
		select(test("port public: its device loses .*socket_rx_dropped"))' &&
		rpc counter.list '{"object": "ports"}' | jq -e '.ports[] |
			select(.name == "public") | .device_rates.socket_rx_dropped > 0'
}
# Rates are of the last 2 s.
warned()
{
	local i
	flood
	for ((i = 0; i < 40; i++)); do
		! shown || return 0
		pause 0.1
	done
	return 1
}
wait_for 20 "status warns" warned
doors_add_up
