#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 120
# alone: yes, times are measured
. "$(dirname "$0")/lib.sh"

network_two_armed 1 1
# 10,000 services: 40 VIPs with 250 ports each.
plvs_config "$(jq -nc '[range(40) as $v | range(250) as $p |
	{name: "s\($v)-\($p)", protocol: "tcp", listen: ["192.0.2.\(200 + $v):\(1000 + $p)"],
	 servers: [{address: "10.10.0.11:80"}, {address: "10.10.0.12:80"}]}] | .[]')"
plvs_start
web_start server1
is "services" "$(rpc status | jq .services)" -eq 10000
for i in $(seq 21); do
	rpc server.edit "{\"service\": \"s7-$i\", \"server\": \"10.10.0.12:80\", \"set\": {\"weight\": $i}}" |
		jq .duration_us
done | sort -n > "$RUN/durations"
# The middle one: a neighbour on the machine may hold a worker up once.
is "microseconds until a weight is live" "$(sed -n 11p "$RUN/durations")" -lt 5000
note "slowest of 21: $(tail -1 "$RUN/durations") us"
is "the last weight" "$(rpc service.get '{"service": "s7-21"}' |
	jq '.service.servers[] | select(.address == "10.10.0.12:80") | .weight')" -eq 21
doors_add_up
