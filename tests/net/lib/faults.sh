# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Faults of a pair of routers: cables, one-way loss, frozen processes. Sourced
# after pair.sh.

# The switch's end of each router's cables, in the order of pair_network.
declare -A PAIR_CABLE=([a-public]=port1 [a-private]=port2 [b-public]=port3 [b-private]=port4)

# pair_ready CLIENTS SERVERS SERVICE-JSON...: both run, a is active.
pair_ready()
{
	pair_network "$1" "$2"
	shift 2
	pair_config a "$@"
	pair_config b "$@"
	# Starts follow each other: of two that start together the quicker one may be active.
	pair_start a
	pair_becomes 20 a active
	pair_start b
	pair_becomes 20 b backup
}

# cable ROUTER public|private up|down: the link state that the router's port shows.
cable()
{
	ip -n "$NET-wire" link set dev "${PAIR_CABLE[$1-$2]}" "$3"
}

# loss ROUTER public|private tx|rx [NFT-MATCH]: what the router sends or receives there is
# lost, until loss_end.
loss()
{
	local port=${PAIR_CABLE[$1-$2]} hook=ingress
	[ "$3" = tx ] || hook=egress
	on wire nft -f - <<-END
		table netdev loss {
			chain $1_$2_$3 {
				type filter hook $hook device $port priority 0; policy accept;
				${4:-} counter drop
			}
		}
	END
}

# A loss ends: loss_end_of ROUTER public|private tx|rx; or all of them.
loss_end_of()
{
	on wire nft delete chain netdev loss "$1_$2_$3"
}

# heartbeat_loss ROUTER public|private tx|rx [TYPE-MATCH]: the same of messages to the peer alone, by
# UDP and in Ethernet frames; of the types that match (ha-protocol.md).
heartbeat_loss()
{
	loss "$1" "$2" "$3" "udp dport 7694 ${4:+@th,104,8 $4}"
	loss "$1" "$2" "$3" "@ll,96,16 0x88b5 ${4:+@ll,152,8 $4}"
}

loss_end()
{
	on wire nft delete table netdev loss
}

roles_seen()
{
	echo "$(pair_state a || true) $(pair_state b || true)"
}

# stays SECONDS ROLES: "a's state b's state" is the same all the time.
stays()
{
	local end=$((SECONDS + $1)) seen
	while [ $SECONDS -lt $end ]; do
		seen=$(roles_seen)
		[ "$seen" = "$2" ] || fail "a and b are '$seen', not '$2'"
		pause 0.1
	done
	note "a and b stayed $2"
}

# pair_freeze ROUTER, pair_thaw ROUTER
pair_freeze()
{
	kill -STOP "${ROUTER_PID[$1]}"
}

pair_thaw()
{
	kill -CONT "${ROUTER_PID[$1]}"
}

# pair_serves ADDRESS COUNT: that many web requests are answered by some server.
pair_serves()
{
	web_ask client1 "$1" "$2" > "$RUN/answers"
	[ "$(wc -l < "$RUN/answers")" -eq "$2" ]
}

# of ROUTER JQ-PATH: something of its ha.status.
of()
{
	pair_at "$1"
	rpc ha.status | jq -r "$2"
}
