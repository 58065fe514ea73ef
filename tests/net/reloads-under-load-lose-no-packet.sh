#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 180
# alone: yes, packets that are lost are counted at a high rate
PLVS_FRAMES=16384
. "$(dirname "$0")/lib.sh"

# Numbered packets there and back at a rate that af_packet carries here without plvs, one long
# TCP stream, and a reload each second that changes other services, by SIGHUP and by apply in
# turn. a-million-packets-cross-fifty-reloads.sh is the same for longer.
packets=${PACKETS:-240000}
reloads=${RELOADS:-12}
rate=16000

network_two_armed 2 2
steady=("$(service numbers udp 192.0.2.80:7000 nat rr 10.10.0.11:7000)"
	"$(service slow tcp 192.0.2.80:80 nat rr 10.10.0.12:80)")
# others ROUND: three services that change every time.
others()
{
	service other1 tcp 192.0.2.81:80 nat wrr "10.10.0.11:80/$(($1 % 7 + 1))" 10.10.0.12:80/2
	service other2 tcp "192.0.2.8$((2 + $1 % 3)):81" nat wlc 10.10.0.12:80
	[ $(($1 % 2)) -eq 0 ] || service other3 udp 192.0.2.86:53 nat lc 10.10.0.11:53 10.10.0.12:53
}
# On a busy machine Linux resends what was only late: after a loss probe's milliseconds or
# 200 ms. Here it waits longer; what is lost still shows, by selective acknowledgements.
for ns in client2 server2; do on $ns sysctl -qw net.ipv4.tcp_early_retrans=0; done
ip -n "$NET-server2" route change default via $GATEWAY rto_min 3s

others 0 > "$RUN/others"
plvs_config "${steady[@]}" "$(cat "$RUN/others")"
plvs_start
echo_serve server1 udp 10.10.0.11 7000
web_start server2

generation_is_past()
{
	[ "$(rpc status | jq .generation)" -gt "$1" ]
}

on client2 curl -sS --max-time 5 -o /dev/null http://192.0.2.80/
# The first answer to a client waits until Linux knows the client's MAC. A worker keeps 64 packets
# meanwhile (park_full), which is 4 ms at this rate; with a reload beside it that can take longer.
on client1 "$PROBE" udp-ask 192.0.2.80:7000 --count 16 --rate 100 --flows 16 > "$RUN/first"
is "first datagrams lost" "$(jq .lost "$RUN/first")" -eq 0
# Segments that were sent again, less those that turned out to have come twice: a stack that
# moves between CPUs gets its own segments out of order, and resends what was never lost.
tcp_lost()
{
	local ns lost=0
	for ns in client2 server2; do
		lost=$((lost + $(stack_counter $ns TcpRetransSegs) -
			$(stack_counter $ns TcpExtTCPDSACKRecvSegs)))
	done
	echo $lost
}
before=$(tcp_lost)
# Packets that pass a veth pair wait in a queue of the CPU at hand; a queue that is not served for long
# overflows, and a sender that moves to another CPU overtakes itself.
kernel_dropped()
{
	local column sum=0
	while read -r _ column _; do sum=$((sum + 16#$column)); done < /proc/net/softnet_stat
	echo $sum
}
dropped=$(kernel_dropped)
taskset -cp 0 "$(cat "$RUN/echo-server1-udp.pid")" > "$RUN/taskset"
on_background client2 download curl -sS --limit-rate 400k -o /dev/null http://192.0.2.80/slow
on_background client1 numbers taskset -c 0 "$PROBE" udp-ask 192.0.2.80:7000 --count "$packets" --rate $rate \
	--flows 16 --linger 5000
begin=${EPOCHREALTIME/./}
for round in $(seq "$reloads"); do
	others "$round" > "$RUN/others"
	plvs_config "${steady[@]}" "$(cat "$RUN/others")"
	generation=$(rpc status | jq .generation)
	if [ $((round % 2)) -eq 0 ]; then
		ctl config apply > /dev/null
	else
		kill -HUP "$PLVS_PID"
	fi
	wait_for 5 "reload $round is applied" generation_is_past "$generation"
	# Spread over the time of the packets.
	while [ ${EPOCHREALTIME/./} -lt $((begin + round * 1000000)) ]; do pause 0.05; done
done
kill -0 "$(cat "$RUN/numbers.pid")" 2> /dev/null || fail "the numbered packets ended before the reloads"
background_wait numbers
kill -0 "$(cat "$RUN/download.pid")" 2> /dev/null || fail "the download ended before the reloads"
note "$(cat "$RUN/numbers.log")"
note "drops: $(rpc counter.list | jq -c '[.drops[] | select(.count > 0) | {(.name): .count}] | add // {}')"
note "the kernel dropped $(($(kernel_dropped) - dropped)) packets before anybody's port"
is "reloads" "$round" -eq "$reloads"
is "packets sent" "$(jq .sent "$RUN/numbers.log")" -eq "$packets"
is "lost, and not by the kernel's queues" \
	"$(($(jq .lost "$RUN/numbers.log") - ($(kernel_dropped) - dropped)))" -le 0
is "duplicates" "$(jq .duplicates "$RUN/numbers.log")" -eq 0
is "reordered" "$(jq .reordered "$RUN/numbers.log")" -eq 0
on server2 nstat -as | grep -E 'Retrans|Loss|SACK|Timeouts' | sed 's/^/  /' || true
is "TCP segments lost" "$(($(tcp_lost) - before))" -le 0
background_stop download || true
doors_add_up
