#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 120
PLVS_DRIVER=af_xdp
. "$(dirname "$0")/lib.sh"
. "$TOP/tests/net/lib/pair.sh"
. "$TOP/tests/net/lib/faults.sh"

pair_ready 1 1 "$(service web tcp 192.0.2.80:80 nat rr 10.10.0.11:8080)"
web_start server1 8080
wait_for 10 "the web answers" pair_serves 192.0.2.80 3
on_background client1 pings ping -q -i 0.05 "${PAIR_PUBLIC[a]}"
on_background server1 pings2 ping -q -i 0.05 "${PAIR_PRIVATE[a]}"

"$TOP/tests/net/lib/starve.py" "${ROUTER_PID[a]}" 0
since=$EPOCHREALTIME
pair_becomes 10 b active
note "b is active $(((${EPOCHREALTIME/./} - ${since/./}) / 1000)) ms after the port stalled"
wait_for 10 "the web answers by b" pair_serves 192.0.2.80 3
pair_becomes 10 a backup
pair_at a
wait_for 10 "the ports of a work again" eval \
	"rpc port.list | jq -e 'all(.ports[]; .link_up and .state == \"works\")'"
is "stalls of a" "$(rpc port.list | jq '[.ports[].stalls] | add')" -eq 1
background_stop pings INT || true
background_stop pings2 INT || true
