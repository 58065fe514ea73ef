#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 90
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/net/lib/health.sh
. "$TOP/tests/net/lib/health.sh"

S1=10.10.0.11 S2=10.10.0.12 S3=10.10.0.13

# seen SERVER NAME: what workers counted of its answers to SYNs.
seen()
{
	rpc service.get '{"service": "web"}' |
		jq ".service.servers[] | select(.address == \"$1:80\").handshakes.$2"
}

# silent NAMESPACE: it drops SYNs.
silent()
{
	block "$1" 'tcp dport 80 tcp flags & (syn | ack) == syn'
}

# Clients that give up soon, so that they go on asking.
crowd()
{
	local i
	for i in 1 2 3 4 5 6; do
		# shellcheck disable=SC2016
		on_background client$((i % 2 + 1)) crowd$i bash -c 'trap "exit 0" TERM
			while :; do
				code=0 began=$EPOCHREALTIME
				answer=$(curl -s --connect-timeout 1.3 --max-time 2 http://192.0.2.80/) || code=$?
				echo "$began $EPOCHREALTIME $code $answer"
				sleep 0.02
			done'
	done
}

# configure RISE: so many windows without a fault and a server is up again.
configure()
{
	health_config '[{"name": "seen", "type": "passive", "interval": "1s", "rise": '"$1"', "fall": 1,
		"passive": {"window": "1s", "min_connections": 2, "no_answer": 50, "refused": 50}}]' \
		"$(service web tcp 192.0.2.80:80 nat rr $S1:80 $S2:80 $S3:80 | jq -c '.check = "seen"')"
}

network_two_armed 2 3
configure 20
plvs_start
for i in 1 2 3; do web_start server$i; done
for s in $S1 $S2 $S3; do server_becomes 5 web "$s:80" up; done
crowd
many_syns()
{
	[ "$(seen $S1 answers)" -ge 20 ]
}
wait_for 10 "clients are served" many_syns
is "SYNs without an answer so far" "$(seen $S1 no_answer)" -eq 0
is "and refused" "$(seen $S1 refused)" -eq 0
is "microseconds to a SYN-ACK, mean" "$(seen $S1 answer_mean_us)" -gt 0

# Refused: RST on SYN.
background_stop web-server1
server_becomes 6 web $S1:80 down
reason_says web $S1:80 "[0-9]+ of [0-9]+ SYNs of clients were refused"
is "counted as refused" "$(seen $S1 refused)" -ge 2
since=$(health_of web $S1:80 .since_ms)
sleep 0.5
served_without crowd1 server1 "$since" "$(now_ms)"

# Silent: the client has to say it again. The last one is left to clients whatever is seen of
# it: it may be the clients.
silent server2
silent server3
all_down()
{
	rpc health.list | jq -e '.servers | all(.state == "down")'
}
wait_for 12 "all are down" all_down
for s in $S2 $S3; do
	reason_says web "$s:80" "[0-9]+ of [0-9]+ SYNs of clients were not answered"
	is "counted as silent" "$(seen "$s" no_answer)" -ge 2
done
last=$(chosen web)
is "one is chosen all the same" "$(wc -w <<< "$last")" -eq 1
[ "$last" != $S1:80 ] || fail "it is not the one that went last"
unblock server2
unblock server3
web_start server1
is "answers of the last one" "$(web_ask client1 192.0.2.80 5 | grep -c '^server[23]$')" -eq 5

# Nothing speaks against them any more.
configure 1
ctl config apply "$RUN/plvs.json" > /dev/null
for s in $S1 $S2 $S3; do server_becomes 5 web "$s:80" up; done
is "chosen" "$(chosen web)" = "$S1:80 $S2:80 $S3:80"
for i in 1 2 3 4 5 6; do background_stop crowd$i; done
doors_add_up
