#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 240
# Every file of config/guides as it is, but for what is of this machine: devices, namespace, files.
# The servers' side is what docs/guide-topologies.md says. af_xdp: packets come and go as they are.
PLVS_DRIVER=af_xdp
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib/ftp.sh"
# shellcheck source=tests/net/lib/guide.sh
. "$TOP/tests/net/lib/guide.sh"

network_two_armed 1 2
ns_add edge
leg_add edge public public 192.0.2.1/24
for i in 1 2; do web_start server$i; done

guide nat-two-armed public private
balanced 192.0.2.80 client1 20 2
end

# VIPs, FTP and SIP.
for i in 1 2; do
	ftp_start $i
	on_background server$i web-$i-443 "$PROBE" tcp-echo 10.10.0.1$i:443
	echo_serve server$i udp 10.10.0.1$i 5060
done
head -c 100000 /dev/urandom > "$RUN/mine"
# ftp_crosses VIP: a file up and back, passive and active.
ftp_crosses()
{
	local way i
	for way in --disable-epsv '-P - --disable-eprt'; do
		# shellcheck disable=SC2086 # words
		on client1 curl -sS -m 30 $way -T "$RUN/mine" "ftp://$1/upload/mine" \
			--next -sS -m 30 $way -o "$RUN/back" "ftp://$1/upload/mine" || fail "FTP by $way"
		cmp "$RUN/mine" "$RUN/back" || fail "FTP by $way: not what was sent"
		for i in 1 2; do rm -f "$RUN/ftp$i/root/upload/mine"; done
	done
}
guide persistence public private
balanced 192.0.2.80 client1 20 1
for port in 80 443; do on client1 socat -u /dev/null "TCP:192.0.2.80:$port" || fail "the shop has no port $port"; done
is "servers of the shop, over both ports" \
	"$(ctl --json connection list | jq '[.rows[] | .server | sub(":.*"; "")] | unique | length')" -eq 1
ftp_crosses 192.0.2.81
for i in 1 2 3; do
	is "SIP is answered" "$(echo "REGISTER $i" | on client1 timeout 5 socat -t 1 - UDP:192.0.2.82:5060)" = "REGISTER $i"
done
is "servers that a phone met" \
	"$(rpc service.list | jq '[.services[] | select(.name == "sip") | .servers[] | select(.inactive + .active > 0)] | length')" -eq 1
end

# Direct routing: legs on the public network, the VIP on the loopback.
for i in 1 2; do
	server_add_direct $i 192.0.2.90
	ip -n "$NET-server$i" address add 192.0.2.91/32 dev lo
done
guide dr public
balanced 192.0.2.90 client1 20 2
ftp_crosses 192.0.2.91
# The other way on Linux: the VIP on the link itself, kept quiet by arptables.
for i in 1 2; do
	ip -n "$NET-server$i" address delete 192.0.2.90/32 dev lo
	on server$i sysctl -qw net.ipv4.conf.all.arp_ignore=0 net.ipv4.conf.all.arp_announce=0
	on server$i arptables -A INPUT -d 192.0.2.90 -j DROP
	on server$i arptables -A OUTPUT -s 192.0.2.90 -j mangle --mangle-ip-s 192.0.2.1$i
	ip -n "$NET-server$i" address add 192.0.2.90/32 dev public
	ip -n "$NET-server$i" neigh flush dev public
done
ip -n "$NET-client1" neigh flush dev eth0
wait_for 15 "the servers are up with arptables" all_up
balanced 192.0.2.90 client1 20 2
is "hosts that answer ARP for the VIP" "$(on client1 arping -c 2 -w 3 -I eth0 192.0.2.90 |
	grep -o '[0-9A-Fa-f:]\{17\}' | sort -u | wc -l)" -eq 1
is "MAC of the VIP at the client" "$(ip -n "$NET-client1" -j neigh show 192.0.2.90 | jq -r '.[0].lladdr')" = "$(mac_of dpdk public)"
for i in 1 2; do
	on server$i arptables -F
	ip -n "$NET-server$i" address add 192.0.2.90/32 dev lo
	on server$i sysctl -qw net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2
	ip -n "$NET-server$i" address delete 192.0.2.90/32 dev public
done
end

# A server behind another router, whose tunnel ends at itself.
for i in 1 2; do ip -n "$NET-server$i" address delete 192.0.2.90/32 dev lo; done
switch_add far
ns_add middle
leg_add middle near private 10.10.0.50/16
leg_add middle far far 10.20.0.1/24
on middle sysctl -qw net.ipv4.ip_forward=1
ns_add far1
leg_add far1 far far 10.20.0.11/24
leg_add far1 public public 192.0.2.21/24
ip -n "$NET-far1" route add default via 10.20.0.1
loopback far1 192.0.2.90
on_background far1 ipip "$PROBE" ipip-open tunnel
wait_for 5 "the tunnel's end is open" grep -q ready "$RUN/ipip.log"
on far1 sysctl -qw net.ipv4.conf.tunnel.rp_filter=0
ip -n "$NET-far1" link set dev tunnel up
web_start far1
guide tunnel public private
balanced 192.0.2.90 client1 20 1
end

# A single arm: clients of another network come by the router 192.0.2.1.
switch_add outside
leg_add edge outside outside 198.51.100.1/24
on edge sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.send_redirects=0
ns_add client2
leg_add client2 eth0 outside 198.51.100.101/24
ip -n "$NET-client2" route add default via 198.51.100.1
for i in 1 2; do ip -n "$NET-server$i" route replace default via 192.0.2.254; done
guide nat-one-armed public
ip -n "$NET-linux" route replace default via 192.0.2.1
balanced 192.0.2.80 client2 20 2
end

# A trunk.
for i in 1 2; do ip -n "$NET-server$i" route replace default via $GATEWAY; done
ip link add name trunk netns "$NET-dpdk" numtxqueues 1 numrxqueues 1 type veth \
	peer name trunk netns "$NET-wire" numtxqueues 1 numrxqueues 1
leg_add wire vlan10 public
leg_add wire vlan20 private
for side in dpdk wire; do ip -n "$NET-$side" link set dev trunk up; done
on_background wire switch "$PROBE" vlan-switch trunk 10:vlan10 20:vlan20
wait_for 5 "the VLAN switch runs" grep -q ready "$RUN/switch.log"
guide nat-vlan trunk
balanced 192.0.2.80 client1 20 2
end
