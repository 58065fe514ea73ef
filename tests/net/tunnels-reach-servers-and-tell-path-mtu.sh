#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 90
# families: 4 6
# af_xdp: packets come and go as they are. The server is behind a router with a smaller MTU;
# it opens the tunnel and answers clients directly.
PLVS_DRIVER=af_xdp
. "$(dirname "$0")/lib.sh"

VIP=192.0.2.90
SERVER=10.20.0.11

all_received()
{
	cmp "$RUN/sent" "$RUN/upload"
}

network_two_armed 1 0
switch_add far
ns_add middle
leg_add middle near private 10.10.0.50/16
leg_add middle far far 10.20.0.1/24
ip -n "$NET-middle" link set dev far mtu 1400
forward_on middle
if [ "$FAMILY" = 4 ]; then
	told='No route to host' left=1380
	on middle sysctl -qw net.ipv4.icmp_ratelimit=0
else
	told='Network is unreachable' left=1360
	on middle sysctl -qw net.ipv6.icmp.ratelimit=0
fi
ip -n "$NET-middle" route add 172.16.5.0/24 via 10.10.0.2

ns_add server
leg_add server public public 192.0.2.11/24
leg_add server far far $SERVER/24
ip -n "$NET-server" address add $VIP/32 dev lo
ip -n "$NET-server" route add default via 10.20.0.1
on server sysctl -qw net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2
on_background server ipip "$PROBE" ipip-open tunnel "$FAMILY"
wait_for 5 "the tunnel's end is open" grep -q ready "$RUN/ipip.log"
on server sysctl -qw net.ipv4.conf.tunnel.rp_filter=0
ip -n "$NET-server" link set dev tunnel up
web_start server
on_background server upload socat -u "TCP$FAMILY-LISTEN:7000,bind=$(bracketed $VIP),reuseaddr" "CREATE:$RUN/upload"
wait_for 5 "the server listens" port_listens server 7000

PLVS_PORTS=$(jq -c '(.[] | select(.name == "private")).linux.routes =
	["10.20.0.0/24 via 10.10.0.50"]' <<< "$PLVS_PORTS")
spread='. + {tunnel_source: "172.16.5.0/24"}'
plvs_config "$(service web tcp $VIP:80 tunnel rr $SERVER:80 | jq -c "$spread")" \
	"$(service upload tcp $VIP:7000 tunnel rr $SERVER:7000 | jq -c "$spread")"
plvs_start 2

web_ask client1 $VIP 100 > "$RUN/answers"
is "answers through the tunnel" "$(answers_by "$RUN/answers" server)" -eq 100

# From the client to plvs 1500 bytes pass, to the middle one's other side only 1400.
head -c 500000 /dev/urandom > "$RUN/sent"
on client1 timeout 20 socat -u "FILE:$RUN/sent" TCP:$VIP:7000
wait_for 15 "all has come as it was sent" all_received
is "path MTU of the client" "$(ip -n "$NET-client1" route get $VIP | grep -o 'mtu [0-9]*')" = "mtu $left"
is "errors told" "$(counted '[.workers[].counters.tunnel_errors] | add')" -ge 1

background_stop ipip
is "outer sources" "$(jq -s '.[-1].sources' "$RUN/ipip.log")" -ge 40

# The middle one knows no way any more, and says so to the outer source.
ip -n "$NET-middle" route add unreachable $SERVER/32
on client1 timeout 5 socat -u OPEN:/dev/null TCP:$VIP:80 2> "$RUN/told" &&
	fail "somebody is there"
is "what the client is told" "$(grep -c "$told" "$RUN/told")" -ge 1
doors_add_up
