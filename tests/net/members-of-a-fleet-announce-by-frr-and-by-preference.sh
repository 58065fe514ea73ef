#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# set: full
# limit: 240
# lb1 announces by BIRD, lb2 by FRR, lb3 by BIRD as a warm standby, each by its file of config/fleet. Then metrics
# are shares: the edge weighs its multipath route, for new flows as for those that are there. At last the daemons themselves end: the network goes by others, and traffic is unharmed.
. "$(dirname "$0")/lib.sh"
. "$TOP/tests/net/lib/fleet.sh"

if [ ! -x /usr/lib/frr/zebra ]; then
	echo "skipped: FRR is not installed (tools/setup full)"
	exit 0
fi
VIP=198.51.100.80
N=500
FLEET_DAEMONS=([2]=frr)
FLEET_TABLES=([2]=76)
FLEET_ADDRESSES='[{"address": "198.51.100.0/24", "kind": "prefix", "link": "public"}]'
SERVICES=("$(adopting "$(service echo tcp $VIP:7 dr mh 10.10.0.11:7 10.10.0.12:7)")"
	"$(adopting "$(service ask udp $VIP:7 dr mh 10.10.0.11:7 10.10.0.12:7)")")

# of_edge MEMBER KEY: what the edge has of the route of the VIP by this member.
of_edge()
{
	edge show route $VIP/32 protocol "lb$1" all | sed -n "s/^\t*$2: //p"
}

# metric_of MEMBER METRIC: another one, without a restart.
metric_is()
{
	jq --argjson m "$2" '.node.announce.metric = $m' "$RUN/lb$1.json" > "$RUN/lb$1.json.new"
	mv "$RUN/lb$1.json.new" "$RUN/lb$1.json"
	fleet_at "$1"
	ctl config apply "$RUN/lb$1.json" > "$RUN/said"
}

fleet_network 3 2 2
for i in 1 2; do
	echo_serve "server$i" tcp $VIP 7
	echo_serve "server$i" udp $VIP 7
done
cat > "$RUN/notify" <<-END
	#!/bin/sh
	cat >> "$RUN/notified"
	echo >> "$RUN/notified"
END
chmod 755 "$RUN/notify" "$RUN"
for i in 1 2 3; do
	FLEET_ANNOUNCE='{"stuck": "5s"}'
	[ $i != 3 ] || FLEET_ANNOUNCE='{"stuck": "5s", "metric": 200}'
	fleet_config $i "${SERVICES[@]}"
	jq --arg p "$RUN/notify" '.node.notify.announce = [$p]' "$RUN/lb$i.json" > "$RUN/lb$i.json.new"
	mv "$RUN/lb$i.json.new" "$RUN/lb$i.json"
	fleet_start $i
done
FLEET_BFD=60
fleet_birds
fleet_becomes 30 $VIP "1 2"
is "MED of lb1" "$(of_edge 1 BGP.med)" -eq 100
is "community of lb1" "$(of_edge 1 BGP.community)" = "(65010,100)"
is "MED of lb2, by FRR" "$(of_edge 2 BGP.med)" -eq 100
wait_for 20 "the edge has the warm standby, and does not use it" test "$(of_edge 3 BGP.med)" = 200
hold_open $N $VIP:7
fleet_at 2
is "connections of lb2" "$(rpc status | jq .connections.live)" -gt 50

# Drained, FRR withdraws, and the flows go on by the others. Without the two, the warm standby is used.
ctl fleet drain > "$RUN/said"
fleet_becomes 10 $VIP "1"
is "connections that answer, lb2 drained" "$(hold_answered)" -eq $N
fleet_at 1
ctl fleet drain > "$RUN/said"
fleet_becomes 10 $VIP "3"
is "connections that answer, by the warm standby" "$(hold_answered)" -eq $N
for i in 1 2; do
	fleet_at $i
	ctl fleet undrain > "$RUN/said"
done
fleet_becomes 10 $VIP "1 2"

# Preferences change while the routers run, by FRR as by BIRD.
metric_is 2 300
fleet_becomes 10 $VIP "1"
metric_is 3 100
fleet_becomes 10 $VIP "1 3"
metric_is 2 100
fleet_becomes 10 $VIP "1 2 3"
is "connections that answer, with other preferences" "$(hold_answered)" -eq $N
wait_for 5 "the program was told of a metric" grep -q '"metric":300' "$RUN/notified"
is "the program was told of the drained member" \
	"$(jq -r 'select(.router == "lb2" and .state == "drained") | .announced' "$RUN/notified" | head -1)" = false

# shares_of VIP: the weights of the edge's multipath route in the kernel, by member.
shares_of()
{
	ip -n "$NET-edge" -j route show "$1/32" |
		jq -r '[.[].nexthops[] | "\(.gateway | sub("^.*[.]1"; "")):\(.weight)"] | sort | join(" ")'
}
shares_are()
{
	[ "$(shares_of $VIP)" = "$1" ]
}
# vip_metric MEMBER METRIC: of the VIP alone, without a restart.
vip_metric()
{
	jq --argjson m "$2" --arg vip $VIP '.node.announce.vips = [{address: $vip, metric: $m}]' "$RUN/lb$1.json" \
		> "$RUN/lb$1.json.new"
	mv "$RUN/lb$1.json.new" "$RUN/lb$1.json"
	fleet_at "$1"
	ctl config apply "$RUN/lb$1.json" > "$RUN/said"
}

# Unequal shares: by the lines of bird-edge.conf. A metric of the VIP alone is its share.
sed -i "s/import where net.len = 32/import filter shares4/" "$RUN/bird-edge.conf"
edge configure > "$RUN/said"
wait_for 10 "all have the same share" shares_are "1:100 2:100 3:100"
vip_metric 1 40
vip_metric 2 80
vip_metric 3 120
wait_for 10 "members have unequal shares" shares_are "1:40 2:80 3:120"
is "connections that answer, with unequal shares" "$(hold_answered)" -eq $N
hold_close
for i in 1 2 3; do before[i]=$(fleet_counter $i created); done
hold_open 1200 $VIP:7
for i in 1 2 3; do
	share=$(($(fleet_counter $i created) - before[i]))
	note "lb$i has $share of 1200 flows, of which $((200 * i)) are its share"
	is "flows of lb$i, at least" $share -ge $((200 * i - 80))
	is "flows of lb$i, at most" $share -le $((200 * i + 80))
done
vip_metric 3 20
wait_for 10 "members have other shares" shares_are "1:40 2:80 3:20"
is "connections that answer, with other shares" "$(hold_answered)" -eq 1200
hold_close
for i in 1 2 3; do vip_metric $i 100; done
sed -i "s/import filter shares4/import where net.len = 32/" "$RUN/bird-edge.conf"
edge configure > "$RUN/said"
fleet_becomes 10 $VIP "1 2 3"
hold_open $N $VIP:7

# BFD of FRR tells the edge of a killed member: 3 x 50 ms.
fleet_vtysh 2 -c "configure terminal" -c bfd -c "profile fleet" -c "detect-multiplier 3" > "$RUN/said"
sed -i "s/multiplier [0-9]*/multiplier 3/" "$RUN/bird-edge.conf"
edge configure > "$RUN/said"
fleet_becomes 20 $VIP "1 2 3"
fleet_kill 2
begin=$(date +%s%3N)
fleet_becomes 5 $VIP "1 3"
note "the edge took $(($(date +%s%3N) - begin)) ms to leave a killed member that announced by FRR"
is "connections that answer, lb2 killed" "$(hold_answered)" -eq $N
sed -i "s/multiplier [0-9]*/multiplier 60/" "$RUN/bird-edge.conf"
edge configure > "$RUN/said"
fleet_start 2
fleet_becomes 60 $VIP "1 2 3"

# A routing daemon that dies takes its member out of the network and harms no traffic. What plvs wants stands in
# the table meanwhile, and the next daemon announces it.
kill -KILL "$(cat "$RUN/bird-lb1.pid")"
fleet_becomes 20 $VIP "2 3"
is "connections that answer, BIRD killed" "$(hold_answered)" -eq $N
fleet_at 1
is "VIPs in the table of lb1, which nobody exports" "$(rpc fleet.status | jq .announced)" -eq 1
daemon_is()
{
	[ "$(rpc fleet.status | jq -r .daemon)" = "$1" ]
}
wait_for 10 "lb1 knows that BIRD is not there" daemon_is missing
for daemon in bgpd bfdd zebra; do kill -KILL "$(cat "$RUN/$daemon-lb2.pid")"; done
fleet_becomes 20 $VIP "3"
is "connections that answer, FRR killed" "$(hold_answered)" -eq $N
fleet_at 2
wait_for 10 "lb2 knows that FRR is not there" daemon_is missing
fleet_bird 1
rm -f "$RUN"/frr-lb2/*.vty "$RUN"/frr-lb2/*.pid "$RUN"/frr-lb2/*.api "$RUN"/frr-lb2/*.sock
ip -n "$NET-linux-lb2" route flush proto zebra
fleet_frr 2
fleet_becomes 30 $VIP "1 2 3"
is "connections that answer, the daemons back" "$(hold_answered)" -eq $N
for i in 1 2; do
	fleet_at $i
	wait_for 10 "lb$i knows that its daemon is back" daemon_is connected
done
hold_close
fleet_at 3
doors_add_up
