# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# How long nothing comes back after the active router is killed. Sourced after faults.sh.
#
# A gap is the longest hole in the answers to a 1 kHz numbered UDP probe. What a machine that is
# busy with other things adds to it is told apart by a control: the same probe at the same time,
# to an echo server on the client's own switch, without any router in between. Its longest hole
# is how long this machine stood still. A run whose control has a hole above 20 ms says nothing
# about plvs: it is printed, marked, and not held against the limits. When no more than half of
# the runs were calm, the limits are not asserted at all, and that is said loudly. Held in any
# case, calm or not: there is a takeover, and the probe's hole ends.

GAP_CALM_MS=20
GAP_P95_MS=300
GAP_WORST_MS=400
GAP_SECONDS=6

# gap_runs COUNT: lines "METHOD GAP CONTROL CONNECT TCP-STALL CALM|BUSY" in $RUN/gaps.
gap_runs()
{
	local i active
	pair_network 3 1
	server_add_direct 1 192.0.2.81
	local services=("$(service nat udp 192.0.2.80:7 nat rr 10.10.0.11:7)"
		"$(service dr udp 192.0.2.81:7 dr rr 192.0.2.11:7)"
		"$(service web tcp 192.0.2.80:80 nat rr 10.10.0.11:8080)")
	pair_config a "${services[@]}"
	pair_config b "${services[@]}"
	pair_start a
	pair_becomes 20 a active
	pair_start b
	pair_becomes 20 b backup
	web_start server1 8080
	echo_serve server1 udp 10.10.0.11 7
	on_background server1 echo-dr "$PROBE" udp-echo 192.0.2.81:7
	on_background client3 control-server "$PROBE" udp-echo 192.0.2.103:7
	wait_for 10 "the control's server listens" port_listens client3 7 udp
	wait_for 10 "the web answers" pair_serves 192.0.2.80 3
	active=a
	for ((i = 0; i < $1; i++)); do
		if ((i % 2)); then gap_one dr 192.0.2.81 $active; else gap_one nat 192.0.2.80 $active; fi
		pair_start $active
		pair_becomes 20 $active backup
		active=$(other $active)
	done
}

# gap_one METHOD VIP ACTIVE
gap_one()
{
	local gap control stall begin end calm=calm count=$((GAP_SECONDS * 1000))
	on_background client1 gap "$PROBE" udp-ask "$2:7" --count $count --rate 1000 --linger 500
	on_background client2 control "$PROBE" udp-ask 192.0.2.103:7 --count $count --rate 1000 \
		--linger 500
	on_background client2 stall timeout 20 curl -sS -o /dev/null --max-time 15 \
		-w '%{time_total}' http://192.0.2.80/slow
	sleep 1.$((RANDOM % 9))
	begin=$(date +%s%3N)
	pair_kill "$3"
	until on client2 curl -sS -o /dev/null --connect-timeout 0.1 --max-time 0.2 \
		http://192.0.2.80/ 2> /dev/null; do
		[ $(($(date +%s%3N) - begin)) -lt 8000 ] || fail "no new connection within 8 s"
	done
	end=$(date +%s%3N)
	background_wait gap || fail "the probe: $(cat "$RUN/gap.log")"
	background_wait control || fail "the control: $(cat "$RUN/control.log")"
	background_stop stall KILL 2> /dev/null || true
	pair_becomes 5 "$(other "$3")" active
	gap=$(jq .longest_gap_ms "$RUN/gap.log")
	control=$(jq .longest_gap_ms "$RUN/control.log")
	[ "$(jq .received "$RUN/gap.log")" -gt $((count / 2)) ] ||
		fail "the probe's answers did not come back: $(cat "$RUN/gap.log")"
	[ "$control" -le $GAP_CALM_MS ] || calm=busy
	echo "$1 $gap $control $((end - begin)) $calm" >> "$RUN/gaps"
	note "kill -9 of $3, $1: gap $gap ms, control $control ms ($calm); new connection after" \
		"$((end - begin)) ms; lost $(jq .lost "$RUN/gap.log") of $count"
}

# percentile P: of numbers on standard input.
percentile()
{
	sort -n | awk -v p="$1" '{ v[NR] = $1 } END { i = int((NR * p + 99) / 100); print v[i ? i : 1] }'
}

gap_report()
{
	local all calm p95 worst
	all=$(wc -l < "$RUN/gaps")
	calm=$(grep -c ' calm$' "$RUN/gaps" || true)
	note "all $all runs: p50 $(awk '{ print $2 }' "$RUN/gaps" | percentile 50) ms," \
		"p95 $(awk '{ print $2 }' "$RUN/gaps" | percentile 95) ms," \
		"worst $(awk '{ print $2 }' "$RUN/gaps" | percentile 100) ms"
	if [ $((calm * 2)) -le "$all" ]; then
		note "NOT ASSERTED: this machine stood still for more than $GAP_CALM_MS ms in" \
			"$((all - calm)) of $all runs, without any router taking part"
		return
	fi
	p95=$(awk '/ calm$/ { print $2 }' "$RUN/gaps" | percentile 95)
	worst=$(awk '/ calm$/ { print $2 }' "$RUN/gaps" | percentile 100)
	is "p95 of $calm calm runs, ms" "$p95" -lt $GAP_P95_MS
	is "worst of $calm calm runs, ms" "$worst" -lt $GAP_WORST_MS
}
