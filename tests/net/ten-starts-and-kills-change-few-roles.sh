#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 150
. "$(dirname "$0")/lib.sh"
. "$TOP/tests/net/lib/pair.sh"
. "$TOP/tests/net/lib/faults.sh"

# How often a router became active, stopped the other one, or gave up.
moves()
{
	grep -cE ' ha: (takeover|active|fenced|fault), was ' "$RUN/$1.log" || true
}

# ten_times ROUTER: it is killed and started, and lives for 0 to 1.8 seconds.
ten_times()
{
	local i
	for i in 0 1 2 3 4 5 6 7 8 9; do
		pair_kill "$1"
		pair_start "$1"
		sleep "$((i * 2 / 10)).$((i * 2 % 10))"
	done
	pair_becomes 20 "$1" backup
}

pair_ready 1 1 "$(service web tcp 192.0.2.80:80 nat rr 10.10.0.11:8080)"
web_start server1 8080
wait_for 10 "the web answers" pair_serves 192.0.2.80 3

a=$(pair_changes a) b=$(moves b)
ten_times b
is "role changes of a while b was started and killed" "$(($(pair_changes a) - a))" -eq 0
is "moves of b" "$(($(moves b) - b))" -eq 0
is "a" "$(pair_state a)" = active

a=$(moves a) b=$(pair_changes b)
ten_times a
is "role changes of b while a was started and killed" "$(($(pair_changes b) - b))" -le 3
is "moves of a" "$(($(moves a) - a))" -le 3
is "b" "$(pair_state b)" = active
wait_for 10 "the web answers by b" pair_serves 192.0.2.80 3
