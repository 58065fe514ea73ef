#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 150
. "$(dirname "$0")/lib.sh"
. "$TOP/tests/net/lib/pair.sh"
. "$TOP/tests/net/lib/faults.sh"

# Both links have witnesses.
PAIR_HA=$(jq -c '. + {witnesses: [{link: "public", addresses: ["192.0.2.101"]},
	{link: "private", addresses: ["10.10.0.11"]}]}' <<< "$PAIR_HA")
pair_ready 1 1 "$(service web tcp 192.0.2.80:80 nat rr 10.10.0.11:8080)"
web_start server1 8080
wait_for 10 "the web answers" pair_serves 192.0.2.80 3

# silent ROUTER PATH: nothing was heard there for 500 ms.
silent()
{
	[ "$(of "$1" ".paths[] | select(.name == \"$2\") | .heard_ms > 500")" = true ]
}

note "one path, one direction: nothing changes, and the path is shown"
for path in public private; do
	for r in a b; do
		for direction in tx rx; do
			heartbeat_loss $r $path $direction
			stays 1 "active backup"
			[ $direction = rx ] && deaf=$r || deaf=$(other $r)
			wait_for 5 "$deaf hears nothing on $path" silent "$deaf" $path
			is "roles" "$(roles_seen)" = "active backup"
			loss_end
		done
	done
	pair_serves 192.0.2.80 3 || fail "the web does not answer"
done

note "the backup hears nothing on all paths: it is deaf, and takes nothing over"
loss b public rx
loss b private rx
pair_becomes 5 b fault
stays 2 "active fault"
is "why" "$(of b .reason | grep -c deaf)" -eq 1
is "announcements or STOPs that a heard" "$(of a '.transitions.stopped // 0')" -eq 0
pair_serves 192.0.2.80 3 || fail "the web does not answer"
loss_end
pair_becomes 5 b backup

note "the backup is not heard on all paths: nothing changes"
loss b public tx
loss b private tx
stays 2 "active backup"
pair_serves 192.0.2.80 3 || fail "the web does not answer"
loss_end
stays 1 "active backup"

note "the active router is not heard on all paths: the backup stops it"
loss a public tx
loss a private tx
pair_becomes 5 b active
is "a" "$(pair_state a)" != active
wait_for 10 "the web answers by b" pair_serves 192.0.2.80 3
loss_end
pair_becomes 5 a backup
stays 1 "backup active"

note "heartbeats do not come to the active router, but it hears witnesses: it goes on, and a shows it"
heartbeat_loss b public rx
heartbeat_loss b private rx
stays 2 "backup active"
is "b hears a, as a says" "$(of a .peer.hears)" = false
pair_serves 192.0.2.80 3 || fail "the web does not answer"
loss_end
stays 1 "backup active"
is "b hears a, as a says" "$(of a .peer.hears)" = true

note "the active router hears nothing at all, but is heard: it gives up, the other one serves"
loss b public rx
loss b private rx
pair_becomes 2 a active
is "why b gave up" "$(of b '.transitions.hears_nothing // 0')" -eq 1
wait_for 10 "the web answers by a" pair_serves 192.0.2.80 3
pair_becomes 5 b fault
stays 1 "active fault"
loss_end
pair_becomes 5 b backup
stays 1 "active backup"

note "the same on one link: what the peer can hear decides"
wait_for 10 "b is synchronised" pair_synchronised b
loss a public rx
pair_becomes 3 b active
is "why a gave up" "$(of a '.transitions.hears_less // 0')" -eq 1
wait_for 10 "the web answers by b" pair_serves 192.0.2.80 3
loss_end
stays 1 "backup active"
