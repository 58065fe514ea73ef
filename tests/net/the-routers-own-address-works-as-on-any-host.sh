#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 90
# alone: yes, all CPUs are taken
. "$(dirname "$0")/lib.sh"

network_two_armed 1 1
plvs_config "$(service web tcp 192.0.2.80:80 nat rr 10.10.0.11:80)"
plvs_start
web_start server1
bulk_serve linux
echo_serve linux tcp 192.0.2.10 22

on client1 ping -q -c 100 -i 0.01 192.0.2.10 > "$RUN/ping"
is "pings answered" "$(sed -n 's/.* \([0-9]*\) received.*/\1/p' "$RUN/ping")" -eq 100
is "answered twice" "$(grep -c duplicates "$RUN/ping" || true)" -eq 0
is "ARP answers to 4 questions" "$(on client1 arping -c 4 -I eth0 192.0.2.10 |
	sed -n 's/Received \([0-9]*\) response.*/\1/p')" -eq 4
is "ssh-like connections that answer" \
	"$(on client1 "$PROBE" tcp-hold 192.0.2.10:22 --count 50 < /dev/null | jq .answered)" -eq 50
is "Mbit/s to the router itself" "$(bulk client1 192.0.2.10 2)" -ge 5
is "Mbit/s from the router itself" "$(bulk client1 192.0.2.10 2 -R)" -ge 5
# The other way: the router is a client.
is "the router asks a server" "$(on linux curl -sS --max-time 5 http://10.10.0.11/)" = server1
is "a service still answers" "$(on client1 curl -sS --max-time 5 http://192.0.2.80/)" = server1
doors_add_up
