#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 60
# families: 4 6
# set6: full
# Servers that no other method with replies through the router can have: without a route to the
# clients, behind another router, and in the clients' own network.
. "$(dirname "$0")/lib.sh"

network_two_armed 1 1
# Server 1 knows its own network and nothing else.
ip -n "$NET-server1" "-$FAMILY" route del default
# Server 2 stands behind a router of its own network.
switch_add far
ns_add router
leg_add router private private 10.10.0.99/16
leg_add router far far 203.0.113.1/24
forward_on router
ns_add server2
leg_add server2 far far 203.0.113.12/24
ip -n "$NET-server2" route add default via 203.0.113.1
# Server 3 is a neighbour of the clients: the router has one arm there.
ns_add server3
leg_add server3 public public 192.0.2.13/24
PLVS_PORTS=$(jq -c '.[1].linux.routes = ["203.0.113.0/24 via 10.10.0.99"]' <<< "$PLVS_PORTS")
PLVS_ADDRESSES='[{"address": "10.10.0.200", "kind": "pool", "link": "private"},
	{"address": "10.10.0.201", "kind": "pool", "link": "private"},
	{"address": "192.0.2.200", "kind": "pool", "link": "public"}]'
plvs_config "$(service near tcp 192.0.2.80:80 fullnat rr 10.10.0.11:80)" \
	"$(service far tcp 192.0.2.81:80 fullnat rr 203.0.113.12:80)" \
	"$(service beside tcp 192.0.2.82:80 fullnat rr 192.0.2.13:80)" \
	"$(service all tcp 192.0.2.83:80 fullnat rr 10.10.0.11:80 203.0.113.12:80 192.0.2.13:80)" \
	"$(service ask udp 192.0.2.80:9 fullnat rr 10.10.0.11:9)"
plvs_start 2
for i in 1 2 3; do web_start server$i; done
echo_serve server1 udp 10.10.0.11 9

for i in 1 2 3; do
	web_ask client1 192.0.2.$((79 + i)) 50 > "$RUN/answers"
	is "answers of server $i" "$(answers_by "$RUN/answers" server$i)" -eq 50
done
web_ask client1 192.0.2.83 60 > "$RUN/answers"
is "servers of one service" "$(sort -u "$RUN/answers" | wc -l)" -eq 3

note "a datagram that is larger than a packet crosses both ways"
on client1 "$PROBE" udp-ask 192.0.2.80:9 --flows 10 --count 50 --rate 500 > "$RUN/udp"
is "datagrams answered" "$(jq .received "$RUN/udp")" -eq 50

note "a server reaches the service that it serves itself"
web_ask server3 192.0.2.82 20 > "$RUN/answers"
is "answers to server 3" "$(answers_by "$RUN/answers" server3)" -eq 20

note "addresses of the pool answer ping, and drop what belongs to no connection"
on server1 ping -qc 2 -i 0.2 -W 2 10.10.0.200 > "$RUN/ping" || fail "no answer: $(cat "$RUN/ping")"
before=$(drops pool_unknown)
on server1 "$PROBE" tcp-knock 10.10.0.200:5000 --count 3 --rate 100 > /dev/null 2>&1 || true
is "dropped by name" "$(drops pool_unknown)" -gt "$before"
is "refused connections" "$(($(drops no_local_port) + $(drops no_local_address)))" -eq 0

is "listed as" "$(ctl --json connection list | jq -r '[.. | .method? // empty] | unique | .[]')" = fullnat
is "ports in use" "$(counted '[.workers[].counters.local_ports] | add')" -gt 0
doors_add_up
