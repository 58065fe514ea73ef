#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 4200
# alone: yes, all CPUs are taken
# set: full
# PLVS_SOAK_S: seconds of traffic, 3600 by default.
PLVS_DRIVER=af_xdp
. "$(dirname "$0")/lib.sh"

network_two_armed 2 2
for i in 1 2; do server_add_direct $i 192.0.2.90; done
for i in 1 2; do web_start server$i; done
plvs_config "$(service nat tcp 192.0.2.80:80 nat rr 10.10.0.11:80 10.10.0.12:80)" \
	"$(service bulk tcp 192.0.2.80:5201 nat rr 10.10.0.11:5201)" \
	"$(service dr tcp 192.0.2.90:80 dr rr 192.0.2.11:80 192.0.2.12:80)"
plvs_start 2
on_background server1 iperf iperf3 -s -p 5201

device()
{
	rpc port.list | jq "[.ports[].device_counters.$1] | add"
}

end=$((SECONDS + ${PLVS_SOAK_S:-3600})) turns=0 failed=0
on_background client2 bulk bash -c \
	"while :; do iperf3 -c 192.0.2.80 -p 5201 -t 20 -b 100M; iperf3 -c 192.0.2.80 -p 5201 -t 20 -b 100M -R; sleep 1; done"
while [ $SECONDS -lt $end ]; do
	for vip in 192.0.2.80 192.0.2.90; do
		web_ask client1 $vip 100 > "$RUN/answers"
		failed=$((failed + 100 - $(wc -l < "$RUN/answers")))
		turns=$((turns + 1))
	done
	pause 0.2
done
background_stop bulk || true
is "requests without an answer, of $((turns * 100))" $failed -eq 0
is "buffers refused to receive into" "$(device xdp_rx_invalid)" -eq 0
is "frames refused to be sent" "$(device xdp_tx_invalid)" -eq 0
is "stalls" "$(rpc port.list | jq '[.ports[].stalls] | add')" -eq 0
note "devices: $(rpc port.list | jq -c '[.ports[] | {name} + .counters + .device_counters |
	with_entries(select(.value != 0))]')"
# Closed connections stay for two minutes, and their ends would disturb the sums.
few_are_left()
{
	[ "$(rpc status | jq .connections.live)" -lt 10 ]
}
wait_for 300 "connections are over" few_are_left
doors_add_up
