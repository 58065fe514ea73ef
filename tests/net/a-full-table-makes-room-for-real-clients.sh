#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 120
. "$(dirname "$0")/lib.sh"

# A table of 5,000 entries. client2 is the attacker. The servers do not answer his sources, so
# such an entry stays for 15 minutes unless it gives way. Three quarters of the table are his at
# most: with the idle connections that is 79 %, and the warning ends below 80 %.
IDLE=200
network_two_armed 2 2
server_add_direct 2 192.0.2.90
for i in 1 2; do ip -n "$NET-server$i" route add blackhole 100.64.0.0/10; done
plvs_config "$(service echo tcp 192.0.2.80:7 nat rr 10.10.0.11:7)" \
	"$(service web tcp 192.0.2.80:80 nat rr 10.10.0.11:80 | jq -c \
		'. + {timeouts: {fin_wait: "10s", time_wait: "10s"}}')" \
	"$(service direct tcp 192.0.2.90:80 dr rr 192.0.2.12:80 | jq -c \
		'. + {timeouts: {fin_wait: "10s", time_wait: "10s"}}')"
jq '.node.workers.connections = 4000 | .node.metrics = {listen: "127.0.0.1:9469"}' \
	"$RUN/plvs.json" > "$RUN/plvs.json.new"
mv "$RUN/plvs.json.new" "$RUN/plvs.json"
plvs_start
for i in 1 2; do web_start server$i; done
echo_serve server1 tcp 10.10.0.11 7
capacity=$(rpc status | jq .connections.capacity)
note "entries of the table: $capacity"

evicted()
{
	counted "[.workers[].counters.$1] | add // 0"
}
evicted_is_over()
{
	[ "$(evicted "$1")" -gt "$2" ]
}
nearly_full()
{
	on dpdk curl -sS --max-time 10 http://127.0.0.1:9469/metrics |
		awk '$1 == "plvs_connections_nearly_full" { print $2 }'
}
warns()
{
	ctl status > "$RUN/said" && grep -q 'connection table of worker 0 is .*% full' "$RUN/said"
}
asked=0
retransmitted=0
# ask COUNT VIP...: new connections to each. Clients that get no answer must not outlast the test.
ask()
{
	local count=$1 vip
	shift
	for vip; do
		on client1 timeout 20 curl -sS --max-time 5 -H 'Connection: close' \
			"http://$vip/?[1-$count]" >> "$RUN/answers" 2>> "$RUN/curl.log" || true
		asked=$((asked + count))
	done
}
# is_served WHEN: those who were asked for since the last call.
is_served()
{
	local answers again
	answers=$(wc -l < "$RUN/answers")
	again=$(($(stack_counter client1 TcpExtTCPSynRetrans) - retransmitted))
	note "$1: $answers of $asked clients were served; SYNs sent again: $again"
	is "served, in thousand" $((answers * 1000 / asked)) -ge 990
	is "SYNs sent again, in thousand" $((again * 1000 / asked)) -le 10
	: > "$RUN/answers"
	asked=0
	retransmitted=$((retransmitted + again))
}

exec {questions}> >(on client1 "$PROBE" tcp-hold 192.0.2.80:7 --count $IDLE --rate 500 \
	> "$RUN/hold.log" 2>&1)
reports()
{
	[ "$(grep -c connections "$RUN/hold.log")" -ge "$1" ]
}
idle_survive()
{
	echo ask >&$questions
	wait_for 25 "idle connections are asked" reports "$1"
	is "idle connections that answer, $2" "$(tail -1 "$RUN/hold.log" | jq .answered)" -eq $IDLE
}
wait_for 20 "idle connections are open" reports 1

# The table fills with handshakes that no server answered.
mac=$(rpc port.list | jq -r '.ports[] | select(.name == "public") | .mac')
on_background client2 attack /usr/bin/python3 -IS "$TOP/tests/net/lib/handshakes.py" \
	"$NET-client2" eth0 "$mac" 2000 192.0.2.80:80 192.0.2.90:80
attack_fills()
{
	[ "$(rpc status | jq .connections.live)" -gt $((capacity / 2 + IDLE)) ]
}
wait_for 20 "the attack fills the table" attack_fills
before=$(evicted evicted_not_assured)
end=$((SECONDS + 25))
until [ "$asked" -ge 1000 ] && evicted_is_over evicted_not_assured $((before + capacity)); do
	[ $SECONDS -lt $end ] || break
	ask 100 192.0.2.80 192.0.2.90
done
is_served "during the attack"
is "handshakes that gave way" "$(evicted evicted_not_assured)" -gt $((before + capacity))
background_stop attack
note "handshakes of the attack: $(cat "$RUN/attack.log")"
ask 200 192.0.2.80 192.0.2.90
is_served "with the attack's entries left"
idle_survive 2 "after the attack"

# Short connections at a rate that fills the rest; their ends stay for 10 s each.
before=$(evicted evicted_ending)
end=$((SECONDS + 25))
until evicted_is_over evicted_ending $((before + capacity / 2)); do
	[ $SECONDS -lt $end ] || break
	ask 300 192.0.2.80 192.0.2.90
done
is_served "while ends fill the table"
is "ends that gave way" "$(evicted evicted_ending)" -gt $((before + capacity / 2))
is "packets dropped, the table full" "$(drops table_full)" -eq 0
is "assured connections that gave way" "$(evicted evicted_idle)" -eq 0
wait_for 5 "plvsctl status warns" warns
note "$(grep 'connection table' "$RUN/said")"
is "the metric" "$(nearly_full)" = 1
is "warnings in the log" "$(grep -c 'connection table of worker 0 is' "$RUN/plvs.log")" -ge 1
idle_survive 3 "after the short ones"

# 10 s later the ends have gone by themselves.
wait_for 20 "the log says that there is room" grep -q 'connection tables have room again' \
	"$RUN/plvs.log"
is "plvsctl status" "$(warns && echo warns || echo silent)" = silent
is "the metric" "$(nearly_full)" = 0
exec {questions}>&-
doors_add_up
