#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 120
# alone: yes, a flood takes all CPUs
. "$(dirname "$0")/lib.sh"

# client1 stands where a peer would: its datagrams to the path's ports are of class ha. What
# answers them sends as heartbeats are sent. One that does not come back before the next one
# goes out, 50 ms later, is late. Both ends have real-time priority, as the ha thread.
network_two_armed 2 1
echo "1 $(head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n')" > "$RUN/ha.key"
chmod 600 "$RUN/ha.key"
plvs_config "$(service web tcp 192.0.2.80:80 nat rr 10.10.0.11:80)"
jq --arg key "$RUN/ha.key" '.node.ha = {role: "primary", key_file: $key,
	paths: [{name: "public", local: "192.0.2.10", peer: "192.0.2.101"}]}' \
	"$RUN/plvs.json" > "$RUN/ha.json"
mv "$RUN/ha.json" "$RUN/plvs.json"
# In the place of synchronisation, whose port it has before plvs asks for it: its class, too.
on_background linux echo chrt -f 10 "$PROBE" udp-echo 0.0.0.0:7695 --urgent
plvs_start
on_background linux bulk "$PROBE" udp-echo 192.0.2.10:9000

beat()
{
	on client1 chrt -f 10 "$PROBE" udp-beat 192.0.2.10:7695 --count 100 --rate 20 > "$RUN/beat"
	note "$1: $(cat "$RUN/beat")"
}

punted()
{
	counted "[.punts[] | select(.name == \"$1\") | .count] | add // 0"
}

# The threads on the way have the priority that status says.
fifo=$([ "$(rpc ha.status | jq .realtime)" = true ] && echo SCHED_FIFO || echo SCHED_OTHER)
for thread in plvs-ha plvs-link; do
	tid=$(grep -lx "$thread" /proc/"$PLVS_PID"/task/*/comm | cut -d / -f 5)
	is "scheduling of $thread" "$(chrt -p "$tid" | sed -n 's/.*policy: //p')" = "$fifo"
done

wait_for 10 "an answer" on client1 "$PROBE" udp-beat 192.0.2.10:7695 --count 1 --rate 1
beat "at rest"
ha=$(punted ha)
is "heartbeats punted in their class" "$ha" -ge 100
timeout 2 ip netns exec "$NET-client1" "$PROBE" udp-beat 192.0.2.10:7696 --count 5 --rate 50 > /dev/null 2>&1 ||
	true
is "others of the peer in that class" "$(($(punted ha) - ha))" -eq 0

# Its own address with answers in bulk, echo requests, what Linux routes, and ARP.
ip -n "$NET-client2" route add 10.10.0.0/16 via 192.0.2.10
on_background client2 own "$PROBE" udp-ask 192.0.2.10:9000 --count 10000000 --rate 20000 --size 1000
on_background client2 transit "$PROBE" udp-ask 10.10.0.11:9 --count 10000000 --rate 10000 --size 1000
on_background client2 icmp ping -q -f 192.0.2.10
mac=$(mac_of client2 eth0 | tr -d :)
arp="ffffffffffff${mac}08060001080006040001${mac}c0000266000000000000c000020a"
echo "$arp" > "$RUN/arp"
on_background client2 arps bash -c "'$PROBE' frame-send eth0 --count 10000000 --rate 5000 < '$RUN/arp'"
# As much as Linux can send.
for i in 1 2; do
	on_background linux "out$i" "$PROBE" udp-ask 192.0.2.102:9 --count 100000000 --rate 100000 --size 1400
done
all_punted()
{
	[ "$(punted own)" -gt 2000 ] && [ "$(punted icmp)" -gt 200 ] &&
		[ "$(punted transit)" -gt 2000 ] && [ "$(punted arp)" -gt 1000 ]
}
wait_for 20 "all classes are punted" all_punted
beat "under a flood"
note "punted: $(rpc counter.list | jq -c '[.punts[] | "\(.name) \(.count)"]')"
is "heartbeats later than a keepalive" \
	"$(($(jq .sent "$RUN/beat") - $(jq .in_time "$RUN/beat")))" -eq 0
for flood in own transit icmp arps out1 out2; do background_stop "$flood" || true; done
doors_add_up
