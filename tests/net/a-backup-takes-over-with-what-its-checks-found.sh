#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# set: full
# limit: 120
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/net/lib/pair.sh
. "$TOP/tests/net/lib/pair.sh"
# shellcheck source=tests/net/lib/health.sh
. "$TOP/tests/net/lib/health.sh"

# The backup asks for itself, by the VIP as well, which is not active there. When it takes over,
# clients meet no server that is down, and no server starts slowly.
VIP=192.0.2.90
pair_network 1 2
for i in 1 2; do
	server_add_direct $i $VIP
	web_start server$i
	echo well > "$RUN/web-server$i/www/health"
done
services=("$(service web tcp 192.0.2.80:80 nat rr 10.10.0.11:80 10.10.0.12:80 |
	jq -c '.check = "web" | .slow_start = "60s" | .servers[].weight = 10')"
"$(service direct tcp $VIP:80 dr rr 192.0.2.11:80 192.0.2.12:80 | jq -c '.check = "vip"')")
for r in a b; do
	pair_config $r "${services[@]}"
	jq '.shared.checks = [{name: "web", type: "http", interval: "200ms", timeout: "800ms",
		rise: 2, fall: 2, http: {path: "/health"}}, {name: "vip", type: "http", interval: "200ms",
		timeout: "800ms", rise: 2, fall: 2, via_vip: true, http: {path: "/health"}}]' \
		"$RUN/$r.json" > "$RUN/checked.json"
	mv "$RUN/checked.json" "$RUN/$r.json"
done
pair_start a
pair_becomes 20 a active
pair_start b
pair_becomes 20 b backup
for r in a b; do
	pair_at $r
	wait_for 10 "all are up for $r" all_up
done
note "errors of checks at the backup: $(rpc health.counters | jq .errors)"

# Both find out.
rm "$RUN/web-server1/www/health"
for r in a b; do
	pair_at $r
	server_becomes 5 web 10.10.0.11:80 down
	server_becomes 5 direct 192.0.2.11:80 down
done
# The server comes back, so that b would start it slowly, and fails again.
echo well > "$RUN/web-server1/www/health"
for r in a b; do
	pair_at $r
	server_becomes 5 web 10.10.0.11:80 up
	is "$r begins with a part of its weight" \
		"$(health_of web 10.10.0.11:80 .effective_weight)" -lt 10
done
rm "$RUN/web-server2/www/health"
for r in a b; do
	pair_at $r
	server_becomes 5 web 10.10.0.12:80 down
	server_becomes 5 direct 192.0.2.12:80 down
done
is "state of the backup" "$(pair_state b)" = backup
edges=$(edges)

pair_kill a
pair_becomes 10 b active
pair_at b
web_ask client1 192.0.2.80 20 > "$RUN/answers"
is "answers by NAT of server1, the only one" "$(answers_by "$RUN/answers" server1)" -eq 20
web_ask client1 $VIP 20 > "$RUN/answers"
is "answers by DR of server1" "$(answers_by "$RUN/answers" server1)" -eq 20
is "weight after the takeover" "$(health_of web 10.10.0.11:80 .effective_weight)" -eq 10
is "changes of state by the takeover" "$(($(edges) - edges))" -eq 0
echo well > "$RUN/web-server2/www/health"
server_becomes 5 web 10.10.0.12:80 up
doors_add_up
