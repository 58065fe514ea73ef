#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 60
# families: 4 6
. "$(dirname "$0")/lib.sh"

# A single switch for all hosts. The servers' default route is the gateway address, and clients
# live in a prefix of their own, so that answers come back through the router.
switch_add public
ns_add linux
ns_add dpdk
for i in 1 2; do
	ns_add server$i
	leg_add server$i public public 192.0.2.1$i/24
	ip -n "$NET-server$i" route add default via 192.0.2.254
	on server$i sysctl -qw net.ipv4.conf.all.accept_redirects=0
done
ns_add client1
leg_add client1 eth0 public 198.51.100.101/24
leg_add dpdk public public
plvs_port public '{"addresses": ["192.0.2.10/24", "198.51.100.1/24"]}'
ip -n "$NET-client1" route add default via 198.51.100.1
PLVS_ADDRESSES='[{"address": "192.0.2.254/24", "kind": "gateway", "link": "public"}]'
# The DR server knows the VIP and reaches the client without the router.
on server2 sysctl -qw net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2
ip -n "$NET-server2" address add 198.51.100.90/32 dev lo
ip -n "$NET-server2" route add 198.51.100.101/32 dev public src 192.0.2.12
ip -n "$NET-client1" route add 192.0.2.12/32 dev eth0
plvs_config "$(service nat tcp 198.51.100.80:80 nat rr 192.0.2.11:80)" \
	"$(service dr tcp 198.51.100.90:80 dr rr 192.0.2.12:80)"
plvs_start
for i in 1 2; do web_start server$i; done

web_ask client1 198.51.100.80 100 > "$RUN/answers"
is "answers by NAT" "$(answers_by "$RUN/answers" server1)" -eq 100
web_ask client1 198.51.100.90 100 > "$RUN/answers"
is "answers by DR" "$(answers_by "$RUN/answers" server2)" -eq 100
doors_add_up
