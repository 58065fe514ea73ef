#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 90
# tools/nic-check on an AF_XDP device: what works is "ok", a peer that is silent is FAILED.
. "$(dirname "$0")/lib.sh"

switch_add public
ns_add dpdk
leg_add dpdk public public
client_add 1

# check PEER: its report; the exit status at the end.
check()
{
	local status=0
	PLVS_BUILD=$BUILD on dpdk "$TOP/tools/nic-check" net_af_xdp0,iface=public 192.0.2.10/24 "$1" 2>&1 || status=$?
	echo "exit $status"
}

check 192.0.2.101 > "$RUN/report"
sed 's/^/  /' "$RUN/report"
for what in start link "ping of 192.0.2.101" "frames of 1514 bytes" "after a restart" end; do
	grep -Eq "^$what +ok" "$RUN/report" || fail "$what is not ok"
done
is "at the end" "$(tail -1 "$RUN/report")" = "exit 0"
check 192.0.2.200 > "$RUN/report"
grep -Eq "^ping of 192.0.2.200 +FAILED: 0 of 20" "$RUN/report" || fail "a silent peer is ok: $(cat "$RUN/report")"
is "at the end, with a silent peer" "$(tail -1 "$RUN/report")" = "exit 1"
