#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 60
# families: 4 6
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/net/lib/health.sh
. "$TOP/tests/net/lib/health.sh"

# VLAN 10 is the public switch, VLAN 20 the private one; the router has one port, the trunk.
switch_add public
switch_add private
ns_add linux
ns_add dpdk
client_add 1
server_add 1
server_add 2
server_add_direct 2 192.0.2.90
ip link add name trunk netns "$NET-dpdk" numtxqueues 1 numrxqueues 1 type veth \
	peer name trunk netns "$NET-wire" numtxqueues 1 numrxqueues 1
leg_add wire vlan10 public
leg_add wire vlan20 private
for end in dpdk wire; do ip -n "$NET-$end" link set dev trunk up; done
on_background wire switch "$PROBE" vlan-switch trunk 10:vlan10 20:vlan20
wait_for 5 "the VLAN switch runs" grep -q ready "$RUN/switch.log"

plvs_port trunk '{"vlans": [{"id": 10, "addresses": ["192.0.2.10/24"]},
	{"id": 20, "addresses": ["10.10.0.2/16"]}]}'
PLVS_ADDRESSES='[{"address": "10.10.255.254/16", "kind": "gateway", "link": "trunk.20"}]'
times='interval: "200ms", timeout: "800ms", rise: 2, fall: 2'
health_config "$(jq -nc "[{name: \"direct\", type: \"http\", $times},
	{name: \"vip\", type: \"http\", via_vip: true, $times},
	{name: \"ping\", type: \"icmp\", via_vip: true, $times}]")" \
	"$(service nat tcp 192.0.2.80:80 nat rr 10.10.0.11:80 10.10.0.12:80 |
		jq -c '.check = "direct"')" \
	"$(service dr tcp 192.0.2.90:80 dr rr 192.0.2.12:80 | jq -c '.check = ["vip", "ping"]')"
for i in 1 2; do web_start server$i; done
plvs_start
wait_for 10 "checks reach their servers by VLANs" all_up

web_ask client1 192.0.2.80 100 > "$RUN/answers"
is "answers by NAT" "$(wc -l < "$RUN/answers")" -eq 100
is "servers" "$(sort -u "$RUN/answers" | wc -l)" -eq 2
web_ask client1 192.0.2.90 100 > "$RUN/answers"
is "answers by DR" "$(answers_by "$RUN/answers" server2)" -eq 100
is "answers to ping of the router's own address" "$(on client1 ping -q -c 5 -i 0.1 192.0.2.10 |
	sed -n 's/.* \([0-9]*\) received.*/\1/p')" -eq 5
ip -n "$NET-server2" address delete 192.0.2.90/32 dev lo
server_becomes 5 dr 192.0.2.12:80 down
is "replies punted in the class of checks" "$(counted \
	'[.punts[] | select(.name == "check") | .count] | add')" -ge 20
doors_add_up
