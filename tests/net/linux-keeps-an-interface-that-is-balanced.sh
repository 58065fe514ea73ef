#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# families: 4 6
# set6: full
# limit: 90
# AF_XDP with plvs's own program: the interfaces stay Linux's, with their addresses, and there is no
# TAP. Linux's own traffic goes on while plvs balances, is killed, starts again and stops.
PLVS_DRIVER=af_xdp
. "$(dirname "$0")/lib.sh"
. "$TOP/tests/net/lib/health.sh"
. "$TOP/tests/net/lib/sieve.sh"

# public_leg: as leg_add, and Linux's for good. A NIC whose driver is loaded again has the MAC of before.
public_leg()
{
	leg_add dpdk public public
	ip -n "$NET-dpdk" link set dev public address 02:00:00:00:00:10
	[ "$FAMILY" = 4 ] || on dpdk sysctl -qw net.ipv6.conf.public.disable_ipv6=0
	ip -n "$NET-dpdk" address add 192.0.2.10/24 dev public
}

# shared_config SERVICE...: as health_config, with nothing for Linux in it.
shared_config()
{
	health_config '[{"name": "connects", "type": "tcp", "interval": "500ms"}]' "$@"
	jq 'del(.node.linux, .node.ports[].linux)' "$RUN/plvs.json" > "$RUN/plvs.json.new"
	mv "$RUN/plvs.json.new" "$RUN/plvs.json"
}

# web_service NAME VIP: with a check, whose answers are Linux's.
web_service()
{
	service "$1" tcp "$2:80" nat rr 10.10.0.11:80 10.10.0.12:80 |
		jq -c '. + {check: "connects"}'
}

# answers WHO CLIENT ADDRESS[:PORT] COUNT
answers()
{
	web_ask "$2" "$3" "$4" > "$RUN/answers"
	is "answers of $3" "$(grep -c "$1" "$RUN/answers" || true)" -eq "$4"
}

# exit_of_curl ADDRESS: 28 is a timeout, 7 a refusal.
exit_of_curl()
{
	local status=0
	on client1 curl -sS --max-time 1 -o "$RUN/nothing" "http://$1/" 2> "$RUN/said" || status=$?
	echo $status
}

vip_answers()
{
	[ "$(exit_of_curl 192.0.2.81)" = 0 ]
}

# port_is STATE: the port public.
port_is()
{
	[ "$(ctl --json port list | jq -r '.ports[0].state')" = "$1" ]
}

# descriptors: of the router.
descriptors()
{
	find "/proc/$PLVS_PID/fd" -type l | wc -l
}

switch_add public
switch_add private
ns_add dpdk
[ "$FAMILY" = 4 ] || both_families dpdk
for i in 1 2; do client_add $i; server_add $i; done
public_leg
leg_add dpdk private private 10.10.0.2/16
forward_on dpdk
for i in 1 2; do
	ip -n "$NET-client$i" route add 10.10.0.0/16 via 192.0.2.10
	web_start server$i
done
web_start client2 8080
web_start dpdk 8022
sieve_device 0 public
sieve_device 1 private
PLVS_PORTS='[{"name": "public", "device": "net_af_xdp0"}, {"name": "private", "device": "net_af_xdp1"}]'

# A download from Linux's own address, through everything that follows.
on_background client2 download curl -sS --limit-rate 4M -o "$RUN/big" -w '%{size_download}' \
	"http://192.0.2.10:8022/big"

shared_config "$(web_service web 192.0.2.80)"
plvs_start 2
is "interfaces that plvs made" "$(interfaces_made public private)" -eq 0
is "capability SYS_ADMIN of the router" \
	$((0x$(sed -n 's/^CapEff:[[:space:]]*//p' "/proc/$PLVS_PID/status") >> 21 & 1)) -eq 0
wait_for 10 "checks see both servers" all_up
answers server client1 192.0.2.80 100
is "servers" "$(sort -u "$RUN/answers" | wc -l)" -eq 2
answers dpdk client1 192.0.2.10:8022 20
doors_add_up

# Packets that a server sends of its own go through Linux, whose gateway address plvs has set.
is "answer to a server" "$(on server1 curl -sS --max-time 5 http://192.0.2.102:8080/)" = client2
on server1 ping -q -c 3 -i 0.2 -W 2 10.10.0.2 > /dev/null || fail "the router's own address answers no server"

# Another router on the same interface is refused.
mapfile -t eal < <(plvs_eal 2)
jq --arg socket "$RUN/other.sock" '.node.control.socket = $socket' "$RUN/plvs.json" > "$RUN/other.json"
said=$(ip netns exec "$NET-dpdk" "$BUILD/src/plvs" "${eal[@]/$NET/$NET-other}" -- -c "$RUN/other.json" 2>&1 || true)
[[ $said == *"another program reads public by AF_XDP"* ]] || fail "a second router says: $said"
answers server client1 192.0.2.80 10

# Another VIP.
is "before there is a service" "$(exit_of_curl 192.0.2.81)" != 0
shared_config "$(web_service web 192.0.2.81)"
ctl config apply > /dev/null
wait_for 10 "checks see both servers" all_up
answers server client1 192.0.2.81 20
is "the VIP of before" "$(exit_of_curl 192.0.2.80)" != 0
answers dpdk client1 192.0.2.10:8022 20

# The interface goes and comes back, with the rights that the router has now.
before=$(descriptors)
ip -n "$NET-dpdk" link delete dev public
wait_for 10 "the port is gone" port_is gone
public_leg
wait_for 20 "the port works" port_is works
wait_for 10 "the VIP answers" vip_answers
is "descriptors of the router" "$(descriptors)" -eq "$before"
answers server client1 192.0.2.81 20

# Killed: Linux's traffic goes on, and Linux does not refuse the router's connections.
plvs_kill
answers dpdk client1 192.0.2.10:8022 20
is "curl of a VIP without a router" "$(exit_of_curl 192.0.2.81)" -eq 28
plvs_start 2
wait_for 10 "checks see both servers" all_up
answers server client1 192.0.2.81 50
answers dpdk client1 192.0.2.10:8022 20

background_wait download || fail "the download: $(cat "$RUN/download.log")"
is "bytes of the download from Linux" "$(cat "$RUN/download.log")" -eq $((64 << 20))
plvs_stop
is "XDP programs after the end" "$(programs_attached)" -eq 0
answers dpdk client1 192.0.2.10:8022 20
