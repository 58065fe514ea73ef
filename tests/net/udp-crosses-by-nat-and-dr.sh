#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 60
# families: 4 6
. "$(dirname "$0")/lib.sh"

network_two_armed 1 2
server_add_direct 2 192.0.2.90
plvs_config "$(service nat udp 192.0.2.80:7000 nat rr 10.10.0.11:7000)" \
	"$(service dr udp 192.0.2.90:7000 dr rr 192.0.2.12:7000)"
plvs_start
echo_serve server1 udp 10.10.0.11 7000
echo_serve server2 udp 192.0.2.90 7000

# The first packets wait for ARP in a queue with an end: they are asked for in peace.
for vip in 192.0.2.80 192.0.2.90; do
	on client1 "$PROBE" udp-ask $vip:7000 --count 5 --rate 5 > "$RUN/report"
	is "lost of the first 5 to $vip" "$(jq .lost "$RUN/report")" -eq 0
done
for vip in 192.0.2.80 192.0.2.90; do
	on client1 "$PROBE" udp-ask $vip:7000 --count 20000 --rate 5000 --flows 16 > "$RUN/report"
	note "$vip: $(cat "$RUN/report")"
	is "lost" "$(jq .lost "$RUN/report")" -eq 0
	is "duplicates" "$(jq .duplicates "$RUN/report")" -eq 0
	is "reordered" "$(jq .reordered "$RUN/report")" -eq 0
done
is "connections" "$(rpc connection.count | jq .count)" -eq 34
doors_add_up
