#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 60
. "$(dirname "$0")/lib.sh"

# sorry WEIGHT WEIGHT: a NAT server and the router itself, by weight.
sorry()
{
	service web tcp 192.0.2.80:80 nat rr "10.10.0.11:80/$1" "192.0.2.10:80/$2" |
		jq -c '.servers[1].forward = "local"'
}

network_two_armed 1 1
plvs_config "$(sorry 1 0)" "$(service own tcp 192.0.2.81:80 local rr 192.0.2.10:80)"
plvs_start
web_start server1
web_start linux

web_ask client1 192.0.2.80 20 > "$RUN/answers"
is "answers of the real server" "$(answers_by "$RUN/answers" server1)" -eq 20
plvs_config "$(sorry 0 1)" "$(service own tcp 192.0.2.81:80 local rr 192.0.2.10:80)"
ctl config apply "$RUN/plvs.json" > /dev/null
web_ask client1 192.0.2.80 20 > "$RUN/answers"
is "answers of the router" "$(answers_by "$RUN/answers" linux)" -eq 20
web_ask client1 192.0.2.81 20 > "$RUN/answers"
is "answers of the router by a service of its own" "$(answers_by "$RUN/answers" linux)" -eq 20
is "connections of the local server" \
	"$(rpc connection.count '{"server": "192.0.2.10:80"}' | jq .count)" -eq 40
doors_add_up
