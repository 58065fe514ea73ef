#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 90
# alone: yes, times are measured
# Clients of the control socket and of the metrics that do not read, read slowly, send half
# lines, or come and go: the control loop stays in time for others.
. "$(dirname "$0")/lib.sh"

network_two_armed 1 1
plvs_config "$(service web tcp 192.0.2.80:80 nat rr 10.10.0.11:80)"
# Large answers: 2,000 services of 10 servers.
jq -c --arg metrics "$RUN/metrics.sock" '.node.metrics = {socket: $metrics} |
	.shared.services += [range(2000) | {name: "s\(.)", protocol: "tcp",
		listen: ["198.18.\(. / 200 | floor).\(. % 200 + 1):80"], scheduler: "wlc", forward: "nat",
		servers: [range(10) | {address: "10.10.1.\(. + 1):80"}]}]' "$RUN/plvs.json" \
	> "$RUN/plvs.json.new"
mv "$RUN/plvs.json.new" "$RUN/plvs.json"
plvs_start
timeout 60 python3 "$TOP/tests/net/lib/idlers.py" "$RUN/plvs.sock" "$RUN/metrics.sock" > "$RUN/idlers" ||
	fail "$(cat "$RUN/idlers")"
cat "$RUN/idlers"
plvs_answers > /dev/null
doors_add_up
