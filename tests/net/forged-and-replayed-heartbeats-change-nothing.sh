#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 150
# alone: yes, a flood takes all CPUs
. "$(dirname "$0")/lib.sh"
. "$TOP/tests/net/lib/pair.sh"
. "$TOP/tests/net/lib/faults.sh"

# both JQ-PATH: a number of ha.status, summed over the routers.
both()
{
	echo $(($(of a "$1") + $(of b "$1")))
}

# Datagrams refused as REASON, or for any; authentic ones that are not of now.
refused()
{
	both "[.paths[].refused, .sync.refused_as | .${1:-[]} // 0] | add // 0"
}

not_of_now()
{
	both '[.heard.copy, .heard.stale, .heard.retired, .heard.reflected, .sync.not_fresh] | add'
}

# attack_begin CHANGE TIMES RATE: on both networks at once.
attack_begin()
{
	local path i
	for path in public private; do
		for ((i = 0; i < $2; i++)); do cat "$RUN/changed/$1.$path"; done > "$RUN/$path.hex"
		[ -s "$RUN/$path.hex" ] || fail "$1: nothing to send by $path"
		on_background attacker "attack-$path" bash -c "exec '$PROBE' frame-send $path \
			--count 1 --rate $3 < '$RUN/$path.hex'"
	done
}

# $sent frames.
attack_end()
{
	local path
	for path in public private; do
		background_wait "attack-$path" || fail "$(cat "$RUN/attack-$path.log")"
	done
	sent=$(jq -s 'map(.sent) | add' "$RUN/attack-public.log" "$RUN/attack-private.log")
}

attack()
{
	attack_begin "$1" 1 10000
	attack_end
}

# While a flood comes in: the true peer is heard.
monitored()
{
	local r
	heard=0
	while kill -0 "$(cat "$RUN/attack-public.pid")" 2> /dev/null; do
		for r in a b; do
			read -r alive ms < <(of $r '"\(.peer.alive) \(.peer.heard_ms)"')
			[ "$alive" = true ] || fail "$r does not hear its peer in a flood"
			[ "$ms" -le "$heard" ] || heard=$ms
		done
	done
}

# shown BY WHAT BEFORE: most of what was sent is counted there.
shown()
{
	counts_rose()
	{
		[ $(($("$2" "${3:-}") - $1)) -ge $((sent * 9 / 10)) ]
	}
	wait_for 3 "$1: $sent datagrams are counted by $2 ${3:-}" counts_rose "$4" "$2" "${3:-}"
}

unmoved()
{
	is "$1: a and b" "$(roles_seen)" = "$2"
	is "$1: role changes" "$(($(pair_changes a) + $(pair_changes b)))" -eq "$changes"
	is "$1: times that a or b refused or obeyed STOP" \
		"$(both '[.refused_stops, .transitions.stopped // 0] | add')" -eq "$stops"
}

remember()
{
	changes=$(($(pair_changes a) + $(pair_changes b)))
	stops=$(both '[.refused_stops, .transitions.stopped // 0] | add')
}

connections()
{
	local r n=0
	for r in a b; do
		pair_at $r
		n=$((n + $(rpc status | jq .connections.live)))
	done
	echo $n
}

no_connections()
{
	[ "$(connections)" -eq 0 ]
}

PAIR_SERVICE=$(service echo tcp 192.0.2.80:7 nat rr 10.10.0.11:7 |
	jq -c '. + {timeouts: {close: "1s", fin_wait: "1s", time_wait: "1s", close_wait: "1s",
		last_ack: "1s"}}')
pair_ready 1 1 "$PAIR_SERVICE"
echo_serve server1 tcp 10.10.0.11 7
ns_add attacker
leg_add attacker public public
leg_add attacker private private

note "recorded: connections, a hand-over, STOP in both directions"
for path in public private; do
	on_background wire "$path" tcpdump --immediate-mode -U -n -p -i "${PAIR_CABLE[a-$path]}" \
		-w "$RUN/$path.pcap" "udp and (dst port 7694 or dst port 7695)"
	wait_for 10 "tcpdump listens" grep -q 'listening on' "$RUN/$path.log"
done
wait_for 10 "b is synchronised" pair_synchronised b
on client1 "$PROBE" tcp-hold 192.0.2.80:7 --count 50 --rate 500 < /dev/null > "$RUN/hold.log"
is "connections" "$(jq .answered "$RUN/hold.log")" -eq 50
pair_at a
ctl ha handover > /dev/null
pair_becomes 10 b active
pair_becomes 10 a backup
for r in a b; do
	pair_at $r
	ctl ha force > /dev/null
	pair_becomes 5 $r active
	pair_becomes 5 "$(other $r)" backup
done
pair_at a
ctl ha force > /dev/null
pair_becomes 5 a active
pair_becomes 5 b backup
for path in public private; do background_stop $path INT || fail "tcpdump: $(cat "$RUN/$path.log")"; done
mkdir "$RUN/changed"
timeout 60 python3 "$TOP/tests/net/lib/heartbeats.py" "$RUN/ha.key" "$RUN/changed" \
	"public=$RUN/public.pcap" "private=$RUN/private.pcap"
wait_for 20 "the connections are gone" no_connections
remember
term=$(of a .term)

for change in replayed reversed reflected; do
	before=$(not_of_now)
	attack $change
	shown "$change" not_of_now "" "$before"
done
unmoved "as it was recorded" "active backup"
attack elsewhere
while read -r change reason; do
	before=$(refused "$reason")
	attack "$change"
	shown "$change" refused "$reason" "$before"
done <<-'END'
	truncated truncated
	overlong overlong
	flipped
	resigned forged
	magic not_ours
	version version
	cluster cluster
	key key
	length
	session forged
	sequence forged
	role forged
	type type
	value value
END
unmoved "changed" "active backup"

note "the same in Ethernet frames"
frames_refused()
{
	both '[.witnesses[].frames_refused] | add'
}
# The two MACs, the EtherType and the datagram, without IP and UDP; messages alone.
for change in replayed reversed reflected resigned flipped; do
	for path in public private; do
		awk 'substr($1, 73, 4) == "1e0e" { print substr($1, 1, 24) "88b5" substr($1, 85) }' \
			"$RUN/changed/$change.$path" > "$RUN/changed/frames-$change.$path"
	done
done
for change in replayed reversed reflected; do
	before=$(not_of_now)
	attack frames-$change
	shown "frames-$change" not_of_now "" "$before"
done
for change in resigned flipped; do
	before=$(frames_refused)
	attack frames-$change
	shown "frames-$change" frames_refused "" "$before"
done
unmoved "in frames" "active backup"
is "term of a" "$(of a .term)" -eq "$term"
is "connections that came of it" "$(connections)" -eq 0

note "at 20,000 a second"
for change in replayed resigned; do
	fresh=$(both .heard.fresh) begin=$(date +%s%3N)
	attack_begin $change $((20000 / $(cat "$RUN/changed/$change".p* | wc -l) + 1)) 10000
	monitored
	attack_end
	ms=$(($(date +%s%3N) - begin))
	note "$change: $sent datagrams in $ms ms; the peer was heard at least each $heard ms"
	# Each router says something every 50 ms.
	is "heartbeats that counted, of $((ms / 25))" "$(($(both .heard.fresh) - fresh))" \
		-ge $((ms * 8 / 250))
done
unmoved "in a flood" "active backup"
note "a refused: $(of a '.paths[0].refused | tostring') heard: $(of a '.heard | tostring')"

note "what a router said in its last life: to its next one, and to its peer"
pair_kill b
pair_start b
pair_becomes 10 b backup
remember
for change in replayed reversed reflected; do attack $change; done
unmoved "b's next life" "active backup"
pair_kill a
pair_becomes 5 b active
pair_start a
pair_becomes 10 a backup
remember
for change in replayed reversed reflected; do attack $change; done
unmoved "a's next life" "backup active"
is "connections that came of it" "$(connections)" -eq 0

note "a recording does not keep a dead router alive"
attack_begin replayed 10 200
pair_kill b
pair_becomes 3 a active
attack_end
