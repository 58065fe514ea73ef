#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 60
. "$(dirname "$0")/lib.sh"

network_two_armed 1 3
plvs_config "$(service web tcp 192.0.2.80:80 nat rr 10.10.0.11:80 10.10.0.12:80 10.10.0.13:80)"
plvs_start
for i in 1 2 3; do web_start server$i; done
web_ask client1 192.0.2.80 30 > "$RUN/answers"
is "servers at first" "$(sort -u "$RUN/answers" | wc -l)" -eq 3

ctl server delete web 10.10.0.12:80
web_ask client1 192.0.2.80 60 > "$RUN/answers"
is "answers after the removal" "$(wc -l < "$RUN/answers")" -eq 60
is "by the removed server" "$(answers_by "$RUN/answers" server2)" -eq 0
is "servers listed" "$(rpc service.list | jq '.services[0].servers | length')" -eq 2

ctl server add web 10.10.0.12:80
web_ask client1 192.0.2.80 60 > "$RUN/answers"
is "by the server that is back" "$(answers_by "$RUN/answers" server2)" -eq 20

# By file as well.
plvs_config "$(service web tcp 192.0.2.80:80 nat rr 10.10.0.11:80)"
ctl config apply
web_ask client1 192.0.2.80 20 > "$RUN/answers"
is "by the only server left" "$(answers_by "$RUN/answers" server1)" -eq 20
doors_add_up
