#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 120
# set: full
# The same packets through the stages of plvs and through tayga, which translates without state:
# header fields, checksums, fragments, ICMP types, codes, MTUs and pointers.
. "$(dirname "$0")/lib.sh"

carries()
{
	command ip -n "$NET-translator" link show dev nat64 | grep -q LOWER_UP
}

ns_add translator
cat > "$RUN/tayga.conf" <<END
tun-device nat64
ipv4-addr 192.0.2.254
ipv6-addr 2001:db8:ffff::1
map 10.10.0.200 2001:db8:c::1
map 10.10.0.1 2001:db8:1::100
map 192.168.1.1 2001:db8:10::200
map 10.1.0.100 2001:db8:10::1
END
on translator tayga -c "$RUN/tayga.conf" --mktun > /dev/null
command ip -n "$NET-translator" link set dev nat64 up mtu 1500
on_background translator tayga tayga -c "$RUN/tayga.conf" --nodetach
wait_for 5 "tayga has its device" carries
on translator env TAYGA_DEVICE=nat64 timeout 100 "$BUILD/tests/net/tayga_oracle" > "$RUN/oracle.log" 2>&1 ||
	fail "$(grep -aE 'DIFFERS|ERROR|LINE|FAILED' "$RUN/oracle.log" | head -"${ORACLE_LINES:-20}")"
note "$(grep -a 'packets compared' "$RUN/oracle.log")"
