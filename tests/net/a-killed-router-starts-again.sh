#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 60
. "$(dirname "$0")/lib.sh"

network_two_armed 1 1
plvs_config "$(service web tcp 192.0.2.80:80 nat rr 10.10.0.11:80)"
web_start server1
for round in 1 2 3; do
	plvs_start
	is "round $round answers" "$(on client1 curl -sS --max-time 5 http://192.0.2.80/)" = server1
	plvs_kill
done
# A second one beside the first is refused, and the first goes on.
plvs_start
is "answers after three kills" "$(on client1 curl -sS --max-time 5 http://192.0.2.80/)" = server1
first=$PLVS_PID
mapfile -t eal < <(plvs_eal 1)
if on dpdk timeout 20 "$BUILD/src/plvs" "${eal[@]}" -- -c "$RUN/plvs.json" \
	> "$RUN/second.log" 2>&1; then
	fail "a second plvs on the same socket started"
fi
kill -0 "$first" || fail "the first plvs ended when a second one was started"
is "the first still answers" "$(on client1 curl -sS --max-time 5 http://192.0.2.80/)" = server1
doors_add_up
plvs_stop
is "interfaces left in Linux" "$(ip -n "$NET-linux" -o link | grep -vc ' lo:' || true)" -eq 0
