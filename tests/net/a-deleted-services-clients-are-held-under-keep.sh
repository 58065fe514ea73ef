#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 90
. "$(dirname "$0")/lib.sh"
. "$TOP/tests/net/lib/outsider.sh"

network_two_armed 1 1
gone=$(service gone tcp 192.0.2.80:7 nat rr 10.10.0.11:7 | jq -c '. + {on_server_gone: "keep"}')
other=$(service other tcp 192.0.2.81:7 nat rr 10.10.0.11:7)
gateway=$PLVS_ADDRESSES

# held_without WHAT-REMAINS [CONNECTIONS]: the service that the configuration names is deleted; what its client
# sends is answered by nobody, does not come back, and goes on once the service is there again,
# which then counts CONNECTIONS: the one that it had before.
held_without()
{
	local mac
	plvs_start
	held_start client1 192.0.2.80 7
	held_alive "with its service"
	capture_start client1 eth0 seen "tcp and port $HELD_PORT"
	ctl service delete gone > "$RUN/deleted"
	for _ in 1 2 3 4 5 6 7 8; do
		forged client1 eth0 public "tcp 192.0.2.101:$HELD_PORT>192.0.2.80:7 [A] seq 1 ack 1"
	done
	is "the client's answer without $1" "$(held_ask)" = "dead: timed out"
	capture_stop seen
	is "held" "$(drops service_gone)" -ge 8
	mac=$(mac_of client1 eth0)
	is "frames that came from the router" "$(capture seen | grep -c " > $mac" || true)" -eq 0
	rpc config.apply > "$RUN/applied" || fail "config.apply"
	# The question is still in the client's socket: it is sent again, and answered.
	wait_for 15 "the connection goes on" held_again
	is "connections that the service counts" \
		"$(rpc service.get '{"service": "gone"}' | jq .service.counters.conns)" -eq "${2:-1}"
	doors_add_up
	plvs_stop
}

held_again()
{
	[ "$(held_ask)" = alive ]
}

plvs_config "$gone" "$other"
echo_serve server1 tcp 10.10.0.11 7
held_without "its service, while another one remains"
PLVS_ADDRESSES=$(jq -c '. + [{"address": "192.0.2.81"}]' <<< "$gateway")
plvs_config "$gone"
held_without "any service, while another VIP remains"
PLVS_ADDRESSES=$(jq -c '. + [{"address": "192.0.2.80"}]' <<< "$gateway")
plvs_config "$gone"
held_without "any service, while its VIP remains"

# IPVS counts anew.
PLVS_ADDRESSES=$gateway
plvs_config "$gone" "$other"
jq '.shared.compat = "ipvs"' "$RUN/plvs.json" > "$RUN/compat.json"
mv "$RUN/compat.json" "$RUN/plvs.json"
held_without "its service, as IPVS does" 0
