# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
# Requests at a low rate, for tests of workers that sleep. Sourced after lib.sh.

LATENCY=$BUILD/tools/bench/plvs-latency

# idle_config HOW: the service of those requests, with workers.idle HOW.
idle_config()
{
	plvs_config "$(service s tcp 192.0.2.80:7000 nat rr 10.10.0.11:7000)"
	jq --arg idle "$1" '.node.workers.idle = $idle' "$RUN/plvs.json" > "$RUN/plvs.json.new"
	mv "$RUN/plvs.json.new" "$RUN/plvs.json"
}

# idle_network: a client and a server that answers.
idle_network()
{
	network_two_armed 1 1
	on_background server1 served "$LATENCY" serve 10.10.0.11 7000
	wait_for 5 "the server listens" port_listens server1 7000
}

# p50 of 500 requests a second, in us.
p50()
{
	timeout 20 ip netns exec "$NET-client1" "$LATENCY" ask 192.0.2.80 7000 500 2 4 > "$RUN/asked"
	jq ".p50_us | round" "$RUN/asked"
}
