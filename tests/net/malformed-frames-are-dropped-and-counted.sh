#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 60
. "$(dirname "$0")/lib.sh"

network_two_armed 1 1
plvs_config "$(service web tcp 192.0.2.80:80 nat rr 10.10.0.11:80)"
plvs_start
web_start server1
is "the service answers" "$(on client1 curl -sS --max-time 5 http://192.0.2.80/)" = server1
router=$(on linux cat /sys/class/net/public/address)
client=$(mac_of client1 eth0)
ethernet=${router//:/}${client//:/}0800

# frame REASON BYTES-AFTER-ETHERNET: is sent ten times and must be counted ten times.
frame()
{
	local before
	before=$(drops "$1")
	echo "$ethernet $2" | on client1 "$PROBE" frame-send eth0 --count 10 --rate 1000 \
		> /dev/null
	wait_for 5 "10 frames counted as $1 (before: $before, drops: $(rpc counter.list |
		jq -c '[.drops[] | select(.count > 0) | {(.name): .count}] | add'))" \
		dropped_since "$1" "$before"
	note "$1: 10 of 10"
}

dropped_since()
{
	[ "$(drops "$1")" -eq $(($2 + 10)) ]
}

# ipv4 FIRST-WORD TOTAL-LENGTH PROTOCOL-AND-TTL-WORD: a header from 192.0.2.101 to 192.0.2.80
# with its right checksum.
ipv4()
{
	local sum=0 word
	for word in "$1" "$2" 0000 "$3" c000 0265 c000 0250; do sum=$((sum + 0x$word)); done
	while [ $sum -gt 65535 ]; do sum=$(((sum & 0xffff) + (sum >> 16))); done
	printf '%s %s 0000 0000 %s %04x c0000265 c0000250' "$1" "$2" "$3" $((0xffff - sum))
}

syn="1234 0050 00000001 00000000 5002 ffff 0000 0000"
frame bad_version "$(ipv4 6500 0028 4006) $syn"
frame bad_version "$(ipv4 4400 0028 4006) $syn"
frame ip_checksum "$(ipv4 4500 0028 4006 | sed 's/ .... c0000265/ 1111 c0000265/') $syn"
# The header says 10,240 bytes, the packet has 40.
frame malformed "$(ipv4 4500 2800 4006) $syn"
# A TCP header of 60 bytes of which 20 are there; SYN and FIN at once; none at all.
frame malformed "$(ipv4 4500 0028 4006) 1234 0050 00000001 00000000 f002 ffff 0000 0000"
frame bad_tcp "$(ipv4 4500 0028 4006) 1234 0050 00000001 00000000 5003 ffff 0000 0000"
frame bad_tcp "$(ipv4 4500 0028 4006) 1234 0050 00000001 00000000 5000 ffff 0000 0000"
frame ttl_exceeded "$(ipv4 4500 0028 0106) $syn"
is "the service still answers" "$(on client1 curl -sS --max-time 5 http://192.0.2.80/)" = server1
doors_add_up
