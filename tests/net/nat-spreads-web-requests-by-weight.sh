#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 60
# families: 4 6
. "$(dirname "$0")/lib.sh"

network_two_armed 2 3
plvs_config "$(service web tcp 192.0.2.80:80 nat wrr \
	10.10.0.11:8080/1 10.10.0.12:8080/2 10.10.0.13:8080/3)"
plvs_start
for i in 1 2 3; do web_start server$i 8080; done

web_ask client1 192.0.2.80 120 > "$RUN/answers"
web_ask client2 192.0.2.80 60 >> "$RUN/answers"
is "answers" "$(wc -l < "$RUN/answers")" -eq 180
is "by the server of weight 1" "$(answers_by "$RUN/answers" server1)" -eq 30
is "by the server of weight 2" "$(answers_by "$RUN/answers" server2)" -eq 60
is "by the server of weight 3" "$(answers_by "$RUN/answers" server3)" -eq 90
is "requests that show the client's own address" \
	"$(cat "$RUN"/web-server*/access.log | grep -c "^$(inet 192.0.2.10)[12] ")" -eq 180
is "connections counted" "$(counted '.services[0].counters.conns')" -eq 180
doors_add_up
