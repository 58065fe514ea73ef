#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 60
. "$(dirname "$0")/lib.sh"

prefix_routed()
{
	[ -n "$(on linux ip route show table local type local 203.0.113.0/24 dev public)" ]
}

prefix_gone()
{
	! prefix_routed
}

network_two_armed 1 1
ip -n "$NET-client1" route add 203.0.113.0/24 via 192.0.2.10
GATEWAYS=$PLVS_ADDRESSES
PLVS_ADDRESSES=$(jq -c '. + [{address: "203.0.113.0/24", kind: "prefix", link: "public"}]' \
	<<< "$PLVS_ADDRESSES")
plvs_config "$(service web tcp 203.0.113.80:80 nat rr 10.10.0.11:80)"
plvs_start
web_start server1
web_start linux

wait_for 5 "Linux has a local route for the prefix" prefix_routed
is "addresses of the prefix that the TAP has" \
	"$(on linux ip -j -4 address show dev public | jq '[.[].addr_info[] | select(.local | startswith("203"))] | length')" -eq 0
web_ask client1 203.0.113.80 20 > "$RUN/answers"
is "answers of the service" "$(answers_by "$RUN/answers" server1)" -eq 20
web_ask client1 203.0.113.81 5 > "$RUN/answers"
is "answers of Linux to an address that no service claims" \
	"$(answers_by "$RUN/answers" linux)" -eq 5
on client1 ping -c 3 -i 0.2 -W 2 203.0.113.80 > /dev/null || fail "no echo from the service's address"
on client1 ping -c 3 -i 0.2 -W 2 203.0.113.82 > /dev/null || fail "no echo from the prefix"

# No station answers ARP for it.
ip -n "$NET-client1" route replace 203.0.113.0/24 dev eth0
for address in 203.0.113.80 203.0.113.81; do
	! on client1 ping -c 1 -W 1 $address > /dev/null || fail "ARP for $address was answered"
done

PLVS_ADDRESSES=$GATEWAYS
plvs_config "$(service web tcp 203.0.113.80:80 nat rr 10.10.0.11:80)"
ctl config apply "$RUN/plvs.json" > /dev/null
wait_for 5 "the route goes with the prefix" prefix_gone
ip -n "$NET-client1" neighbour flush dev eth0
web_ask client1 203.0.113.80 5 > "$RUN/answers"
is "answers of the service, now a VIP of the link" "$(answers_by "$RUN/answers" server1)" -eq 5
doors_add_up
