#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 90
. "$(dirname "$0")/lib.sh"
. "$TOP/tests/net/lib/outsider.sh"
. "$TOP/tests/net/lib/ftp.sh"

# client2 is the outsider, on the public side. He knows all numbers, as one who listens does.
network_two_armed 2 1
plvs_config "$(service echo tcp 192.0.2.80:7 nat rr 10.10.0.11:7)" \
	"$(service files tcp 192.0.2.80:21 nat rr 10.10.0.11:21 | jq -c '. + {ftp: true}')"
plvs_start 2
echo_serve server1 tcp 10.10.0.11 7
ftp_start 1

held_start client1 192.0.2.80 7
forged client2 eth0 public \
	"tcp 10.10.0.11:7>192.0.2.101:$HELD_PORT [R] seq $HELD_NEXT" \
	"tcp 10.10.0.11:7>192.0.2.101:$HELD_PORT [RA] seq $HELD_NEXT"
wait_for 5 "forged RSTs are counted" drops_are wrong_link 2
held_alive "after RSTs in the server's name"
# Another host of the server's own network is as near as the server: only numbers can tell.
is "dropped as bad_source" "$(drops bad_source)" -eq 0

# A 227 that names a port of the server's which no client may reach.
echo_serve server1 tcp 10.10.0.11 3306
coproc SESSION { exec ip netns exec "$NET-client1" socat - TCP:192.0.2.80:21,sourceport=5021; }
read -rt 10 -u "${SESSION[0]}" _ || fail "no FTP session"
expected=$(counted '[.workers[].counters.ftp_expected] | add')
forged client2 eth0 public \
	"tcp 10.10.0.11:21>192.0.2.101:5021 [PA] seq 1 ack 1 data b'227 Entering Passive Mode (10,10,0,11,12,234).\\r\\n'"
wait_for 5 "a forged 227 is counted" drops_are wrong_link 3
is "announcements that the router believed" \
	"$(counted '[.workers[].counters.ftp_expected] | add')" -eq "$expected"
is "the outsider's connection to port 3306 of the VIP" \
	"$(on client2 timeout 2 socat - TCP:192.0.2.80:3306,connect-timeout=1 < /dev/null \
		> "$RUN/reached" 2>&1 && echo open || echo closed)" = closed
is "a file by FTP, meanwhile" "$(on client1 curl -sS -m 20 ftp://192.0.2.80/who)" = server1

# Sources that nobody has.
forged client2 eth0 public \
	"tcp 192.0.2.80:7>192.0.2.101:$HELD_PORT [R] seq $HELD_NEXT" \
	"tcp 192.0.2.10:7>192.0.2.80:7 [S]" \
	"tcp 192.0.2.80:7>192.0.2.80:7 [S]" \
	"udp 127.0.0.1:9>192.0.2.10:53" \
	"icmp 8/0 10.10.0.2>192.0.2.80"
wait_for 5 "they are counted" drops_are bad_source 5
held_alive "after all of it"

# An error about the client's packets: believed from the server's side alone.
forged client2 eth0 public \
	"icmp 3/1 203.0.113.9>192.0.2.101 about proto 6 192.0.2.101:$HELD_PORT>10.10.0.11:7"
wait_for 5 "a forged error is counted" drops_are wrong_link 4

# Routes change: with a path of the server's route on the public side his packets may come in
# there, and after it they may not.
routes_lead()
{
	rpc route.list | jq -e --arg prefix 10.10.0.11/32 --argjson there "$1" \
		'([.routes[].prefix] | contains([$prefix])) == $there'
}
wrong_link_grows()
{
	forged client2 eth0 public "tcp 10.10.0.11:7>192.0.2.101:$HELD_PORT [A] seq 1 ack 1"
	pause 0.2
	[ "$(drops wrong_link)" -gt "$1" ]
}
ip -n "$NET-linux" route add 10.10.0.11/32 nexthop dev private nexthop dev public
wait_for 5 "the router has both paths" routes_lead true
forged client2 eth0 public "tcp 10.10.0.11:7>192.0.2.101:$HELD_PORT [A] seq 1 ack 1"
held_alive "with two paths to the server"
is "dropped since" "$(drops wrong_link)" -eq 4
ip -n "$NET-linux" route delete 10.10.0.11/32
wait_for 5 "the router has one path again" routes_lead false
wait_for 5 "the public side is closed to the server again" wrong_link_grows 4
held_alive "with one path"
doors_add_up
plvs_stop

# The same port, called loose: servers may answer by it, and so may a stranger.
jq '.node.ports[0].source_check = "loose"' "$RUN/plvs.json" > "$RUN/loose.json"
mv "$RUN/loose.json" "$RUN/plvs.json"
plvs_start
held_start client1 192.0.2.80 7
forged client2 eth0 public "tcp 10.10.0.11:7>192.0.2.101:$HELD_PORT [A] seq 1 ack 1"
is "forged packets dropped on a loose port" "$(drops wrong_link)" -eq 0
held_alive "on a loose port"
doors_add_up
