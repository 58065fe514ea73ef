#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 60
# alone: yes, a flood takes all CPUs
. "$(dirname "$0")/lib.sh"

network_two_armed 2 1
plvs_config "$(service numbers udp 192.0.2.80:7000 nat rr 10.10.0.11:7000)"
plvs_start
echo_serve server1 udp 10.10.0.11 7000

ask_vip()
{
	on client1 arping -c 4 -w 15 -I eth0 192.0.2.80 > "$RUN/arping" || true
	is "ARP answers to 4 questions $1" \
		"$(sed -n 's/Received \([0-9]*\) response.*/\1/p' "$RUN/arping")" -eq 4
	on client1 ping -q -c 200 -i 0.01 192.0.2.80 > "$RUN/ping" || true
	is "pings answered of 200 $1" "$(sed -n 's/.* \([0-9]*\) received.*/\1/p' "$RUN/ping")" -ge "$2"
	is "answered twice $1" "$(grep -c duplicates "$RUN/ping" || true)" -eq 0
}

ask_vip "at rest" 200
on_background client2 load "$PROBE" udp-ask 192.0.2.80:7000 --count 10000000 --rate 20000 --flows 8
ask_vip "under load" 200
background_stop load || true
note "load: $(cat "$RUN/load.log")"
doors_add_up
