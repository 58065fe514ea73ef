#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 150
# families: 4 6
# set: full
# Connections whose servers were told their clients by the PROXY protocol go on after two takeovers: all
# numbers stay moved by the header.
. "$(dirname "$0")/lib.sh"
. "$TOP/tests/net/lib/pair.sh"
. "$TOP/tests/net/lib/faults.sh"
. "$TOP/tests/net/lib/kept.sh"

PLVS_ADDRESSES='[{"address": "10.10.0.200", "kind": "pool", "link": "private"}]'
# shellcheck disable=SC2034 # of kept.sh
KEPT_MORE='.client_address = "proxy-v2"' KEPT_SERVE=told_echo

# told_echo NAMESPACE tcp ADDRESS PORT
told_echo()
{
	on_background "$1" "told-$1" "$TOP/tests/net/lib/told.py" echo "$3" "$4"
	wait_for 10 "a server listens in $1" port_listens "$1" "$4"
}

kept 300 1 3 fullnat
