#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# set: full
# limit: 120
# alone: yes, a worker that waits for a CPU for 150 ms is stuck
. "$(dirname "$0")/lib.sh"
. "$TOP/tests/net/lib/fleet.sh"

FLEET_ANNOUNCE='{"stuck": "150ms"}'
fleet_ready 2 2
hold_open 200 198.51.100.80:7
probe_start ask client2
pause 0.5
victim=$(probe_carrier)
pid=${ROUTER_PID[lb$victim]}
unset "ROUTER_PID[lb$victim]"
python3 "$TOP/tests/net/lib/freeze.py" "$pid" "$(cat /proc/"$pid"/task/*/comm | grep -m 1 -E 'lcore-worker|rte-worker|worker')" \
	> "$RUN/freeze.log" 2>&1 &
begin=$(date +%s%3N)
wait_for 10 "the process ends" test ! -e "/proc/$pid/stat" -o -n "$(awk '$3 == "Z"' "/proc/$pid/stat" 2> /dev/null)"
note "the process ended within $(($(date +%s%3N) - begin)) ms: $(grep 'no progress' "$RUN/lb$victim.log")"
grep -q 'worker 0 has made no progress' "$RUN/lb$victim.log" || fail "lb$victim did not say why it ended"
fleet_becomes 5 198.51.100.80 "$((3 - victim))"
pause 0.5
gap=$(probe_end ask)
note "the gap: $gap ms"
is "the gap, ms" "$gap" -lt 2000
is "connections that answer" "$(hold_answered)" -eq 200
hold_close
fleet_at $((3 - victim))
doors_add_up
