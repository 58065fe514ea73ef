#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 60
. "$(dirname "$0")/lib.sh"

network_two_armed 1 2
plvs_config "$(service web tcp 192.0.2.80:80 nat rr 10.10.0.11:80 10.10.0.12:80)"
plvs_start
for i in 1 2; do web_start server$i; done

# The download lasts longer than what follows.
on_background client1 download curl -sS -w '%{size_download}\n' -o /dev/null http://192.0.2.80/slow
serves_download()
{
	rpc service.list | jq -e '[.services[0].servers[] | select(.active == 1)] | length == 1'
}
wait_for 5 "the download is an active connection" serves_download
busy=$(rpc service.list | jq -r '.services[0].servers[] | select(.active == 1) | .address')
note "the download goes through $busy"
ctl server edit web "$busy" weight 0

web_ask client1 192.0.2.80 50 > "$RUN/answers"
is "answers" "$(wc -l < "$RUN/answers")" -eq 50
is "servers that gave them" "$(sort -u "$RUN/answers" | wc -l)" -eq 1
kill -0 "$(cat "$RUN/download.pid")" || fail "the download ended too early to tell anything"
background_wait download || fail "the download broke: $(cat "$RUN/download.log")"
is "bytes of the download" "$(cat "$RUN/download.log")" -eq "$WEB_SLOW"

ctl server edit web "$busy" weight 1
web_ask client1 192.0.2.80 50 > "$RUN/answers"
is "servers after the weight is back" "$(sort -u "$RUN/answers" | wc -l)" -eq 2
doors_add_up
