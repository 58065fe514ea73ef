#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 180
# set: full
# A real Prometheus scrapes the router, in OpenMetrics, with the alert rules of config/monitoring; an alert fires.
. "$(dirname "$0")/lib.sh"

network_two_armed 1 2
plvs_config "$(service web tcp 192.0.2.80:80 nat rr 10.10.0.11:8080 10.10.0.12:8080)"
jq '.node.metrics = {listen: "127.0.0.1:9469"}' "$RUN/plvs.json" > "$RUN/plvs.json.new"
mv "$RUN/plvs.json.new" "$RUN/plvs.json"
plvs_start
for i in 1 2; do web_start server$i 8080; done
# Alerts wait for minutes: not here.
sed -E 's/^( *for: ).*/\10s/' "$TOP/config/monitoring/plvs-alerts.yml" > "$RUN/alerts.yml"
cat > "$RUN/prometheus.yml" <<-END
	global: {scrape_interval: 1s, evaluation_interval: 1s}
	rule_files: [$RUN/alerts.yml]
	scrape_configs:
	  - job_name: plvs
	    static_configs: [{targets: ["127.0.0.1:9469"]}]
END
on_background dpdk prometheus prometheus --config.file="$RUN/prometheus.yml" --storage.tsdb.path="$RUN/tsdb" \
	--web.listen-address=127.0.0.1:9090 --log.level=warn

# query EXPRESSION: its first value.
query()
{
	on dpdk curl -sS --max-time 10 -G --data-urlencode "query=$1" http://127.0.0.1:9090/api/v1/query |
		jq -r '.data.result[0].value[1] // "none"'
}

scraped()
{
	[ "$(query 'up{job="plvs"}')" = 1 ]
}
wait_for 60 "Prometheus scrapes the router" scraped
web_ask client1 192.0.2.80 10 > "$RUN/answers"
counted_there()
{
	[ "$(query 'sum(plvs_service_connections_total)')" = 10 ]
}
wait_for 30 "Prometheus has ten connections" counted_there
is "the last error of a scrape" "$(on dpdk curl -sS http://127.0.0.1:9090/api/v1/targets |
	jq -r '.data.activeTargets[0].lastError')" = ""
is "rules that Prometheus could not take" "$(on dpdk curl -sS http://127.0.0.1:9090/api/v1/rules |
	jq '[.data.groups[].rules[] | select(.health == "err")] | length')" -eq 0
is "rules" "$(on dpdk curl -sS http://127.0.0.1:9090/api/v1/rules | jq '[.data.groups[].rules[]] | length')" -ge 5
for i in 1 2; do ctl health force web "10.10.0.1$i:8080" down reason "a test" > "$RUN/said"; done
fires()
{
	on dpdk curl -sS http://127.0.0.1:9090/api/v1/alerts |
		jq -e '[.data.alerts[] | select(.state == "firing")] | length > 0'
}
wait_for 60 "an alert fires" fires
note "$(on dpdk curl -sS http://127.0.0.1:9090/api/v1/alerts | jq -r '[.data.alerts[].labels.alertname] | unique | join(", ")')"
background_stop prometheus || true
doors_add_up
