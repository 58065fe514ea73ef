#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 60
. "$(dirname "$0")/lib.sh"

network_two_armed 1 2
plvs_config "$(service web tcp 192.0.2.80:80 nat rr 10.10.0.11:8080 10.10.0.12:8080)"
jq --arg told "$RUN/told" '.shared.services[0].quorum = 2 |
	.node.notify.health = ["/bin/sh", "-c", "t=$(cat); echo \"$t\" >> \"$0\"", $told]' \
	"$RUN/plvs.json" > "$RUN/plvs.json.new"
mv "$RUN/plvs.json.new" "$RUN/plvs.json"
plvs_start
for i in 1 2; do web_start server$i 8080; done

# told COUNT: that many documents have come.
told()
{
	[ -e "$RUN/told" ] && [ "$(wc -l < "$RUN/told")" -ge "$1" ]
}

# A single way of saying what is in the log.
logged()
{
	grep -c -- "$1" "$RUN/plvs.log" || true
}

web_ask client1 192.0.2.80 10 > "$RUN/answers"
is "answers of server1 while both are up" "$(answers_by "$RUN/answers" server1)" -eq 5
ctl health force web 10.10.0.11:8080 down reason "disk is full" > "$RUN/said"
note "$(cat "$RUN/said")"
# A change is live when it is answered.
web_ask client1 192.0.2.80 10 > "$RUN/answers"
is "answers of server2 while the other is forced down" \
	"$(answers_by "$RUN/answers" server2)" -eq 10
is "the reason in the listing" \
	"$(ctl health list state forced | grep -c '10.10.0.11:8080 *forced down .* no .*disk is full')" -eq 1
is "the quorum in words" \
	"$(ctl health show web 10.10.0.11:8080 | grep -c '^quorum *lost, 1 of 2 servers up')" -eq 1
is "warnings of status" \
	"$(ctl status | grep -c '^warning .*tcp:192.0.2.80:80 has lost its quorum')" -eq 1
ctl health force web 10.10.0.11:8080 auto > "$RUN/said"
is "warnings of status when it is back" "$(ctl status | grep -c '^warning' || true)" -eq 0
wait_for 5 "four documents are told" told 4
is "what was told, in order" \
	"$(jq -c 'if .event == "quorum" then .quorum else [.server, .admin, .chosen] end' \
		"$RUN/told" | sort | paste -sd ' ')" = \
	'"held" "lost" ["10.10.0.11:8080","down",false] ["10.10.0.11:8080","none",true]'
is "why" "$(jq -r 'select(.admin == "down") | .reason' "$RUN/told")" = "disk is full"
is "lines of the log about the quorum" "$(logged 'the quorum is')" -eq 2
is "lines of the log about the server" "$(logged 'real server 10.10.0.11:8080')" -eq 2
doors_add_up
