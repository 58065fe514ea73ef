#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 90
#
# The two routers of a pair compare the digest of what they share, say when it differs, and one
# can send its own to the other.
. "$(dirname "$0")/lib.sh"
. "$TOP/tests/net/lib/pair.sh"

differs()
{
	pair_at "$1"
	[ "$(rpc ha.status | jq .peer.configuration_differs)" = "$2" ]
}

pair_network 1 2
web=$(service web tcp 192.0.2.80:80 nat rr 10.10.0.11:8080)
pair_config a "$web"
pair_config b "$web"
# An address of b's own that a does not know of; a refuses those of the paths itself.
jq '.node.ports[0].linux.addresses += ["192.0.2.8/24"]' "$RUN/b.json" > "$RUN/b.json.new"
mv "$RUN/b.json.new" "$RUN/b.json"
pair_start a b
pair_becomes 20 a active
pair_becomes 20 b backup
wait_for 5 "the routers agree" differs a false

note "a service of a's own"
pair_at a
ctl service add tcp:192.0.2.81:80 scheduler rr
ctl server add tcp:192.0.2.81:80 10.10.0.12:8080
wait_for 5 "a says that they differ" differs a true
wait_for 5 "b says that they differ" differs b true
pair_at a
ctl ha status | grep -q "differs" || fail "ha status does not say that they differ"

plan=$(ctl config push plan)
grep -q "192.0.2.81:80" <<< "$plan" || fail "the plan does not name the service: $plan"
pair_at b
is "services of b after a plan" "$(rpc status | jq .services)" -eq 1
pair_at a
ctl config push | grep -q "192.0.2.81:80" || fail "the push does not say what it changed"
pair_at b
is "services of b" "$(rpc status | jq .services)" -eq 2
wait_for 5 "the routers agree again" differs a false

note "what the peer cannot be is refused there, and changes nothing"
pair_at b
ctl service delete tcp:192.0.2.81:80
pair_at a
ctl service add tcp:192.0.2.8:80 scheduler rr # an address of b's own
! ctl config push > "$RUN/push" 2>&1 || fail "b took its own address as a VIP"
grep -q "192.0.2.8" "$RUN/push" || fail "the answer does not name the address: $(cat "$RUN/push")"
pair_at b
is "services of b" "$(rpc status | jq .services)" -eq 1

note "without a peer there is nobody to push to"
pair_kill b
pair_at a
not_heard()
{
	! ctl config push > "$RUN/push" 2>&1 && grep -q "not heard" "$RUN/push"
}
wait_for 20 "the push is refused" not_heard
doors_add_up
