#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 60
# UDP is filtered on every path while both routers see their witnesses. Heartbeats in Ethernet frames
# keep the roles. With frames filtered as well both are active, which nothing can hinder: each notices
# the other one's ARP, and says so. Once frames pass, one of the two gives way.
. "$(dirname "$0")/lib.sh"
. "$TOP/tests/net/lib/pair.sh"
. "$TOP/tests/net/lib/faults.sh"

UDP='udp dport 7694-7695 counter drop'
FRAMES='@ll,96,16 0x88b5 counter drop'

# filtered RULE...: in one step, in place of what was filtered before.
filtered()
{
	local hook port rules

	rules=$(printf '%s\n' "$@")
	{
		echo "table netdev loss { }"
		echo "delete table netdev loss"
		for port in "${PAIR_CABLE[a-public]}" "${PAIR_CABLE[a-private]}"; do
			for hook in ingress egress; do
				printf '%s\n' "table netdev loss {" "chain ${port}_$hook {" \
					"type filter hook $hook device $port priority 0; policy accept;" \
					"$rules" "}" "}"
			done
		done
	} | on wire nft -f -
}

alarm_has()
{
	[[ $(of "$1" .alarm) == *"$2"* ]]
}

no_alarm()
{
	[ "$(of a .alarm)" = null ] && [ "$(of b .alarm)" = null ]
}

one_active()
{
	[[ "$(roles_seen)" == "active backup" || "$(roles_seen)" == "backup active" ]]
}

# frames_of ROUTER: heartbeats that came in frames.
frames_of()
{
	of "$1" '[.witnesses[].frames_received] | add'
}

pair_ready 1 1 "$(service web tcp 192.0.2.80:80 nat rr 10.10.0.11:8080)"
# A few crossed before the routers had met.
no_frames()
{
	local before
	before="$(frames_of a) $(frames_of b)"
	pause 1
	[ "$(frames_of a) $(frames_of b)" = "$before" ]
}
wait_for 10 "no frame crosses while the paths work" no_frames

# beats_filtered: which paths doctor says to be filtered by rules of this router.
beats_filtered()
{
	pair_at a
	ctl doctor --json > "$RUN/findings" || true
	jq -r '[.findings[] | select(.id == "heartbeats-filtered") | .what | sub(":.*"; "")] | join(" ")' "$RUN/findings"
}

note "doctor reads the rules of nftables"
is "paths that are filtered" "$(beats_filtered)" = ""
on linux-a nft -f - <<'END'
table inet guard {
	chain input {
		type filter hook input priority 0; policy drop;
		iifname "lo" accept
		tcp dport { 22, 80 } accept
		ip saddr 10.10.0.0/16 udp dport 7694-7695 accept
		meta l4proto { icmp, ipv6-icmp } accept
	}
}
END
is "paths that are filtered by a policy" "$(beats_filtered)" = "path public"
on linux-a nft add rule inet guard input ct state established accept
is "paths where conntrack may know them" "$(beats_filtered)" = ""
on linux-a nft delete table inet guard

note "UDP is filtered: frames keep the roles"
filtered "$UDP"
for r in a b; do wait_for 5 "$r says so" alarm_has $r "in Ethernet frames only"; done
stays 3 "active backup"
for r in a b; do
	is "frames of $r" "$(frames_of $r)" -ge 40
	pair_at $r
	is "frames that workers gave to Linux at $r" \
		"$(counted '[.punts[] | select(.name == "peer") | .count] | add')" -ge 40
done

note "frames are filtered as well: both are active, and say so"
filtered "$UDP" "$FRAMES"
pair_becomes 5 b active
is "state of a" "$(pair_state a)" = active
for r in a b; do
	wait_for 10 "$r says that both are active" alarm_has $r "both routers are active"
	grep -q "error: ha: both routers are active" "$RUN/$r.log" || fail "the log of $r is silent"
	pair_at $r
	ctl ha status > "$RUN/said"
	grep -q "The peer was .* when last heard, .* s ago" "$RUN/said" ||
		fail "ha status of $r: $(cat "$RUN/said")"
done
stays 3 "active active"

note "frames pass again: one gives way"
filtered "$UDP"
wait_for 3 "one router is active" one_active
stays 2 "$(roles_seen)"
loss_end
wait_for 5 "the alarms end" no_alarm
one_active || fail "the roles are '$(roles_seen)'"
for r in a b; do
	pair_at $r
	doors_add_up
done
