#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 120
. "$(dirname "$0")/lib.sh"

network_two_armed 1 2
for i in 1 2; do web_start server$i; done

port_is()
{
	rpc port.list | jq -e ".ports[] | select(.name == \"$1\") | $2"
}

serves()
{
	web_ask client1 192.0.2.80 5 > "$RUN/answers" && [ "$(wc -l < "$RUN/answers")" -eq 5 ]
}

for driver in af_packet af_xdp; do
	note "--- $driver"
	PLVS_DRIVER=$driver PLVS_VDEVS=() PLVS_PORTS='[]'
	plvs_port public '{"addresses": ["192.0.2.10/24"]}'
	plvs_port private '{"addresses": ["10.10.0.2/16"]}'
	plvs_config "$(service web tcp 192.0.2.80:80 nat rr 10.10.0.11:80 10.10.0.12:80)"
	plvs_start 2
	wait_for 10 "the web answers" serves
	mac=$(port_is public .mac)

	for port in public private; do
		ip -n "$NET-dpdk" link delete "$port"
		wait_for 3 "$port is down" port_is $port '.link_up == false and .state == "gone"'
		is "carrier of TAP $port" \
			"$(on linux cat "/sys/class/net/$port/carrier")" -eq 0
		wait_for 3 "status says so" eval "rpc status | jq -e '.warnings[] |
			select(test(\"port $port: the interface under its device is gone\"))'"
		leg_add dpdk "$port" "$port"
		wait_for 5 "$port is up" port_is $port '.link_up and .state == "works"'
		wait_for 10 "the web answers after $port came back" serves
	done
	is "MAC of public" "$(port_is public .mac)" = "$mac"
	is "MAC of its interface" "\"$(mac_of dpdk public)\"" = "$mac"

	# Down is no less down, and up needs no opening.
	ip -n "$NET-dpdk" link set dev public down
	wait_for 3 "public is down" port_is public '.link_up == false'
	ip -n "$NET-dpdk" link set dev public up
	wait_for 5 "public is up" port_is public .link_up
	wait_for 10 "the web answers after public was down" serves
	is "openings of public" "$(port_is public .restarts)" -eq 1

	# No packet buffer stays behind in a device that is gone.
	for _ in 1 2 3 4 5 6 7 8; do
		n=$(port_is public .restarts)
		ip -n "$NET-dpdk" link delete public
		leg_add dpdk public public
		wait_for 5 "public is open again" port_is public ".link_up and .restarts > $n"
	done
	wait_for 10 "the web answers after eight losses" serves
	is "frames without a buffer" "$(port_is public .device_counters.rx_no_buffer)" -eq 0
	doors_add_up
	plvs_stop
done
