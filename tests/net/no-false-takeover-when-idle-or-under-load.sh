#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 120
. "$(dirname "$0")/lib.sh"
. "$TOP/tests/net/lib/pair.sh"
. "$TOP/tests/net/lib/faults.sh"
. "$TOP/tests/net/lib/calm.sh"

calm_ready 10ms 50ms
sleep 10
calm_held "10 s at 10/50 ms" "active backup"
for r in a b; do
	pair_at $r
	jq '.shared.ha += {keepalive: "50ms", deadtime: "200ms"}' "$RUN/$r.json" > "$RUN/$r.slower"
	ctl config apply "$RUN/$r.slower" > /dev/null
done
calm_load 20
calm_held "20 s of load at 50/200 ms" "active backup"
