#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 120
# A switch loses all frames on one link of the active router, whose carrier stays: the likeliest
# failure of a switch. The router gives up when the peer says that its own witnesses answer there.
# A gap is the longest time without an answer to a datagram each millisecond.
. "$(dirname "$0")/lib.sh"
. "$TOP/tests/net/lib/pair.sh"
. "$TOP/tests/net/lib/faults.sh"

PAIR_HA=$(jq -c '. + {witnesses: [{link: "public", addresses: ["192.0.2.101"]},
	{link: "private", addresses: ["10.10.0.11"]}]}' <<< "$PAIR_HA")
pair_ready 1 1 "$(service echo udp 192.0.2.80:7 nat rr 10.10.0.11:7)"
echo_serve server1 udp 10.10.0.11 7
gaps=
for round in 1 2; do
	active=$([ "$(pair_state a)" = active ] && echo a || echo b)
	backup=$(other "$active")
	link=$([ $((round % 2)) = 1 ] && echo public || echo private)
	wait_for 30 "$backup is synchronised" pair_synchronised "$backup"
	pause 4 # grace, and the 1 s after the last missed heartbeat, are over
	on_background client1 probe "$PROBE" udp-ask 192.0.2.80:7 --count 3000 --rate 1000 \
		--flows 1 --linger 500
	pause 1
	for d in tx rx; do loss "$active" "$link" "$d"; done
	pair_becomes 5 "$backup" active
	background_wait probe || true
	gap=$(jq '.longest_gap_ms // .gap_ms // empty' "$RUN/probe.log")
	[ -n "$gap" ] || fail "no gap in: $(cat "$RUN/probe.log")"
	note "$link of $active: $gap ms without an answer"
	grep -q "nothing crosses $link here" "$RUN/$active.log" ||
		fail "the log of $active: $(grep ' ha: ' "$RUN/$active.log" | tail -3)"
	gaps+=" $gap"
	loss_end
	pair_becomes 10 "$active" backup
done
note "gaps:$gaps ms"
# On a quiet machine below 550: deadtime, 1.5 keepalives and a heartbeat more than a hand-over. What
# a busy one adds is no fault of the router; without the peer's word a gap takes above 800.
for gap in $gaps; do is "gap" "${gap%.*}" -le 2000; done
