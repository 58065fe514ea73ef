#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 60
# families: 4 6
. "$(dirname "$0")/lib.sh"

network_two_armed 1 2
plvs_config "$(service web tcp 192.0.2.90:80 nat rr 10.10.0.11:80 10.10.0.12:80)"
plvs_start
for i in 1 2; do web_start server$i 80; done
web_ask client1 192.0.2.90 2 > "$RUN/warm" # next hops are known from now on
vip=$(inet 192.0.2.90:80)
client=$(inet 192.0.2.101)

# asked_until_it_ends PID: requests go on, so that there is something to see.
asked_until_it_ends()
{
	local end=$((SECONDS + 20))
	while kill -0 "$1" 2> /dev/null && [ $SECONDS -lt $end ]; do
		web_ask client1 192.0.2.90 2 > /dev/null
	done
}

note "explain says where the next connection goes, and it goes there"
for i in 1 2 3; do
	ctl --json explain tcp "$(inet 192.0.2.101:4000$i)" "$vip" > "$RUN/explained"
	is "explain $i: door" "$(jq -r .verdict.door "$RUN/explained")" = sent
	server=$(jq -r .scheduler.choice "$RUN/explained")
	web_ask client1 192.0.2.90 1 > "$RUN/asked"
	n=${server##*.}
	[ "$FAMILY" = 4 ] || n=${server##*::}
	n=${n%%[]:]*}
	is "explain $i: answered by server$((n % 10))" "$(answers_by "$RUN/asked" "server$((n % 10))")" -eq 1
done
ctl explain tcp "$(inet 192.0.2.101:40009)" "$vip" | grep -q 'verdict *sent' || fail "explain as text"
ctl explain udp "$(inet 192.0.2.101:40009)" "$vip" | grep -q 'given to Linux (own' || fail "explain udp"

note "a filter that does not compile is refused in words, and nothing happens"
rc=0
ctl trace 'tcp prot 80' > "$RUN/out" 2>&1 || rc=$?
is "exit of a bad filter" $rc -eq 2
grep -q 'does not compile' "$RUN/out" || fail "words of a bad filter: $(cat "$RUN/out")"

note "a trace shows each stage of live packets"
ctl trace "tcp dst port 80 and src host $client" count 3 seconds 10 > "$RUN/trace" 2> "$RUN/trace.end" &
trace=$!
asked_until_it_ends $trace
wait $trace
for stage in 'steer: direction in' 'schedule: new connection' 'resolve: next hop' 'out  *private'; do
	grep -q "$stage" "$RUN/trace" || fail "no \"$stage\" in $(cat "$RUN/trace")"
done

note "a capture has packets before and after their rewrite, and those that are dropped"
ctl capture 'tcp port 80' -w "$RUN/capture.pcapng" seconds 3 2> "$RUN/capture.end" &
capture=$!
asked_until_it_ends $capture
wait $capture
timeout 20 tcpdump -nr "$RUN/capture.pcapng" 2> /dev/null > "$RUN/dump"
grep -q "$(inet 192.0.2.90).80" "$RUN/dump" || fail "no packet to the VIP: $(head -3 "$RUN/dump") $(cat "$RUN/capture.end")"
grep -q "$(inet 10.10.0.11).80" "$RUN/dump" || fail "no packet to the server"
grep -aq 'in, port public, worker' "$RUN/capture.pcapng" || fail "no comment"
if command -v tshark > /dev/null; then
	HOME=$RUN timeout 60 tshark -nr "$RUN/capture.pcapng" -T fields -e frame.interface_name \
		-e frame.packet_flags_direction -e frame.comment -e tcp.dstport > "$RUN/shark" 2> "$RUN/shark.err" ||
		fail "tshark: $(cat "$RUN/shark.err")"
	is "packets for tshark as for tcpdump" "$(wc -l < "$RUN/shark")" -eq "$(wc -l < "$RUN/dump")"
	# Direction 1 is inbound, 2 outbound.
	grep -q '^public.*	0x0*1	in, port public, worker 0	80$' "$RUN/shark" || fail "tshark sees: $(head -5 "$RUN/shark")"
	grep -q '^private.*	0x0*2	out, port private, worker 0	80$' "$RUN/shark" || fail "tshark sees: $(head -5 "$RUN/shark")"
fi
(ctl capture tcp count 4 seconds 8 -w - 2> /dev/null | timeout 20 tcpdump -nr - > "$RUN/live" 2> /dev/null) &
live=$!
asked_until_it_ends $live
wait $live
is "lines of tcpdump" "$(wc -l < "$RUN/live")" -ge 4

note "a packet of the capture is explained"
ctl explain --pcap "$RUN/capture.pcapng" packet 1 | grep -q 'verdict' || fail "explain --pcap"

note "a full disk is said, and nothing else is disturbed"
rc=0
ctl capture tcp -w /dev/full seconds 3 > "$RUN/out" 2>&1 || rc=$?
is "exit on a full disk" $rc -ne 0
grep -q 'No space left' "$RUN/out" || fail "words of a full disk: $(cat "$RUN/out")"

note "the last dropped packets are kept by their reason"
is "reasons" "$(ctl --json drops list | jq "[.drops[] | select(.name == \"bad_tcp\")] | length")" -eq 1
ctl drops show bad_tcp | grep -q 'no packet was dropped' || fail "drops show: nothing was dropped"
rc=0
ctl drops show nonsense > "$RUN/out" 2>&1 || rc=$?
is "exit of an unknown reason" $rc -eq 4
doors_add_up
