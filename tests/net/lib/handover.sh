# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Planned hand-overs under load. Sourced after faults.sh.

# hand_overs COUNT: under 5000 numbered packets a second and a download; then SIGTERM.
hand_overs()
{
	local i active=a taken
	PAIR_HA=$(jq -c '. + {failback: "manual"}' <<< "$PAIR_HA")
	pair_ready 2 1 "$(service echo udp 192.0.2.80:7 nat rr 10.10.0.11:7)" \
		"$(service web tcp 192.0.2.80:80 nat rr 10.10.0.11:8080)"
	web_start server1 8080
	echo_serve server1 udp 10.10.0.11 7
	wait_for 10 "the web answers" pair_serves 192.0.2.80 3
	for ((i = 0; i < $1; i++)); do
		wait_for 30 "$(other "$active") is synchronised" pair_synchronised "$(other "$active")"
		hand_over_one "$active"
		active=$(other "$active")
	done
	note "$(awk '{ lost += $1; back += $2; if ($3 > gap) gap = $3 }
		END { print NR " hand-overs: " lost " lost, " back " reordered, longest gap " gap " ms" }' \
		"$RUN/handovers")"
	is "lost packets of established connections" \
		"$(awk '{ n += $1 } END { print n }' "$RUN/handovers")" -eq 0

	note "SIGTERM of the active router"
	taken=$(of "$(other "$active")" '.transitions.committed // 0')
	wait_for 30 "$(other "$active") is synchronised" pair_synchronised "$(other "$active")"
	on_background client1 probe "$PROBE" udp-ask 192.0.2.80:7 --count 20000 --rate 5000 \
		--flows 20 --linger 1500
	sleep 1
	pair_stop "$active"
	pair_becomes 2 "$(other "$active")" active
	background_wait probe || fail "the probe: $(cat "$RUN/probe.log")"
	note "$(cat "$RUN/probe.log")"
	is "hand-overs that the other router took" \
		"$(($(of "$(other "$active")" '.transitions.committed // 0') - taken))" -eq 1
	is "lost packets at SIGTERM" "$(jq .lost "$RUN/probe.log")" -eq 0
}

# hand_over_one ACTIVE: the new router gets no answer when it asks for clients then: it knows them
# of old, or the first answers to them would wait for ARP or neighbour discovery.
hand_over_one()
{
	local new
	new=$(other "$1")
	on_background client1 probe "$PROBE" udp-ask 192.0.2.80:7 --count 15000 --rate 5000 \
		--flows 20 --linger 1500
	on_background client2 download timeout 60 curl -sS -o "$RUN/big" -w '%{size_download}' \
		http://192.0.2.80/big
	sleep 1
	knows_client()
	{
		ip -n "$NET-linux-$new" neigh show 192.0.2.101 | grep lladdr
	}
	wait_for 5 "$new knows the client" knows_client
	loss "$new" public tx "$(asks_for 192.0.2.101 192.0.2.102)"
	pair_at "$1"
	ctl ha handover > "$RUN/said" || fail "handover: $(cat "$RUN/said")"
	pair_becomes 15 "$new" active
	background_wait probe || fail "the probe: $(cat "$RUN/probe.log")"
	background_wait download || fail "the download: $(cat "$RUN/download.log")"
	loss_end
	is "bytes of the download" "$(cat "$RUN/download.log")" -eq $((64 << 20))
	rm -f "$RUN/big"
	jq -r '"\(.lost) \(.reordered) \(.longest_gap_ms)"' "$RUN/probe.log" >> "$RUN/handovers"
	note "from $1: $(cat "$RUN/probe.log")"
	pair_becomes 35 "$1" backup
}
