#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 60
# families: 4 6
# af_xdp here; af_packet is the subject of large-udp-datagrams-cross-af-packet-ports.
PLVS_DRIVER=af_xdp
. "$(dirname "$0")/lib.sh"

DATAGRAMS=$TOP/tests/net/lib/datagrams.py

# ask VIP COUNT: datagrams of 4000 bytes; prints how many came back as they were.
ask()
{
	on client1 "$DATAGRAMS" ask "$1" 7000 "$2" 4000
}

network_two_armed 1 2
server_add_direct 2 192.0.2.90
plvs_config "$(service nat udp 192.0.2.80:7000 nat rr 10.10.0.11:7000)" \
	"$(service dr udp 192.0.2.90:7000 dr rr 10.10.0.12:7000)"
plvs_start 3
for i in 1 2; do
	address=10.10.0.11
	[ $i -eq 1 ] || address=192.0.2.90
	on_background server$i "echo$i" "$DATAGRAMS" echo $address 7000
	wait_for 5 "server$i listens" port_listens server$i 7000 udp
done

fragment='ip[6:2] & 0x3fff != 0'
[ "$FAMILY" = 4 ] || fragment='ip6[6] = 44'
capture_start client1 eth0 wire "$fragment and src host 192.0.2.80"
is "datagrams of 4000 bytes answered by NAT" "$(ask 192.0.2.80 8)" -eq 8
capture_stop wire
is "fragments that the client got" "$(capture wire | wc -l)" -eq 24
is "datagrams of 4000 bytes answered by DR" "$(ask 192.0.2.90 8)" -eq 8
is "dropped fragments" "$(drops fragment)" -eq 0
doors_add_up
