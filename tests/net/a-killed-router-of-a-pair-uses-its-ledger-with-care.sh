#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 120
# set: full
# A router with a peer that is killed takes up the connections of its ledger only if the peer cannot
# have served since: the peer was not heard, and there was no time for it to start.
. "$(dirname "$0")/lib.sh"
. "$TOP/tests/net/lib/pair.sh"
. "$TOP/tests/net/lib/killed.sh"

LEDGERS=$(mktemp -d /dev/shm/plvs-killed.XXXXXX)
at_exit killed_group_end
PAIR_HA=$(jq -c '. + {start_delay: "4s"}' <<< "$PAIR_HA")
pair_network 1 1
for r in a b; do
	pair_config $r "$(service nat tcp 192.0.2.80:7 nat rr 10.10.0.11:7)"
	jq --arg path "$LEDGERS/$r" '.node.ledger = {enabled: true, path: $path}' "$RUN/$r.json" > "$RUN/new"
	mv "$RUN/new" "$RUN/$r.json"
done

# kept ROUTER FIELD: of what it took up at its start.
kept()
{
	pair_at "$1"
	rpc status | jq -r ".kept.$2"
}

note "the peer was never heard: the connections go on"
pair_start a
pair_becomes 20 a active
echo_serve server1 tcp 10.10.0.11 7
killed_hold alone 192.0.2.80:7 100
killed_answered alone 1 100
pair_kill a
pair_start a
is "taken up" "$(kept a connections)" -eq 100
is "from" "$(kept a from)" = ledger
pair_becomes 20 a active
eval 'echo ask >&$ASK_alone'
killed_answered alone 2 100

note "the peer is heard: it has the connections, and the ledger does not count"
pair_start b
pair_becomes 20 b backup
wait_for 20 "b is synchronised" pair_synchronised b
pair_kill a
pair_becomes 5 b active
pair_start a
is "taken up" "$(kept a connections)" -eq 0
[[ $(kept a fault) == *"the peer was heard"* ]] || fail "the reason: $(kept a fault)"
pair_becomes 20 a backup
wait_for 20 "a is synchronised" pair_synchronised a
eval 'echo ask >&$ASK_alone'
killed_answered alone 3 100

note "a router that was not active has nothing to take up"
pair_kill a
pair_start a
is "taken up" "$(kept a connections)" -eq 0
[[ $(kept a fault) == *"was not active"* ]] || fail "the reason: $(kept a fault)"
for r in a b; do pair_kill $r; done

note "a peer that started later than the kill may have been active by now"
pair_start a
pair_becomes 20 a active
killed_hold late 192.0.2.80:7 20
killed_answered late 1 20
pair_kill a
sleep 4.2 # start_delay
pair_start a
is "taken up" "$(kept a connections)" -eq 0
[[ $(kept a fault) == *"ms ago, and 4000 ms are allowed"* ]] || fail "the reason: $(kept a fault)"
