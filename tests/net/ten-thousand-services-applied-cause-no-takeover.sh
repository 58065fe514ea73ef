#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# set: full
# limit: 150
# alone: yes, times are measured
. "$(dirname "$0")/lib.sh"
. "$TOP/tests/net/lib/pair.sh"
. "$TOP/tests/net/lib/faults.sh"
. "$TOP/tests/net/lib/calm.sh"

calm_ready 50ms 200ms
for r in a b; do
	calm_services $r
	calm_held "10,000 services applied to $r" "active backup"
done
# As many again are taken away.
for r in b a; do
	pair_at $r
	ctl --timeout 60 config apply "$RUN/$r.json" > /dev/null
	calm_held "10,000 services taken from $r" "active backup"
done
pair_serves 192.0.2.80 5 || fail "the web does not answer"
