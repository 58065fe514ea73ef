#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 90
# families: 4 6
# set6: full
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/net/lib/health.sh
. "$TOP/tests/net/lib/health.sh"

# Two services with the same servers: one asks them by the VIP, the other by their own
# addresses. What only the first one sees is what clients see.
VIP=192.0.2.90 OTHER=192.0.2.91 TUNNEL=192.0.2.92
S1=192.0.2.11 S2=192.0.2.12 S3=192.0.2.13 T=10.10.0.11

# quiet: server1 takes datagrams and says nothing.
quiet()
{
	on_background server1 quiet socat -u "UDP$FAMILY-RECV:7004" /dev/null
	wait_for 10 "socat listens" port_listens server1 7004 udp
}

# bound SERVER ADDRESS:80: its web server listens there only.
bound()
{
	local dir=$RUN/web-$1
	background_stop "web-$1"
	sed -i "s/listen .*backlog/listen $(inet "$2") backlog/" "$dir/nginx.conf"
	on_background "$1" "web-$1" nginx -p "$dir" -e "$dir/error.log" -c "$dir/nginx.conf"
	wait_for 10 "nginx listens in $1" port_listens "$1" 80
}

# server1 has the other end of a tunnel, too.
tunnel_open()
{
	rm -f "$RUN/ipip.log"
	on_background server1 ipip "$PROBE" ipip-open tunnel "$FAMILY"
	wait_for 5 "the tunnel's end is open" grep -q ready "$RUN/ipip.log"
	ip -n "$NET-server1" link set dev tunnel up
}

network_two_armed 1 3
for i in 1 2 3; do
	server_add_direct $i $VIP
	ip -n "$NET-server$i" address add $OTHER/32 dev lo
done
ip -n "$NET-server1" address add $TUNNEL/32 dev lo
tunnel_open
for i in 1 2 3; do web_start server$i; done
quiet
times='interval: "200ms", timeout: "800ms", rise: 2, fall: 2'
health_config "$(jq -nc "[
	{name: \"vip\", type: \"http\", via_vip: true, $times},
	{name: \"ping\", type: \"icmp\", via_vip: true, $times},
	{name: \"quiet\", type: \"udp\", via_vip: true, port: 7004, steps: [{send: \"x\"}],
	 interval: \"200ms\", timeout: \"300ms\", rise: 2, fall: 2},
	{name: \"direct\", type: \"http\", $times}]")" \
	"$(service web tcp $VIP:80 dr rr $S1:80 $S2:80 $S3:80 | jq -c '.check = "vip"')" \
	"$(service direct tcp $OTHER:80 dr rr $S1:80 $S2:80 $S3:80 | jq -c '.check = "direct"')" \
	"$(service ping tcp $VIP:81 dr rr $S1:80 $S2:80 $S3:80 | jq -c '.check = "ping"')" \
	"$(service quiet udp $VIP:7004 dr rr $S1:7004 | jq -c '.check = "quiet"')" \
	"$(service tunnel tcp $TUNNEL:80 tunnel rr $T:80 | jq -c '.check = ["vip", "ping"]')"
plvs_start 2
for s in $S1 $S2 $S3; do
	server_becomes 10 web "$s:80" up
	server_becomes 5 ping "$s:81" up
	server_becomes 5 direct "$s:80" up
done
server_becomes 5 tunnel $T:80 up
server_becomes 5 quiet $S1:7004 up
ask_loop client1 loop $VIP

# No VIP on its loopback: it routes the packet back here, as a client's, and another server
# must not answer for it.
forward_on server2
ip -n "$NET-server2" address delete $VIP/32 dev lo
server_becomes 5 web $S2:80 down
server_becomes 5 ping $S2:81 down
is "state by its own address" "$(health_of direct $S2:80 .state)" = up
since=$(health_of web $S2:80 .since_ms)
sleep 0.5
served_without loop server2 "$since" "$(now_ms)"

# The service listens at the server's own address only.
bound server3 $S3:80
server_becomes 5 web $S3:80 down
reason_says web $S3:80 "$S3:80 refused the connection by the VIP $VIP after"
is "state by its own address" "$(health_of direct $S3:80 .state)" = up
is "state by an echo to the VIP" "$(health_of ping $S3:81 .state)" = up
since=$(health_of web $S3:80 .since_ms)
sleep 0.5
served_without loop server3 "$since" "$(now_ms)"

# The tunnel's end is gone; packets to the server's own address pass all the same.
background_stop ipip || true
server_becomes 5 tunnel $T:80 down
is "state of the same server by its own address" "$(health_of direct $S1:80 .state)" = up
note "in words: $(health_of tunnel $T:80 '[.checks[].reason] | join("; ")')"

# Silence is good where nothing is expected; that the port is closed is said of the VIP.
background_stop quiet || true
server_becomes 5 quiet $S1:7004 down
reason_says quiet $S1:7004 "$S1:7004 is closed: refused by ICMP"

# All as it was.
quiet
tunnel_open
ip -n "$NET-server2" address add $VIP/32 dev lo
any=0.0.0.0:80
[ "$FAMILY" = 4 ] || any='[::]:80'
bound server3 "$any"
server_becomes 5 web $S2:80 up
server_becomes 5 web $S3:80 up
server_becomes 5 ping $S2:81 up
server_becomes 5 quiet $S1:7004 up
server_becomes 5 tunnel $T:80 up
background_stop loop
web_ask client1 $VIP 30 > "$RUN/answers"
for i in 1 2 3; do is "answers of server$i" "$(answers_by "$RUN/answers" server$i)" -eq 10; done
is "answers through the tunnel" "$(web_ask client1 $TUNNEL 5 | grep -c server1)" -eq 5
is "errors of checks" "$(rpc health.counters | jq .errors)" -eq 0
doors_add_up
