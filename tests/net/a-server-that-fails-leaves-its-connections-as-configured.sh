#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# set: full
# limit: 90
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/net/lib/health.sh
. "$TOP/tests/net/lib/health.sh"

# A check by a page of its own, so that the server goes down while its downloads go on.
S1=10.10.0.11 S2=10.10.0.12
network_two_armed 2 2
for i in 1 2; do
	web_start server$i
	echo well > "$RUN/web-server$i/www/health"
done
http='[{"name": "web", "type": "http", "interval": "200ms", "fast_interval": "100ms",
	"timeout": "800ms", "rise": 2, "fall": 2, "http": {"path": "/health"}}]'
policies='{"reset": {}, "quiesce": {"on_server_down": "quiesce"},
	"keep": {"on_server_gone": "keep"}, "drain": {"on_server_gone": "drain", "drain_timeout": "2s"}}'
services=()
n=150
for s in reset quiesce keep drain; do
	services+=("$(service $s tcp 192.0.2.$n:80 nat rr $S1:80 $S2:80 |
		jq -c --argjson p "$policies" --arg s $s '. + $p[$s] + {check: "web", slow_start: "4s"} |
			.servers[].weight = 100')")
	n=$((n + 1))
done
health_config "$http" "${services[@]}" \
	"$(service udp udp 192.0.2.$n:7000 nat rr $S1:7000 $S2:7000 | jq -c '.check = "web"')"
jq '.shared.checks[0].port = 80' "$RUN/plvs.json" > "$RUN/port.json"
mv "$RUN/port.json" "$RUN/plvs.json"
for i in 1 2; do echo_serve server$i udp 10.10.0.1$i 7000; done
plvs_start 2
wait_for 10 "all are up" all_up
is "weight of those that are up at the start" \
	"$(health_of reset $S1:80 .effective_weight)" -eq 100

# Two downloads of each service: one by each server.
n=150
for s in reset quiesce keep drain; do
	for i in 1 2; do
		# shellcheck disable=SC2016
		on_background client$i $s$i sh -c \
			'code=0; n=$(curl -s -m 12 -w "%{size_download}" -o /dev/null "http://$0/slow") || code=$?
			 echo "$code $n $(date +%s%3N)"' 192.0.2.$n
	done
	n=$((n + 1))
done
on_background client1 ask "$PROBE" udp-ask 192.0.2.154:7000 --count 2000 --rate 500 --flows 20
carried()
{
	rpc service.list | jq -e '[.services[] | select(.protocol == "tcp")] |
		all(all(.servers[]; .active >= 1))'
}
wait_for 5 "each server carries a download of each service" carried
sleep 1
rm "$RUN/web-server1/www/health"
server_becomes 5 reset $S1:80 down
since=$(health_of reset $S1:80 .since_ms)

# ended SERVICE: which of its downloads has ended, and how.
ended()
{
	cat "$RUN/$1"[12].log
}
one_ended()
{
	[ "$(ended "$1" | wc -l)" -eq 1 ]
}
wait_for 3 "the reset one has ended" one_ended reset
is "curl's exit code (56: connection reset)" "$(ended reset | cut -d ' ' -f 1)" -eq 56
is "milliseconds until then" "$(($(ended reset | cut -d ' ' -f 3) - since))" -lt 1500
wait_for 5 "the drained one has ended" one_ended drain
is "curl's exit code (56)" "$(ended drain | cut -d ' ' -f 1)" -eq 56
is "milliseconds until then" "$(($(ended drain | cut -d ' ' -f 3) - since))" -ge 900 # counted in whole seconds

# Back: it starts slowly, and what was kept goes on.
echo well > "$RUN/web-server1/www/health"
server_becomes 5 reset $S1:80 up
rpc health.show "{\"service\": \"reset\", \"server\": \"$S1:80\"}" > "$RUN/begin"
is "source of its weight" "$(jq -r .weight_source "$RUN/begin")" = "slow start"
is "its weight at once" "$(jq .effective_weight "$RUN/begin")" -le 60
grown()
{
	[ "$(health_of reset $S1:80 .effective_weight)" -gt "$(jq .effective_weight "$RUN/begin")" ]
}
wait_for 3 "it grows" grown
whole()
{
	[ "$(health_of reset $S1:80 .effective_weight)" -eq 100 ]
}
wait_for 6 "it has its whole weight" whole
for s in quiesce keep; do
	for i in 1 2; do
		background_wait $s$i
		is "curl's exit code and bytes, $s" "$(cut -d ' ' -f 1-2 "$RUN/$s$i.log")" = "0 $WEB_SLOW"
	done
done
background_wait ask
note "datagrams: $(cat "$RUN/ask.log")"
is "datagrams that got no answer" "$(jq .lost "$RUN/ask.log")" -le 40
doors_add_up
