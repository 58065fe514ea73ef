#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 120
. "$(dirname "$0")/lib.sh"
. "$TOP/tests/net/lib/pair.sh"
. "$TOP/tests/net/lib/faults.sh"
. "$TOP/tests/net/lib/calm.sh"

calm_ready 10ms 50ms
sleep 6
calm_held "6 s at 10/50 ms" "active backup"
for r in a b; do
	pair_at $r
	jq '.shared.ha += {keepalive: "50ms", deadtime: "200ms"}' "$RUN/$r.json" > "$RUN/$r.slower"
	ctl config apply "$RUN/$r.slower" > /dev/null
done
calm_load 12
calm_held "12 s of load at 50/200 ms" "active backup"
