#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 60
# families: 4 6
. "$(dirname "$0")/lib.sh"

network_two_armed 2 3
for i in 1 2 3; do server_add_direct $i 192.0.2.90; done
plvs_config "$(service web tcp 192.0.2.90:80 dr rr \
	192.0.2.11:80 192.0.2.12:80 192.0.2.13:80)"
plvs_start
for i in 1 2 3; do web_start server$i 80; done

capture_start client1 eth0 answers 'tcp and src host 192.0.2.90'
web_ask client1 192.0.2.90 90 > "$RUN/answers"
web_ask client2 192.0.2.90 30 >> "$RUN/answers"
capture_stop answers
is "answers" "$(wc -l < "$RUN/answers")" -eq 120
for i in 1 2 3; do
	is "answers of server$i" "$(answers_by "$RUN/answers" server$i)" -eq 40
	# Linux acknowledges a SYN once: one such frame a connection.
	is "connections that server$i answered by its own MAC" "$(capture answers |
		grep -F "$(mac_of server$i public) >" | grep -c 'Flags \[S\.\]')" -eq 30
done
router=$(on linux cat /sys/class/net/public/address)
is "frames from the VIP by the router's MAC" "$(capture answers | grep -cF "$router >" || true)" -eq 0
doors_add_up
