#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 120
# families: 4 6
# set: full
# Kills the whole control group of a router without a peer, and looks at connections by full NAT.
. "$(dirname "$0")/lib.sh"
. "$TOP/tests/net/lib/killed.sh"

# Servers that have the VIP of DR send all replies to the gateway address.
PLVS_ADDRESSES='[{"address": "10.10.255.254/16", "kind": "gateway", "link": "private"},
	{"address": "10.10.0.200", "kind": "pool", "link": "private"}]'
KILLED_METHOD=fullnat
killed_rounds 500 1 3
