# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# A healthy pair, at rest and at work: nothing changes. Sourced after faults.sh.

# calm_ready KEEPALIVE DEADTIME: the pair, with servers for what follows.
calm_ready()
{
	PAIR_HA=$(jq -c --arg k "$1" --arg d "$2" '. + {keepalive: $k, deadtime: $d}' <<< "$PAIR_HA")
	pair_ready 2 1 "$(service web tcp 192.0.2.80:80 nat rr 10.10.0.11:8080)" \
		"$(service bulk tcp 192.0.2.80:5201 nat rr 10.10.0.11:5201)"
	web_start server1 8080
	bulk_serve server1
	wait_for 10 "the web answers" pair_serves 192.0.2.80 3
	calm_remember
}

calm_remember()
{
	calm_changes=$(($(pair_changes a) + $(pair_changes b)))
}

# calm_held WHAT ROLES: since calm_remember.
calm_held()
{
	is "$1: a and b" "$(roles_seen)" = "$2"
	is "$1: role changes" "$(($(pair_changes a) + $(pair_changes b) - calm_changes))" -eq 0
	is "$1: times that STOP was refused" "$(($(of a .refused_stops) + $(of b .refused_stops)))" -eq 0
	note "$1: loops late by at most $(of a .late_max_us) and $(of b .late_max_us) us"
}

# calm_load SECONDS: bulk TCP and web requests at once, as fast as they go.
calm_load()
{
	on_background client2 wrk timeout $(($1 + 30)) wrk -t 1 -c 50 -d "$1" http://192.0.2.80/
	note "iperf3: $(bulk client1 192.0.2.80 "$1") Mbit/s"
	background_wait wrk || fail "wrk: $(cat "$RUN/wrk.log")"
	note "wrk: $(grep -E 'Requests/sec|Socket errors' "$RUN/wrk.log" | tr -s '\n ' ' ')"
}

# calm_services ROUTER: 10,000 services more are applied to it: 40 VIPs with 250 ports each.
calm_services()
{
	jq --slurpfile many <(jq -nc '[range(40) as $v | range(250) as $p |
		{name: "s\($v)-\($p)", protocol: "tcp", listen: ["192.0.2.\(200 + $v):\(1000 + $p)"],
		 servers: [{address: "10.10.0.11:80"}, {address: "10.10.0.12:80"}]}]') \
		'.shared.services += $many[0]' "$RUN/$1.json" > "$RUN/$1.many"
	pair_at "$1"
	ctl --timeout 60 config apply "$RUN/$1.many" > "$RUN/applied"
	is "services of $1" "$(rpc status | jq .services)" -ge 10000
}
