#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# set: full
# limit: 90
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/net/lib/health.sh
. "$TOP/tests/net/lib/health.sh"

# A service for each scheduler; one of three servers goes down in all of them by one check.
# Persistent ones besides: a template leads nobody to a server that is down, nor to a sorry
# server once others are back.
S1=10.10.0.11 S2=10.10.0.12 S3=10.10.0.13
schedulers=(rr wrr lc wlc lblc lblcr dh sh sed nq fo ovf mh twos)
services=()
n=150
for s in "${schedulers[@]}"; do
	services+=("$(service "$s" tcp 192.0.2.$n:80 nat "$s" $S1:80/3 $S2:80/2 $S3:80/1)")
	n=$((n + 1))
done
for p in remove quiesce; do
	services+=("$(service "persistent-$p" tcp 192.0.2.$n:80 nat rr $S1:80 $S2:80 192.0.2.10:80 |
		jq -c --arg p $p '.persistence = {timeout: "60s"} | .on_server_down = $p |
			.servers[2] += {forward: "local", sorry: true}')")
	n=$((n + 1))
done

# asked SERVICE-NUMBER: how many of 12 answers came, by whom.
asked()
{
	web_ask client1 "192.0.2.$1" 12 | sort | uniq -c | awk '{ printf "%s%s:%d", sep, $2, $1; sep = " " }'
}

network_two_armed 1 3
health_config '[{"name": "web", "type": "http", "interval": "200ms", "fast_interval": "100ms",
	"timeout": "800ms", "rise": 2, "fall": 2, "http": {"path": "/"}}]' "${services[@]}"
jq '.shared.defaults.check = "web"' "$RUN/plvs.json" > "$RUN/default.json"
mv "$RUN/default.json" "$RUN/plvs.json"
for i in 1 2 3; do web_start server$i; done
plvs_start 2
web_start linux
wait_for 10 "all are up" all_up
is "checks that run" "$(rpc health.counters | jq .checks)" -eq 4
for i in "${!schedulers[@]}"; do
	note "${schedulers[i]}, all up: $(asked $((150 + i)))"
done
for p in 164 165; do is "persistent" "$(asked $p)" = server2:12; done

# all_by PATTERN: every scheduler's 12 answers come, from servers that match.
all_by()
{
	local i answers
	for i in "${!schedulers[@]}"; do
		answers=$(asked $((150 + i)))
		if [ "$(tr ' ' '\n' <<< "$answers" | awk -F : '{ n += $2 } END { print n }')" -ne 12 ] ||
			grep -Evq "^($1:[0-9]+ ?)+$" <<< "$answers"; then
			fail "${schedulers[i]}: answers by $answers"
		fi
	done
	note "12 answers of each scheduler by $1"
}

background_stop web-server1
server_becomes 5 rr $S1:80 down
all_by 'server[23]'
for p in 164 165; do is "persistent, server1 down" "$(asked $p)" = server2:12; done

background_stop web-server2
server_becomes 5 rr $S2:80 down
all_by server3
for p in 164 165; do is "persistent, both down" "$(asked $p)" = linux:12; done
web_start server2
server_becomes 5 rr $S2:80 up
for p in 164 165; do is "persistent, one is back" "$(asked $p)" = server2:12; done
background_stop web-server3
server_becomes 5 rr $S3:80 down
all_by server2
doors_add_up
