#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 90
. "$(dirname "$0")/lib.sh"
. "$TOP/tests/net/lib/pair.sh"
. "$TOP/tests/net/lib/faults.sh"

pair_ready 1 1 "$(service web tcp 192.0.2.80:80 nat rr 10.10.0.11:8080)"
web_start server1 8080
wait_for 10 "the web answers" pair_serves 192.0.2.80 3
a=$(pair_changes a) b=$(pair_changes b)
for seconds in 0.15 0.3 0.5 1 3; do
	pair_freeze b
	sleep $seconds
	pair_serves 192.0.2.80 3 || fail "the web does not answer while b is frozen"
	pair_thaw b
	stays 1 "active backup"
done
is "role changes of a" "$(pair_changes a)" -eq "$a"
is "role changes of b" "$(pair_changes b)" -eq "$b"
is "STOPs that a heard" "$(of a '[.transitions.stopped, .refused_stops | . // 0] | add')" -eq 0

note "the active router stands still for less than a takeover needs"
for _ in 1 2 3 4 5; do
	pair_freeze a
	pause 0.08
	pair_thaw a
	pause 0.5
done
stays 1 "active backup"
is "role changes of b" "$(pair_changes b)" -eq "$b"
pair_serves 192.0.2.80 3 || fail "the web does not answer"
