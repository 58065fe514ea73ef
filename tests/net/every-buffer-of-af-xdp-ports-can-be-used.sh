#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 120
PLVS_DRIVER=af_xdp
. "$(dirname "$0")/lib.sh"

# Three times the buffers of the pool (20,480 with two workers), so that each one was received
# into and sent from.
FRAMES=60000
network_two_armed 1 1
web_start server1
head -c 40000000 /dev/zero > "$RUN/bulk"

# Frames of the rings of either port that the kernel refused.
refused()
{
	rpc port.list | jq '[.ports[].device_counters | .xdp_rx_invalid + .xdp_tx_invalid] | add'
}

carried()
{
	rpc port.list | jq -e "[.ports[].counters | .rx_pkts + .tx_pkts] | min >= $FRAMES"
}

# bulk_both: as many frames each way as it takes.
bulk_both()
{
	on client1 timeout 60 iperf3 -c 192.0.2.80 -p 5201 -n 40M > /dev/null 2>&1 &&
		on client1 timeout 60 iperf3 -c 192.0.2.80 -p 5201 -n 40M -R > /dev/null 2>&1 &&
		carried
}

run()
{
	plvs_start 2
	on_background server1 iperf iperf3 -s -p 5201
	wait_for 60 "$FRAMES frames by each port" bulk_both
	background_stop iperf || true
	is "buffers that the kernel refused" "$(refused)" -eq 0
	wait_for 5 "the web answers" web_ask client1 192.0.2.80 5
	doors_add_up
	plvs_stop
}

plvs_config "$(service bulk tcp 192.0.2.80:5201 nat rr 10.10.0.11:5201)" \
	"$(service web tcp 192.0.2.80:80 nat rr 10.10.0.11:80)"
note "--- without huge pages"
run
free=$(awk '/^HugePages_Free/ { print $2 }' /proc/meminfo)
if [ "$free" -lt 200 ]; then
	note "--- with huge pages: not tried, $free of 200 are free"
	exit 0
fi
note "--- with huge pages"
plvs_eal()
{
	local vdev
	printf '%s\n' --in-memory -m 384 --no-pci --file-prefix "$NET" --lcores "$(plvs_lcores 2)"
	for vdev in "${PLVS_VDEVS[@]}"; do printf '%s\n' --vdev "$vdev"; done
}
run
