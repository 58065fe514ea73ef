#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 60
. "$(dirname "$0")/lib.sh"

network_two_armed 1 2
plvs_config "$(service web tcp 192.0.2.80:80 nat wrr 10.10.0.11:8080/1 10.10.0.12:8080/3)" \
	"$(service 'none' udp 192.0.2.80:53 nat rr 10.10.0.11:53)"
jq '.node.metrics = {listen: "127.0.0.1:9469"} |
	.shared.checks = [{name: "web", type: "http", interval: "200ms", rise: 1}] |
	.shared.services[0].check = "web"' "$RUN/plvs.json" > "$RUN/plvs.json.new"
mv "$RUN/plvs.json.new" "$RUN/plvs.json"
plvs_start 2

scrape()
{
	on dpdk curl -sS --max-time 10 "$@" http://127.0.0.1:9469/metrics
}

# sample NAME-AND-LABELS: its value.
sample()
{
	scrape | grep -F -- "$1 " | cut -d ' ' -f 2
}

for i in 1 2; do web_start server$i 8080; done
both_up()
{
	[ "$(ctl --json health list service web state up | jq '.servers | length')" -eq 2 ]
}
wait_for 10 "both servers are up" both_up
web_ask client1 192.0.2.80 40 > "$RUN/answers"
is "answers" "$(wc -l < "$RUN/answers")" -eq 40
web_ask client1 192.0.2.80:81 1 > "$RUN/refused" 2>&1

# listings FOLDER: what plvsctl shows.
listings()
{
	mkdir "$RUN/$1"
	rpc counter.list > "$RUN/$1/counters"
	rpc service.list > "$RUN/$1/services"
	rpc health.list > "$RUN/$1/health"
}

# Probes go on and are counted, so the metrics lie between two listings. The parser is of Debian, and for its
# Python.
listings before
scrape -H 'Accept: application/openmetrics-text' > "$RUN/metrics"
listings after
code=0
/usr/bin/python3 "$TOP/tests/net/lib/metrics.py" "$RUN/metrics" "$RUN/before" "$RUN/after" > "$RUN/compared" || code=$?
[ $code -eq 0 ] || fail "metrics and plvsctl differ: $(cat "$RUN/compared")"
note "$(cat "$RUN/compared")"
# Without such an Accept header comes the older text. promtool ends with 1 if it cannot read the
# text, and with 3 if it has remarks about names.
scrape > "$RUN/text"
code=0
promtool check metrics < "$RUN/text" > "$RUN/promtool" 2>&1 || code=$?
is "promtool's exit code but for remarks" "${code/3/0}" -eq 0
is "lines that end the older text" "$(grep -c '^# EOF' "$RUN/text")" -eq 0
key='service="tcp:192.0.2.80:80",server="10.10.0.12:8080"'
is "connections of the heavier server" "$(sample "plvs_server_connections_total{$key}")" -eq 30
is "its checks took some time" "$(sample "plvs_server_probe_seconds{$key}" | grep -c '[1-9]')" -eq 1
background_stop web-server2 KILL || true
down()
{
	[ "$(sample "plvs_server_state{$key}")" -eq 2 ]
}
wait_for 10 "the server that ended is down" down
is "changes of its state" "$(sample "plvs_server_transitions_total{$key}")" -ge 2
if [ -n "${PLVS_KEEP_METRICS:-}" ]; then cp "$RUN/metrics" "$PLVS_KEEP_METRICS"; fi
doors_add_up
