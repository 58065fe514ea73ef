#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 150
# families: 4 6
# set: full
. "$(dirname "$0")/lib.sh"
. "$TOP/tests/net/lib/pair.sh"
. "$TOP/tests/net/lib/faults.sh"
. "$TOP/tests/net/lib/kept.sh"

# The pool moves with the VIPs. The servers have no route to the clients.
PLVS_ADDRESSES='[{"address": "10.10.0.200", "kind": "pool", "link": "private"},
	{"address": "10.10.0.201", "kind": "pool", "link": "private"}]'
# Another number of workers on the other router, and both directions.
kept 500 1 3 fullnat

note "the pool's addresses moved with the VIPs"
# The servers asked for nothing meanwhile: they heard the announcement.
is "neighbour of server 1" "$(ip -n "$NET-server1" -j neigh show 10.10.0.200 | jq -r '.[0].lladdr')" = \
	"$(mac_of dpdk-a private)"
