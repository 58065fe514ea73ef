# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# How long clients wait when the active router is killed. Sourced after faults.sh.
#
# Of each kill: the longest hole in the answers to a 1 kHz numbered UDP probe through NAT and in
# one through DR; the longest hole in a running TCP stream; the longest time in which none of a
# hundred new connections a second came about.
#
# A machine that is busy with other things makes holes, too. They are measured by the same probes
# before the kill, and during it by a control: the same probe between two clients' programs,
# with no router in between; and a router tells when a thread of its own stood still for longer
# than a keepalive, after which it counts its silence anew. A run in which the machine had a hole
# above GAP_BUSY_MS, or let the new router stand still, is done again, GAP_AGAIN times at most
# over a whole test; after that it counts whatever it shows. Every run is printed.

GAP_BUSY_MS=100
GAP_AGAIN=4
GAP_P95_MS=300
GAP_WORST_MS=400
GAP_BEFORE_S=1
GAP_AFTER_S=2.5

# Before each kill. Others may define it anew.
gap_ready()
{
	:
}

# gap_runs COUNT: lines "NAT DR STREAM CONNECT" in $RUN/gaps.
gap_runs()
{
	local done=0 active=a again=0
	pair_network 3 1
	server_add_direct 1 192.0.2.81
	local services=("$(service nat udp 192.0.2.80:7 nat rr 10.10.0.11:7)"
		"$(service dr udp 192.0.2.81:7 dr rr 192.0.2.11:7)"
		"$(service stream tcp 192.0.2.80:9 nat rr 10.10.0.11:9)"
		"$(service echo tcp 192.0.2.80:7 nat rr 10.10.0.11:7)")
	pair_config a "${services[@]}"
	pair_config b "${services[@]}"
	pair_start a
	pair_becomes 20 a active
	pair_start b
	pair_becomes 20 b backup
	for protocol in udp tcp; do echo_serve server1 $protocol 10.10.0.11 7; done
	on_background server1 echo-dr "$PROBE" udp-echo 192.0.2.81:7
	on_background server1 pour "$PROBE" tcp-pour 10.10.0.11:9 --rate 1000 --size 1000
	on_background client3 control-server "$PROBE" udp-echo 192.0.2.103:7
	wait_for 10 "the stream's server listens" port_listens server1 9
	wait_for 10 "the control's server listens" port_listens client3 7 udp
	while [ $done -lt "$1" ]; do
		wait_for 20 "$(other "$active") is synchronised" pair_synchronised "$(other "$active")"
		gap_ready
		gap_one "$active"
		if [ -n "$GAP_STILL" ] && [ $again -lt $GAP_AGAIN ]; then
			again=$((again + 1))
			note "  $GAP_STILL: again ($again of $GAP_AGAIN)"
		else
			echo "$GAP_SEEN" >> "$RUN/gaps"
			done=$((done + 1))
		fi
		if [ $done -lt "$1" ]; then
			pair_start "$active"
			pair_becomes 20 "$active" backup
		fi
		active=$(other "$active")
	done
}

# A probe's value: gap_of LABEL FIELD.
gap_of()
{
	jq ".$2" "$RUN/$1.log"
}

# gap_one ACTIVE: $GAP_SEEN, and what stood still in $GAP_STILL.
gap_one()
{
	local p probes=(nat dr control drink knock) before late own new
	new=$(other "$1")
	on_background client1 nat "$PROBE" udp-ask 192.0.2.80:7 --count 100000 --rate 1000
	on_background client2 dr "$PROBE" udp-ask 192.0.2.81:7 --count 100000 --rate 1000
	on_background client3 control "$PROBE" udp-ask 192.0.2.103:7 --count 100000 --rate 1000
	on_background client2 drink "$PROBE" tcp-drink 192.0.2.80:9
	on_background client1 knock "$PROBE" tcp-knock 192.0.2.80:7 --count 100000 --rate 100
	sleep $GAP_BEFORE_S.$((RANDOM % 9))
	late=$(of "$new" .late_times)
	for p in "${probes[@]}"; do kill -USR1 "$(cat "$RUN/$p.pid")"; done
	pair_kill "$1"
	pair_becomes 5 "$new" active
	sleep $GAP_AFTER_S
	for p in "${probes[@]}"; do background_stop "$p" || fail "$p: $(cat "$RUN/$p.log")"; done
	[ "$(jq .ended "$RUN/drink.log")" = '""' ] || fail "the stream: $(cat "$RUN/drink.log")"
	is "wrong bytes in the stream" "$(gap_of drink wrong)" -eq 0
	GAP_SEEN="$(gap_of nat longest_gap_ms) $(gap_of dr longest_gap_ms) $(
		gap_of drink longest_gap_ms) $(gap_of knock longest_gap_ms)"
	late=$(($(of "$new" .late_times) - late))
	before=$(jq -s 'map(.gap_before_mark_ms) | max' "$RUN"/{nat,dr,control}.log)
	own=$(jq -s "[$before, .[].longest_gap_ms] | max" "$RUN/control.log")
	GAP_STILL=
	[ "$own" -le $GAP_BUSY_MS ] || GAP_STILL="the machine stood still for $own ms"
	[ $late -eq 0 ] || GAP_STILL="$new stood still $late times, for up to $(($(of "$new" \
		.late_max_us) / 1000)) ms"
	note "kill -9 of $1: NAT, DR, stream, new connection: $GAP_SEEN ms; before the kill" \
		"$(gap_of nat gap_before_mark_ms) $(gap_of dr gap_before_mark_ms)" \
		"$(gap_of drink gap_before_mark_ms) $(gap_of knock gap_before_mark_ms) ms; without" \
		"a router $(gap_of control gap_before_mark_ms) ms before," \
		"$(gap_of control longest_gap_ms) ms then"
}

# percentile P: of numbers on standard input.
percentile()
{
	sort -n | awk -v p="$1" '{ v[NR] = $1 } END { i = int((NR * p + 99) / 100); print v[i ? i : 1] }'
}

# gap_report [p95]: and asserts.
gap_report()
{
	local i names=(NAT DR stream "new connection") p95 worst
	for i in 1 2 3 4; do
		p95=$(awk -v i=$i '{ print $i }' "$RUN/gaps" | percentile 95)
		worst=$(awk -v i=$i '{ print $i }' "$RUN/gaps" | percentile 100)
		note "${names[i - 1]}, $(wc -l < "$RUN/gaps") kills: p50 $(awk -v i=$i '{ print $i }' \
			"$RUN/gaps" | percentile 50) ms, p95 $p95 ms, worst $worst ms"
		# TCP waits for its own timers: what it shows is told, and that it goes on is held.
		if [ $i -le 2 ]; then
			[ "${1:-}" != p95 ] || is "p95 of ${names[i - 1]}, ms" "$p95" -lt $GAP_P95_MS
			is "worst of ${names[i - 1]}, ms" "$worst" -lt $GAP_WORST_MS
		fi
	done
}
