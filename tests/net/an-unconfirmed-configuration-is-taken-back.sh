#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 90
# A configuration that is applied with confirm-within: both routers of the pair know of it, the active
# one takes it back at the deadline, whichever was asked; either confirms it; a router that restarts
# before that comes up without it.
. "$(dirname "$0")/lib.sh"
. "$TOP/tests/net/lib/pair.sh"
. "$TOP/tests/net/lib/faults.sh"

# weight ROUTER: of the first server.
weight()
{
	pair_at "$1"
	rpc service.list | jq '.services[0].servers[0].weight'
}

both_weigh()
{
	[ "$(weight a)" = "$1" ] && [ "$(weight b)" = "$1" ]
}

on_trial()
{
	pair_at "$1"
	[ "$(rpc status | jq '.trial != null')" = "$2" ]
}

neither_on_trial()
{
	on_trial a false && on_trial b false
}

tried()
{
	jq '.shared.services[0].servers[0].weight = 7' "$RUN/$1.json"
}

PAIR_HA=$(jq -c '. + {failback: "manual"}' <<< "$PAIR_HA")
pair_ready 1 1 "$(service web tcp 192.0.2.80:80 nat rr 10.10.0.11:8080)"
before=$(weight a)
wait_for 5 "the routers have one configuration" both_weigh "$before"

note "applied at the backup: both are on trial, and the active one takes it back"
tried b > "$RUN/tried.json"
pair_at b
ctl config apply "$RUN/tried.json" --confirm-within 3s > "$RUN/said" || fail "$(cat "$RUN/said")"
grep -q "taken back in 3s unless confirmed" "$RUN/said" || fail "$(cat "$RUN/said")"
both_weigh 7 || fail "weights: $(weight a) $(weight b)"
for r in a b; do
	on_trial "$r" true || fail "$r is not on trial"
	[ -e "$RUN/state-$r/unconfirmed.json" ] || fail "$r has no undo record"
	! ctl service add tcp:192.0.2.81:80 2> "$RUN/said" || fail "$r took another change"
	grep -q "is not confirmed, and is taken back in" "$RUN/said" || fail "$(cat "$RUN/said")"
done
wait_for 10 "both have what was before" both_weigh "$before"
wait_for 10 "no trial is left" neither_on_trial
is "rollbacks of a" "$(grep -c 'not confirmed within 3s' "$RUN/a.log")" -ge 1
is "rollbacks of b" "$(grep -c 'not confirmed within 3s' "$RUN/b.log")" -eq 0

note "confirmed at the other router: it stays at both"
pair_at a
ctl config apply "$RUN/a.json" --confirm-within 3s > "$RUN/said" || fail "$(cat "$RUN/said")"
is "nothing changes" "$(grep -c confirmed "$RUN/said")" -eq 0
tried a > "$RUN/tried.json"
ctl config apply "$RUN/tried.json" --confirm-within 4s > "$RUN/said" || fail "$(cat "$RUN/said")"
on_trial b true || fail "b is not on trial"
ctl config confirm > "$RUN/said" 2>&1 || fail "confirm: $(cat "$RUN/said")"
! grep -q "not stored" "$RUN/said" || fail "$(cat "$RUN/said")"
wait_for 5 "no trial is left" neither_on_trial
stays 5 "$(roles_seen)"
both_weigh 7 || fail "weights: $(weight a) $(weight b)"

note "a router that restarts comes up with what was confirmed; the other one takes the rest back"
active=$([ "$(pair_state a)" = active ] && echo a || echo b)
other=$([ "$active" = a ] && echo b || echo a)
jq '.shared.services[0].servers[0].weight = 9' "$RUN/$active.json" > "$RUN/tried.json"
pair_at "$active"
ctl config apply "$RUN/tried.json" --confirm-within 8s > /dev/null || fail "apply"
both_weigh 9 || fail "weights: $(weight a) $(weight b)"
pair_kill "$active"
pair_start "$active"
grep -q "not confirmed: the one before it counts" "$RUN/$active.log" || fail "$(cat "$RUN/$active.log")"
pair_becomes 20 "$other" active
wait_for 15 "both have what was confirmed" both_weigh 7
wait_for 10 "no trial is left" neither_on_trial
is "undo records" "$(find "$RUN" -name unconfirmed.json | wc -l)" -eq 0
doors_add_up
