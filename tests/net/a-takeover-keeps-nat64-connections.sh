#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 150
# set: full
# IPv6 clients of IPv4 servers (NAT64), and a takeover each way: the IPv6 VIP and the pool's IPv4 addresses
# move together, and the next router translates with the same local port.
. "$(dirname "$0")/lib.sh"
. "$TOP/tests/net/lib/pair.sh"
. "$TOP/tests/net/lib/faults.sh"
. "$TOP/tests/net/lib/kept.sh"

PLVS_ADDRESSES='[{"address": "10.10.0.200", "kind": "pool", "link": "private"},
	{"address": "10.10.0.201", "kind": "pool", "link": "private"}]'
# shellcheck disable=SC2034 # of kept.sh
KEPT_VIP='[2001:db8:192:2::80]:7' KEPT_MORE='.listen = ["[2001:db8:192:2::80]:7"]'

# Of configurations: each router has an IPv6 address on the clients' link.
inet_filter()
{
	local text i
	text=$(cat)
	if ! jq -e .node.name <<< "$text" > /dev/null 2>&1; then
		printf '%s\n' "$text"
		return
	fi
	both_families linux-a linux-b client1
	# The client is a witness: a router waits for it.
	ip -n "$NET-client1" address replace 2001:db8:192:2::101/64 dev eth0 nodad
	jq '.node.ports[0].linux.addresses += ["2001:db8:192:2::" + {a: "2", b: "3"}[.node.name] + "/64"]' \
		<<< "$text"
}

kept 500 1 3 fullnat

note "connections are between the families"
pair_at a
is "connections of IPv6 clients" "$(ctl --json connection list | jq -s '
	[.. | objects | select(.client? // "" | startswith("[2001:db8:192:2::101")) |
	 select(.server | startswith("10.10.0.1"))] | length')" -ge 1
