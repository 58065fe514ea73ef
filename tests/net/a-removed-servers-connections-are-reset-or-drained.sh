#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 60
# families: 4 6
# set6: full
. "$(dirname "$0")/lib.sh"

network_two_armed 1 2
plvs_config "$(service web tcp 192.0.2.80:80 nat rr 10.10.0.11:80 10.10.0.12:80)"
plvs_start
for i in 1 2; do web_start server$i; done

# A download of 8 s. Prints curl's exit code and what came.
serves_download()
{
	rpc service.list | jq -e '[.services[0].servers[] | select(.active == 1)] | length == 1'
}
download_start()
{
	# shellcheck disable=SC2016
	on_background client1 download sh -c \
		'code=0; n=$(curl -s -w "%{size_download}" -o /dev/null http://192.0.2.80/slow) || code=$?; echo "$code $n"'
	wait_for 5 "the download is an active connection" serves_download
	busy=$(rpc service.list | jq -r '.services[0].servers[] | select(.active == 1) | .address')
	note "the download goes through $busy"
}

# By default its client is told at once.
download_start
ctl server delete web "$busy"
start=$(date +%s%N)
background_wait download || fail "the download did not report"
took=$((($(date +%s%N) - start) / 1000000))
read -r code bytes < "$RUN/download.log"
is "curl's exit code (56: connection reset)" "$code" -eq 56
is "bytes that came before" "$bytes" -lt "$WEB_SLOW"
is "milliseconds until it ended" "$took" -lt 1500
resets=$(rpc counter.list | jq '[.. | objects | .resets? // empty] | max')
[ "$resets" -gt 0 ] || fail "no RST was counted"
ctl server add web "$busy"

# Drained, it comes to its end, and shows while it does.
rpc service.edit '{"service":"web","set":{"on_server_gone":"drain","drain_timeout":"30s"}}' > "$RUN/edit"
download_start
ctl server delete web "$busy"
rpc service.get '{"service":"web"}' > "$RUN/service"
is "connections left on the removed server" \
	"$(jq -r '.service.removed_servers[0].connections' "$RUN/service")" -ge 1
is "seconds left" "$(jq -r '.service.removed_servers[0].drain_left_s' "$RUN/service")" -gt 25
ctl service show web | grep removed | grep -qF "$busy" || fail "plvsctl does not show the removed server"
background_wait download || fail "the drained download broke"
read -r code bytes < "$RUN/download.log"
is "curl's exit code" "$code" -eq 0
is "bytes of the drained download" "$bytes" -eq "$WEB_SLOW"
doors_add_up
ctl server add web "$busy"
rpc service.edit '{"service":"web","set":{"on_server_gone":null,"drain_timeout":null}}' > "$RUN/edit"

# At once again, when the VIP goes with its last service: it is not answered for any more, and
# packets that still come meet the policy.
download_start
ctl service delete web
start=$(date +%s%N)
background_wait download || fail "the download did not report"
took=$((($(date +%s%N) - start) / 1000000))
read -r code bytes < "$RUN/download.log"
is "curl's exit code without the service (56: connection reset)" "$code" -eq 56
is "milliseconds until it ended without the service" "$took" -lt 1500
