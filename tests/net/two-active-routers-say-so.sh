#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 60
# Heartbeats are filtered on every path while both routers see their witnesses: both are active,
# which nothing can hinder. Each notices the other one's ARP, and says so.
. "$(dirname "$0")/lib.sh"
. "$TOP/tests/net/lib/pair.sh"
. "$TOP/tests/net/lib/faults.sh"

pair_ready 1 1 "$(service web tcp 192.0.2.80:80 nat rr 10.10.0.11:8080)"
for l in public private; do for d in tx rx; do loss a $l $d "udp dport 7694-7695"; done; done
pair_becomes 5 b active
is "state of a" "$(pair_state a)" = active
split()
{
	[[ $(of "$1" .alarm) == *"both routers are active"* ]]
}
for r in a b; do
	wait_for 10 "$r says that both are active" split $r
	grep -q "error: ha: both routers are active" "$RUN/$r.log" || fail "the log of $r is silent"
	pair_at $r
	ctl ha status > "$RUN/said"
	grep -q "The peer was .* when last heard, .* s ago" "$RUN/said" ||
		fail "ha status of $r: $(cat "$RUN/said")"
done
loss_end
one_active()
{
	[[ "$(roles_seen)" == "active backup" || "$(roles_seen)" == "backup active" ]]
}
wait_for 5 "one router is active" one_active
no_alarm()
{
	[ "$(of a .alarm)" = null ] && [ "$(of b .alarm)" = null ]
}
wait_for 5 "the alarms end" no_alarm
