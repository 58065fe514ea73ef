#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 90
# set: full
# IPv6 clients of IPv4 servers and IPv4 clients of IPv6 servers, by full NAT: web, downloads and
# uploads across small MTUs, datagrams in fragments, ping, traceroute's errors.
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/net/lib/health.sh
. "$TOP/tests/net/lib/health.sh"

# Addresses: clients 192.0.2.101 and 2001:db8:192:2::101, VIPs .80 and ::80; servers 10.10.0.11 and
# 2001:db8:10:10::11, behind a router whose other side takes 1400 bytes: 10.20.0.12 and
# 2001:db8:10:20::12.

same()
{
	cmp "$RUN/sent" "$1"
}

# pmtu NAMESPACE ADDRESS: what the kernel learnt on the way there.
pmtu()
{
	ip -n "$NET-$1" route get "$2" | grep -o 'mtu [0-9]*'
}

network_two_armed 1 1
switch_add far
ns_add middle
ns_add far
leg_add middle near private 10.10.0.50/16
leg_add middle far far 10.20.0.1/24
leg_add far far far 10.20.0.12/24
both_families linux client1 server1 middle far
forward_on middle
on middle sysctl -qw net.ipv6.conf.all.forwarding=1 net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0
ip -n "$NET-client1" address add 2001:db8:192:2::101/64 dev eth0
ip -n "$NET-server1" address add 2001:db8:10:10::11/64 dev private
ip -n "$NET-middle" address add 2001:db8:10:10::50/64 dev near
ip -n "$NET-middle" address add 2001:db8:10:20::1/64 dev far
ip -n "$NET-far" address add 2001:db8:10:20::12/64 dev far
ip -n "$NET-middle" link set dev far mtu 1400
ip -n "$NET-far" route add 10.10.0.0/16 via 10.20.0.1
ip -n "$NET-far" route add 2001:db8:10:10::/64 via 2001:db8:10:20::1
ip -n "$NET-server1" route del default
ip -n "$NET-client1" route add default via 192.0.2.10

PLVS_PORTS=$(jq -c '.[0].linux.addresses += ["2001:db8:192:2::10/64"] |
	.[1].linux.addresses += ["2001:db8:10:10::2/64"] |
	.[1].linux.routes = ["10.20.0.0/24 via 10.10.0.50", "2001:db8:10:20::/64 via 2001:db8:10:10::50"]' \
	<<< "$PLVS_PORTS")
PLVS_ADDRESSES='[{"address": "10.10.0.200", "kind": "pool", "link": "private"},
	{"address": "2001:db8:10:10::200", "kind": "pool", "link": "private"}]'
plvs_config "$(service web64 tcp '[2001:db8:192:2::80]:80' fullnat rr 10.10.0.11:80)" \
	"$(service web46 tcp 192.0.2.80:80 fullnat rr '[2001:db8:10:10::11]:80')" \
	"$(service far64 tcp '[2001:db8:192:2::81]:7000' fullnat rr 10.20.0.12:7000)" \
	"$(service far46 tcp 192.0.2.81:7000 fullnat rr '[2001:db8:10:20::12]:7001')" \
	"$(service ask64 udp '[2001:db8:192:2::80]:9' fullnat rr 10.10.0.11:9)" \
	"$(service ask46 udp 192.0.2.80:9 fullnat rr '[2001:db8:10:10::11]:10')" \
	"$(service large64 udp '[2001:db8:192:2::80]:12' fullnat rr 10.10.0.11:12)" \
	"$(service large46 udp 192.0.2.80:12 fullnat rr '[2001:db8:10:10::11]:12')" \
	"$(service none64 udp '[2001:db8:192:2::80]:11' fullnat rr 10.10.0.11:11)" \
	"$(service none46 udp 192.0.2.80:11 fullnat rr '[2001:db8:10:10::11]:11')"
jq '.shared.checks = [{name: "web", type: "tcp", interval: "500ms", timeout: "400ms"}] |
	.shared.services[0:2][].check = "web"' "$RUN/plvs.json" > "$RUN/with-checks"
mv "$RUN/with-checks" "$RUN/plvs.json"
FAMILY=6 web_start server1
plvs_start 2
echo_serve server1 udp 10.10.0.11 9
echo_serve server1 udp '[2001:db8:10:10::11]' 10
echoes='
import socket, sys
s = socket.socket(socket.AF_INET if sys.argv[1] == "4" else socket.AF_INET6, socket.SOCK_DGRAM)
if sys.argv[1] == "6":
    s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
s.bind(("", 12))
while True:
    s.sendto(*s.recvfrom(65535))
'
asks='
import os, socket, sys
family, _, _, _, to = socket.getaddrinfo(sys.argv[1], 12, type=socket.SOCK_DGRAM)[0]
s = socket.socket(family, socket.SOCK_DGRAM)
s.settimeout(1)
# A datagram that grows beyond a link is lost, and teaches its sender the path MTU.
for n in 1400, 1453, 1473, 4000, 30000:
    sent = os.urandom(n)
    for tries in range(4):
        s.sendto(sent, to)
        try:
            assert s.recv(65535) == sent, n
            break
        except TimeoutError:
            assert tries < 3, n
'
for i in 4 6; do
	on_background server1 "large$i" python3 -c "$echoes" $i
done
for i in 4:7000 6:7001; do
	on_background far "upload${i%:*}" socat -u "TCP${i%:*}-LISTEN:${i#*:},reuseaddr,fork" "CREATE:$RUN/upload${i%:*}"
	wait_for 5 "a sink listens" port_listens far "${i#*:}"
done
server_becomes 10 'tcp:[2001:db8:192:2::80]:80' 10.10.0.11:80 up
server_becomes 10 tcp:192.0.2.80:80 '[2001:db8:10:10::11]:80' up

for vip in '[2001:db8:192:2::80]' 192.0.2.80; do
	web_ask client1 "$vip" 100 > "$RUN/answers"
	is "answers by $vip" "$(answers_by "$RUN/answers" server1)" -eq 100
	bytes=$(on client1 curl -sS --max-time 30 "http://$vip/big" | wc -c)
	is "bytes of a download by $vip" "$bytes" -eq $((64 << 20))
done
is "listed" "$(ctl --json connection list | jq -rs '[.. | objects | select(.method? == "fullnat") |
	"\(.client | test("::")) \(.server | test("::")) \(.local | test("::"))"] | unique | join(", ")')" \
	= "false true true, true false false"

note "uploads through a router that takes 1400 bytes"
head -c 2000000 /dev/urandom > "$RUN/sent"
on client1 timeout 20 socat -u "FILE:$RUN/sent" 'TCP6:[2001:db8:192:2::81]:7000'
wait_for 15 "all has come to the IPv4 server" same "$RUN/upload4"
is "path MTU of the IPv6 client" "$(pmtu client1 2001:db8:192:2::81)" = "mtu 1420"
on client1 timeout 20 socat -u "FILE:$RUN/sent" TCP4:192.0.2.81:7000
wait_for 15 "all has come to the IPv6 server" same "$RUN/upload6"
is "path MTU of the IPv4 client" "$(pmtu client1 192.0.2.81)" = "mtu 1380"

note "datagrams of one packet and of several"
for vip in '[2001:db8:192:2::80]:9' 192.0.2.80:9; do
	on client1 "$PROBE" udp-ask "$vip" --flows 10 --count 50 --rate 500 > "$RUN/udp"
	is "datagrams answered by $vip" "$(jq .received "$RUN/udp")" -eq 50
done

for vip in 2001:db8:192:2::80 192.0.2.80; do
	on client1 python3 -c "$asks" $vip > "$RUN/asks" 2>&1 ||
		fail "datagrams do not come back from $vip: $(tail -2 "$RUN/asks")"
done

note "errors of the server reach the client in its own family"
for vip in 'UDP6:[2001:db8:192:2::80]:11' UDP4:192.0.2.80:11; do
	on client1 bash -c "(echo x; sleep 0.5; echo y; sleep 0.3) | timeout 5 socat - $vip" > "$RUN/told" 2>&1 || true
	is "what $vip says" "$(grep -c 'Connection refused' "$RUN/told")" -ge 1
done
on client1 ping -qc 2 -i 0.2 -W 2 192.0.2.80 > "$RUN/ping" || fail "no answer: $(cat "$RUN/ping")"
on client1 ping -qc 2 -i 0.2 -W 2 2001:db8:192:2::80 > "$RUN/ping" || fail "no answer: $(cat "$RUN/ping")"

note "an explanation of a request and of a reply"
ctl explain tcp '[2001:db8:192:2::101]:40000' '[2001:db8:192:2::80]:80' flags S > "$RUN/explain"
is "named in the explanation" "$(grep -c '10.10.0.11' "$RUN/explain")" -ge 1
local=$(ctl --json connection list | jq -rs '[.. | objects | select(.server? == "10.10.0.11:9")][0].local')
ctl explain udp 10.10.0.11:9 "$local" in private > "$RUN/explain"
is "named in the explanation of a reply to $local" "$(grep -c '2001:db8:192:2::101' "$RUN/explain")" -ge 1
is "dropped" "$(($(drops untranslatable) + $(drops no_local_port) + $(drops no_checksum)))" -eq 0
doors_add_up
