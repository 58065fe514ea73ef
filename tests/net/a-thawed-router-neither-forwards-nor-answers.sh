#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 120
. "$(dirname "$0")/lib.sh"
. "$TOP/tests/net/lib/pair.sh"
. "$TOP/tests/net/lib/faults.sh"

pair_ready 2 1 "$(service web tcp 192.0.2.80:80 nat rr 10.10.0.11:8080)" \
	"$(service echo udp 192.0.2.80:7 nat rr 10.10.0.11:7)"
web_start server1 8080
echo_serve server1 udp 10.10.0.11 7
wait_for 10 "the web answers" pair_serves 192.0.2.80 3
# A client that never learns of a takeover: its frames go to router a whatever happens.
mac=$(mac_of dpdk-a public)
ip -n "$NET-client2" neigh replace 192.0.2.80 lladdr "$mac" dev eth0 nud permanent
is "answers to the stubborn client while a serves" \
	"$(on client2 "$PROBE" udp-ask 192.0.2.80:7 --count 50 --rate 500 --linger 1000 2> /dev/null |
		jq .received)" -eq 50

pair_freeze a
pair_becomes 10 b active
pair_serves 192.0.2.80 10 || fail "the second router does not serve"
# Frames that wait in a's rings when it is thawed: questions, and who-has for the VIP.
on_background client2 ask "$PROBE" udp-ask 192.0.2.80:7 --count 3000 --rate 500
ip -n "$NET-client1" neigh flush dev eth0
pair_serves 192.0.2.80 5 || fail "the second router does not serve"
capture_start wire "${PAIR_CABLE[a-public]}" thawed "ether src $mac and
	(src host 192.0.2.80 or (arp and arp[14:4] = 0xc0000250))"
capture_start wire "${PAIR_CABLE[a-private]}" inside "udp dst port 7 or tcp dst port 8080"
pair_thaw a
pair_becomes 10 a backup
pair_serves 192.0.2.80 20 || fail "the second router does not serve"
background_wait ask || true
capture_stop thawed
capture_stop inside
note "the stubborn client: $(cat "$RUN/ask.log")"
capture thawed > "$RUN/frames"
is "frames of the VIP from the thawed router" "$(wc -l < "$RUN/frames")" -eq 0
inside=$(mac_of dpdk-b private)
capture inside | grep -cv "$inside >" > "$RUN/count" || true
is "frames to servers from the thawed router" "$(cat "$RUN/count")" -eq 0
is "answers to the stubborn client meanwhile" "$(jq .received "$RUN/ask.log")" -eq 0
pair_at a
is "dropped by the thawed router as not_active" "$(drops not_active)" -gt 0
is "the second router" "$(pair_state b)" = active
