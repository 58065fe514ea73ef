#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 60
# families: 4 6
# set6: full
# Clients, servers and the router's only port in one network, and nobody has a route to learn. A
# server and a program of the router call the services as well.
. "$(dirname "$0")/lib.sh"

switch_add public
ns_add linux
ns_add dpdk
client_add 1
for i in 1 2; do
	ns_add server$i
	leg_add server$i public public 192.0.2.1$i/24
done
leg_add dpdk public public
plvs_port public '{"addresses": ["192.0.2.10/24"]}'
PLVS_ADDRESSES='[{"address": "192.0.2.200", "kind": "pool", "link": "public"}]'
plvs_config "$(service both tcp 192.0.2.80:80 fullnat rr 192.0.2.11:80 192.0.2.12:80)" \
	"$(service own tcp 192.0.2.81:80 fullnat rr 192.0.2.11:80)"
plvs_start 2
for i in 1 2; do web_start server$i; done

web_ask client1 192.0.2.80 40 > "$RUN/answers"
for i in 1 2; do is "answers of server $i" "$(answers_by "$RUN/answers" server$i)" -eq 20; done

note "a server calls the service that it serves alone"
web_ask server1 192.0.2.81 20 > "$RUN/answers"
is "answers to server 1" "$(answers_by "$RUN/answers" server1)" -eq 20

note "a program of the router calls a service, by a rule of Linux"
ip -n "$NET-linux" "-$FAMILY" rule add pref 1 lookup local
ip -n "$NET-linux" "-$FAMILY" rule del pref 0
ip -n "$NET-linux" "-$FAMILY" rule add pref 0 iif lo to 192.0.2.80 ipproto tcp dport 80 lookup 80
ip -n "$NET-linux" "-$FAMILY" route add 192.0.2.80/32 dev public src 192.0.2.10 table 80
ip -n "$NET-linux" neigh replace 192.0.2.80 lladdr 02:00:00:00:00:80 nud permanent dev public
on linux sysctl -qw net.ipv4.conf.public.accept_local=1
web_ask linux 192.0.2.80 40 > "$RUN/answers"
for i in 1 2; do is "answers of server $i" "$(answers_by "$RUN/answers" server$i)" -eq 20; done
# Packets that no rule sends there are Linux's own.
on linux ping -qc 2 -i 0.2 -W 2 192.0.2.80 > "$RUN/ping" || fail "no answer: $(cat "$RUN/ping")"
is "sources that no link can bring" "$(drops bad_source)" -eq 0
doors_add_up
