#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 90
# families: 4 6
. "$(dirname "$0")/lib.sh"
. "$TOP/tests/net/lib/pair.sh"
. "$TOP/tests/net/lib/faults.sh"

# Announcements, as a filter of tcpdump.
discovery=arp
[ "$FAMILY" = 4 ] || discovery='icmp6 and ip6[40] = 136'

# announced LABEL ADDRESS MAC: how many requests and how many replies said so. Of IPv6 there are
# advertisements only, which count as both.
announced()
{
	local n
	if [ "$FAMILY" = 6 ]; then
		n=$(capture "$1" | grep -F "$3 > 33:33:00:00:00:01" |
			grep -cE "tgt is $(inet "$2")," || true)
		echo "$n $n"
		return
	fi
	capture "$1" | grep -F "$3 >" > "$RUN/arp" || true
	echo "$(grep -c "Request who-has $2.* tell $2," "$RUN/arp") $(grep -c "Reply $2 is-at $3" "$RUN/arp")"
}

# linux_has ROUTER ADDRESS: on some interface of its Linux side.
linux_has()
{
	ip -n "$NET-linux-$1" -o address show | grep -qF " $(inet "$2")/"
}

vips=(192.0.2.80 192.0.2.81 192.0.2.82)
services=()
for vip in "${vips[@]}"; do
	services+=("$(service "web${vip##*.}" tcp "$vip:80" nat rr 10.10.0.11:8080)")
done
pair_ready 2 1 "${services[@]}"
web_start server1 8080
wait_for 10 "the web answers" pair_serves 192.0.2.80 3
for address in "${vips[@]}" $GATEWAY; do
	wait_for 5 "Linux of the active router has $address" linux_has a "$address"
	linux_has b "$address" && fail "the backup has $address"
done

note "takeover: each address is announced where it is"
capture_start client1 eth0 outside "$discovery"
capture_start server1 private inside "$discovery"
pair_freeze a
pair_becomes 5 b active
outside=$(mac_of dpdk-b public) inside=$(mac_of dpdk-b private)
burst_over()
{
	local request reply
	for vip in "${vips[@]}"; do
		read -r request reply < <(announced outside "$vip" "$outside")
		[ "$request" -ge 5 ] && [ "$reply" -ge 5 ] || return 1
	done
	read -r request reply < <(announced inside $GATEWAY "$inside")
	[ "$request" -ge 5 ] && [ "$reply" -ge 5 ]
}
wait_for 10 "five requests and replies for each address" burst_over
capture_stop outside
capture_stop inside
for vip in "${vips[@]}"; do
	note "$vip outside, requests and replies: $(announced outside "$vip" "$outside")"
done
note "$GATEWAY inside, requests and replies: $(announced inside $GATEWAY "$inside")"
wait_for 5 "the client has learnt" eval \
	"ip -n $NET-client1 neigh show 192.0.2.80 | grep -q $outside"
wait_for 5 "the server has learnt" eval \
	"ip -n $NET-server1 neigh show $GATEWAY | grep -q $inside"
pair_thaw a
pair_becomes 5 a backup
for address in "${vips[@]}" $GATEWAY; do
	gone()
	{
		! linux_has a "$address"
	}
	wait_for 5 "$address leaves Linux of the router that gave up" gone
done

note "a stranger claims a VIP"
mac=$(mac_of client2 eth0)
capture_start client1 eth0 fight "$discovery and ether src $outside"
ip -n "$NET-client2" address add 192.0.2.80/32 dev eth0
on client2 sysctl -qw net.ipv4.conf.all.arp_ignore=1
# Gratuitous: who-has 192.0.2.80 tell 192.0.2.80.
hex=${mac//:/}
claim="ffffffffffff${hex}08060001080006040001${hex}c0000250000000000000c0000250"
[ "$FAMILY" = 4 ] || claim=$(python3 "$TOP/tests/net/lib/advertisement.py" "$mac" "$(inet 192.0.2.80)")
told()
{
	echo "$claim" | on client2 "$PROBE" frame-send eth0 --count 1 --rate 10 > "$RUN/claim.log"
	pause 0.3
	grep -qi "$mac" "$RUN/b.log"
}
wait_for 30 "the log names the stranger" told
note "$(grep -i "$mac" "$RUN/b.log" | tail -1)"
capture_stop fight
is "announcements against it" "$(capture fight | grep -c "$(inet 192.0.2.80)")" -ge 2
is "b" "$(pair_state b)" = active
ip -n "$NET-client2" address delete 192.0.2.80/32 dev eth0
