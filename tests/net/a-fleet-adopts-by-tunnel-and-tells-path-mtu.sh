#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# set: full
# limit: 120
# families: 4 6
# Members of 1, 2 and 4 workers, of which one has other ports (af_xdp) than the rest (af_packet), adopt flows by tunnel, and an ICMP error that reaches another member than the
# flow's goes to the flow's server all the same.
. "$(dirname "$0")/lib.sh"
. "$TOP/tests/net/lib/fleet.sh"

VIP=198.51.100.80
N=600
FLEET_BFD=60
ROUTER_WORKERS=([lb1]=1 [lb2]=2 [lb3]=4)
ROUTER_DRIVER=([lb2]=af_xdp)
SERVICES=("$(adopting "$(service echo tcp $VIP:7 tunnel mh 10.10.0.11:7 10.10.0.12:7)")"
	"$(adopting "$(service web tcp $VIP:80 tunnel mh 10.10.0.11:80 10.10.0.12:80)")")

fleet_network 3 4 2
for i in 1 2; do
	on_background "server$i" "ipip$i" "$PROBE" ipip-open tunnel "$FAMILY"
	wait_for 5 "the tunnel's end is open" grep -q ready "$RUN/ipip$i.log"
	on "server$i" sysctl -qw net.ipv4.conf.tunnel.rp_filter=0
	ip -n "$NET-server$i" link set dev tunnel up
	echo_serve "server$i" tcp $VIP 7
	web_start "server$i"
done
for i in 1 2 3; do
	fleet_config "$i" "${SERVICES[@]}"
	fleet_start "$i"
done
is "drivers of the members" "$(for i in 1 2 3; do fleet_at $i; rpc port.list | jq -r '.ports[0].driver'; done | xargs)" = \
	"net_af_packet net_af_xdp net_af_packet"
fleet_birds
fleet_becomes 30 $VIP "1 2 3"
hold_open $N $VIP:7
for i in 1 2 3; do
	before[i]=$(fleet_counter "$i" adopted)
	is "connections of lb$i" "$(rpc status | jq .connections.live)" -gt 50
done
# The flows of each member come to the others, and back.
for i in 1 2 3; do
	fleet_at "$i"
	ctl fleet drain > "$RUN/said"
	fleet_becomes 10 $VIP "$(seq 1 3 | grep -vx "$i" | xargs)"
	is "connections that answer, lb$i drained" "$(hold_answered)" -eq $N
	fleet_at "$i"
	ctl fleet undrain > "$RUN/said"
	fleet_becomes 10 $VIP "1 2 3"
done
is "connections that answer, all back" "$(hold_answered)" -eq $N
for i in 1 2 3; do is "flows that lb$i adopted" "$(($(fleet_counter "$i" adopted) - before[i]))" -gt 30; done
hold_close

# Behind the edge packets get smaller: it tells the VIP so, by whatever member its own packets take.
ip -n "$NET-edge" link set dev clients mtu 1300
if [ "$FAMILY" = 4 ]; then on edge sysctl -qw net.ipv4.icmp_ratelimit=0; else on edge sysctl -qw net.ipv6.icmp.ratelimit=0; fi
for i in 1 2 3; do before[i]=$(fleet_counter "$i" adopted_once); done
for c in 1 2 3 4; do
	for _ in 1 2 3; do
		is "bytes of a download by a path of 1300 bytes" "$(on "client$c" curl -sS --max-time 10 -r 0-299999 \
			-o "$RUN/got" -w '%{size_download}' "http://$(bracketed $VIP)/big")" -eq 300000
	done
done
once=0
for i in 1 2 3; do once=$((once + $(fleet_counter "$i" adopted_once) - before[i])); done
is "errors about flows of another member" $once -ge 1
fleet_at 3
doors_add_up
