#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 150
. "$(dirname "$0")/lib.sh"
. "$TOP/tests/net/lib/pair.sh"
. "$TOP/tests/net/lib/faults.sh"

PAIR_HA=$(jq -c '. + {witnesses: [{link: "public", addresses: ["192.0.2.101"]},
	{link: "private", addresses: ["10.10.0.11"]}]}' <<< "$PAIR_HA")
pair_ready 1 1 "$(service web tcp 192.0.2.80:80 nat rr 10.10.0.11:8080)"
web_start server1 8080
wait_for 10 "the web answers" pair_serves 192.0.2.80 3

note "router a is cut off altogether: no witness answers it"
for path in public private; do
	for direction in tx rx; do loss a $path $direction; done
done
pair_becomes 5 b active
wait_for 10 "the web answers by b" pair_serves 192.0.2.80 3
loss_end
pair_becomes 2 a backup
stays 1 "backup active"
is "times that b gave up" "$(of b '[.transitions | .stopped, .conflict_lost, .conflict_unheard |
	. // 0] | add')" -eq 0
pair_serves 192.0.2.80 5 || fail "the web does not answer"

note "router a, the backup now, is cut off: it is deaf"
for path in public private; do
	for direction in tx rx; do loss a $path $direction; done
done
pair_becomes 5 a fault
stays 1 "fault active"
pair_serves 192.0.2.80 5 || fail "the web does not answer"
loss_end
pair_becomes 5 a backup

note "only the routers do not hear each other: both reach their witnesses"
term=$(of b .term)
for path in public private; do heartbeat_loss a $path tx; done
for path in public private; do heartbeat_loss a $path rx; done
# Neither router can tell this from the death of the other.
pair_becomes 5 a active
is "b meanwhile" "$(pair_state b)" = active
loss_end
# The higher term goes first.
pair_becomes 2 b backup
stays 1 "active backup"
is "term of a" "$(of a .term)" -gt "$term"
wait_for 10 "the web answers by a" pair_serves 192.0.2.80 5

note "both paths flap"
before=$(($(pair_changes a) + $(pair_changes b)))
for _ in 1 2 3 4 5 6 7 8; do
	heartbeat_loss a public tx
	heartbeat_loss a private rx
	pause 0.1
	loss_end
	heartbeat_loss a private tx
	heartbeat_loss a public rx
	pause 0.1
	loss_end
done
pair_becomes 2 a active
stays 1 "active backup"
note "role changes while paths flapped: $(($(pair_changes a) + $(pair_changes b) - before))"
