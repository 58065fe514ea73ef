#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# set: full
# limit: 600
# alone: yes, packets that are lost are counted at a high rate
. "$(dirname "$0")/lib.sh"
. "$TOP/tests/net/lib/pair.sh"
. "$TOP/tests/net/lib/faults.sh"

# Each fault of the active router under each kind of traffic. Held in every cell: the other one
# takes over, the traffic goes on, nothing of it ends, and on the wire the two routers do not
# speak for the VIP at the same time for longer than B.

FAULTS=(killed frozen "public cable out" "private cable out")
TRAFFIC=(bulk web downloads idle)
OVERLAP_MS=170
# Packets that may still come of the old router when it is back: of a frozen one the burst that it had
# given its driver; with a cable out what lay in the ring of its port (4096) until it noticed.
declare -A UNDER_WAY=([killed]=0 [frozen]=32 ["public cable out"]=512 ["private cable out"]=32)
TRAFFIC_S=8

# --- What is on the wire: frames that each router sends from the VIP, over time ---

wire_poll()
{
	on wire nft -f - <<-END
		table netdev seen {
			counter a { }
			counter b { }
			chain a {
				type filter hook ingress device ${PAIR_CABLE[a-public]} priority 0
				ip saddr 192.0.2.80 counter name a
			}
			chain b {
				type filter hook ingress device ${PAIR_CABLE[b-public]} priority 0
				ip saddr 192.0.2.80 counter name b
			}
		}
	END
	# A line for each look: when it began, when it had ended, and both counters.
	cat > "$RUN/wire.sh" <<-'END'
		while :; do
			before=$(date +%s%3N)
			seen=$(nft -j list counters table netdev seen) || exit
			jq -r --arg before "$before" --arg after "$(date +%s%3N)" \
				'[.nftables[].counter | select(.)] | sort_by(.name) |
				"\($before) \($after) \(.[0].packets) \(.[1].packets)"' <<< "$seen"
		done
	END
}

# overlap OLD: how long, in ms, the old router still spoke when the new one surely did already,
# and the frames that it sent then; 0 if the new one said nothing. A change seen in a look
# happened after the look before it had begun.
overlap()
{
	awk -v old="$([ "$1" = a ] && echo 3 || echo 4)" '
		NR > 1 {
			new = 7 - old
			if ($old != was[old]) last_old = begun
			if ($new != was[new] && !first_new) { first_new = $2; sent = $old }
		}
		{ was[3] = $3; was[4] = $4; begun = $1 }
		END {
			both = first_new && last_old > first_new
			print (both ? last_old - first_new : 0), (both ? was[old] - sent : 0)
		}
	' "$RUN/wire_poll.log"
}

# --- Traffic: begin, and end with what must hold ---

bulk_begin()
{
	on_background client1 traffic timeout 40 iperf3 -c 192.0.2.80 -t $TRAFFIC_S -J
}

bulk_end()
{
	background_wait traffic || fail "iperf3: $(jq -c '.error // .' "$RUN/traffic.log")"
	# The loss would be the connection of iperf3, not packets of it.
	is "Mbit/s in the last second" "$(jq '[.intervals[-2:][].sum.bits_per_second / 1e6] | max |
		floor' "$RUN/traffic.log")" -gt 0
}

web_begin()
{
	on_background client1 traffic timeout 40 wrk -t 1 -c 50 -d $TRAFFIC_S --timeout 5s \
		http://192.0.2.80/
}

web_end()
{
	background_wait traffic || fail "wrk: $(cat "$RUN/traffic.log")"
	note "$(grep -E 'Requests/sec|Socket errors' "$RUN/traffic.log" | tr -s '\n ' ' ')"
	if grep -q 'Socket errors' "$RUN/traffic.log"; then fail "wrk: $(cat "$RUN/traffic.log")"; fi
}

downloads_begin()
{
	local i
	for i in 1 2 3 4 5; do on_background client1 "drink$i" "$PROBE" tcp-drink 192.0.2.80:9; done
}

downloads_end()
{
	local i
	for i in 1 2 3 4 5; do
		background_stop "drink$i" || fail "download $i: $(cat "$RUN/drink$i.log")"
		[ "$(jq -r '"\(.ended) \(.wrong)"' "$RUN/drink$i.log")" = " 0" ] ||
			fail "download $i: $(cat "$RUN/drink$i.log")"
		note "download $i: $(jq -c '[.bytes, .longest_gap_ms]' "$RUN/drink$i.log") bytes, ms"
	done
}

idle_begin()
{
	[ -e "$RUN/hold.in" ] || mkfifo "$RUN/hold.in"
	on_background client1 traffic bash -c \
		"exec '$PROBE' tcp-hold 192.0.2.80:7 --count 200 --rate 1000 < '$RUN/hold.in'"
	exec 8> "$RUN/hold.in"
	idle_answered 1
}

# idle_answered ROUND: all 200 did.
idle_answered()
{
	hold_said()
	{
		cat "$RUN/traffic.log"
		[ "$(grep -c '"answered": 200,' "$RUN/traffic.log")" -eq "$1" ]
	}
	wait_for 25 "all idle connections answer" hold_said "$1"
}

idle_end()
{
	echo again >&8
	idle_answered 2
	exec 8>&-
	background_wait traffic || true
}

# --- Faults: make, and undo ---

fault_make()
{
	case $1 in
	killed) pair_kill "$2" ;;
	frozen) pair_freeze "$2" ;;
	"public cable out") cable "$2" public down ;;
	"private cable out") cable "$2" private down ;;
	esac
}

fault_undo()
{
	case $1 in
	killed) pair_start "$2" ;;
	frozen) pair_thaw "$2" ;;
	"public cable out") cable "$2" public up ;;
	"private cable out") cable "$2" private up ;;
	esac
}

# cell FAULT TRAFFIC ACTIVE
cell()
{
	local fault=$1 traffic=$2 active=$3 new begin ms frames
	new=$(other "$3")
	note "$fault ($active) under $traffic"
	wait_for 30 "$new is synchronised" pair_synchronised "$new"
	on_background wire wire_poll bash "$RUN/wire.sh"
	"${traffic}_begin"
	sleep 1.5
	begin=$(date +%s%3N)
	fault_make "$fault" "$active"
	pair_becomes 5 "$new" active
	note "$new is active after $(($(date +%s%3N) - begin)) ms, as far as a shell can tell"
	# Longer than the ten deadtimes after which a router needs no lease.
	sleep 2.5
	# A router that was frozen or cut off comes back while the traffic goes on.
	[ "$fault" = killed ] || fault_undo "$fault" "$active"
	"${traffic}_end"
	background_stop wire_poll 2> /dev/null || true
	read -r ms frames < <(overlap "$active")
	note "both spoke for the VIP for $ms ms, the old one with $frames frames"
	[ "$ms" -le $OVERLAP_MS ] || is "frames of the old router" "$frames" -le "${UNDER_WAY[$fault]}"
	[ "$fault" != killed ] || fault_undo "$fault" "$active"
	pair_becomes 20 "$active" backup
	is "$new" "$(pair_state "$new")" = active
	echo "$fault/$traffic" >> "$RUN/cells"
}

pair_ready 1 1 "$(service bulk tcp 192.0.2.80:5201 nat rr 10.10.0.11:5201)" \
	"$(service web tcp 192.0.2.80:80 nat rr 10.10.0.11:8080)" \
	"$(service stream tcp 192.0.2.80:9 nat rr 10.10.0.11:9)" \
	"$(service echo tcp 192.0.2.80:7 nat rr 10.10.0.11:7)"
web_start server1 8080
bulk_serve server1
echo_serve server1 tcp 10.10.0.11 7
on_background server1 pour "$PROBE" tcp-pour 10.10.0.11:9 --rate 200 --size 1000
wait_for 10 "the stream's server listens" port_listens server1 9
wire_poll
active=a
for fault in "${FAULTS[@]}"; do
	for traffic in "${TRAFFIC[@]}"; do
		cell "$fault" "$traffic" "$active"
		active=$(other "$active")
	done
done
is "cells" "$(wc -l < "$RUN/cells")" -eq $((${#FAULTS[@]} * ${#TRAFFIC[@]}))
