#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 60
. "$(dirname "$0")/lib.sh"

network_two_armed 1 1
plvs_config "$(service web tcp 192.0.2.80:80 nat rr 10.10.0.11:80)"
web_start server1
# A TAP that was there before belongs to its owner and stays, with its addresses.
ip -n "$NET-linux" tuntap add dev private mode tap
ip -n "$NET-linux" address add 10.10.0.2/16 dev private
ip -n "$NET-linux" link set dev private up
plvs_start 2
is "the service answers" "$(on client1 curl -sS --max-time 5 http://192.0.2.80/)" = server1
is "VIPs in Linux" "$(ip -n "$NET-linux" -4 -o address | grep -cF 192.0.2.80/32)" -eq 1
is "processes, with the keeper and the spawner" "$(ip netns pids "$NET-dpdk" | wc -l)" -eq 3
doors_add_up
plvs_stop

is "processes" "$(ip netns pids "$NET-dpdk" | wc -l)" -eq 0
[ ! -e "$RUN/plvs.sock" ] || fail "the control socket is left"
is "TAPs that plvs made" "$(ip -n "$NET-linux" -o link | grep -c ' public:' || true)" -eq 0
is "TAPs of somebody else" "$(ip -n "$NET-linux" -o link | grep -c ' private:')" -eq 1
is "addresses" "$(ip -n "$NET-linux" -4 -o address | awk '$2 != "lo" { print $4 }' | tr '\n' ' ')" \
	= "10.10.0.2/16 "
is "errors told" "$(grep -ciE 'error|leak' "$RUN/plvs.log" || true)" -eq 0
