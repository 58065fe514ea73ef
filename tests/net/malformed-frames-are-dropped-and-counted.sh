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

addresses="c0000265 c0000250" # 192.0.2.101, 192.0.2.80
syn="1234 0050 00000001 00000000 5002 ffff 0000 0000"
# Total length 40, TTL 64, TCP; the checksum of this header is b6 a6.
checksum=$(printf '%04x' $((0xffff - (0x4500 + 0x0028 + 0x4006 + 0xc000 + 0x0265 + 0xc000 + 0x0250) % 0xffff)))
frame bad_version "6500 0028 0000 0000 4006 $checksum $addresses $syn"
frame bad_version "4400 0028 0000 0000 4006 $checksum $addresses $syn"
frame ip_checksum "4500 0028 0000 0000 4006 1111 $addresses $syn"
# It says 0x2800 bytes and has 40.
frame malformed "4500 2800 0000 0000 4006 $checksum $addresses $syn"
is "the service still answers" "$(on client1 curl -sS --max-time 5 http://192.0.2.80/)" = server1
doors_add_up
