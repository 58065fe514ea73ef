#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 150
# set: full
# IPv4 clients of IPv6 servers (NAT46), and a takeover each way: the pool's IPv6 addresses move with the
# VIPs, and the next router translates with the same local port.
. "$(dirname "$0")/lib.sh"
. "$TOP/tests/net/lib/pair.sh"
. "$TOP/tests/net/lib/faults.sh"
. "$TOP/tests/net/lib/kept.sh"

PLVS_ADDRESSES='[{"address": "2001:db8:10:10::200", "kind": "pool", "link": "private"},
	{"address": "2001:db8:10:10::201", "kind": "pool", "link": "private"}]'
KEPT_MORE='.servers |= map(.address |= sub("^10.10.0.(?<n>[0-9]+):"; "[2001:db8:10:10::\(.n)]:"))'

# Of configurations: each router has an IPv6 address on the servers' link.
inet_filter()
{
	local text i
	text=$(cat)
	if ! jq -e .node.name <<< "$text" > /dev/null 2>&1; then
		printf '%s\n' "$text"
		return
	fi
	both_families linux-a linux-b server1 server2
	# The servers are witnesses: a router waits for them.
	for i in 1 2; do
		ip -n "$NET-server$i" address replace "2001:db8:10:10::1$i/64" dev private nodad
	done
	jq '.node.ports[1].linux.addresses += ["2001:db8:10:10::" + {a: "2", b: "3"}[.node.name] + "/64"]' \
		<<< "$text"
}

six_serve()
{
	echo_serve "$1" tcp "[2001:db8:10:10::${3##*.}]" 7
}

# shellcheck disable=SC2034 # of kept.sh
KEPT_SERVE=six_serve
kept 500 1 3 fullnat

note "connections are between the families"
pair_at a
is "connections to IPv6 servers" "$(ctl --json connection list | jq -s '
	[.. | objects | select(.server? // "" | startswith("[2001:db8:10:10::1"))] | length')" -ge 1
