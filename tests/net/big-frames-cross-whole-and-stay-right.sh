#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 60
# families: 4 6
# set6: full
# Hosts leave checksums and segments to veth, as Linux does by default: frames of up to 64 KiB with
# unfinished checksums come to the router.
NET_OFFLOADS=on
. "$(dirname "$0")/lib.sh"

MIB=32

# received FILE: it has the bytes that were sent.
received()
{
	cmp "$RUN/sent" "$1" && note "$MIB MiB are byte-identical in $(basename "$1")"
}

# download ADDRESS TO
download()
{
	on client1 curl -sS --max-time 20 -o "$RUN/$2" "http://$1/random"
	received "$RUN/$2"
}

# take NAMESPACE PORT FILE: a server that takes one upload.
take()
{
	local listen=TCP4-LISTEN
	[ "$FAMILY" = 4 ] || listen=TCP6-LISTEN
	on_background "$1" "take$2" socat -u "$listen:$2,reuseaddr" "CREATE:$3"
	wait_for 5 "$1 listens on $2" port_listens "$1" "$2"
}

# upload ADDRESS PORT FILE
upload()
{
	on client1 timeout 20 socat -u "OPEN:$RUN/sent" "TCP:$(bracketed "$1"):$2"
	background_wait "take$2"
	received "$3"
}

# bytes_a_frame PORT rx|tx: the mean since the last call for both.
bytes_a_frame()
{
	rpc port.list | jq --arg port "$1" --arg way "$2" --slurpfile was "$RUN/ports" '
		def of: .ports[] | select(.name == $port) | .counters;
		(of[$way + "_bytes"] - ($was[0] | of)[$way + "_bytes"]) /
		(of[$way + "_pkts"] - ($was[0] | of)[$way + "_pkts"]) | floor'
}

# checksum_errors NAMESPACE: datagrams that its Linux found wrong.
checksum_errors()
{
	if [ "$FAMILY" = 4 ]; then
		on "$1" cat /proc/net/snmp | awk '/^Udp: [0-9]/ { print $8 }'
	else
		on "$1" cat /proc/net/snmp6 | awk '/^Udp6InCsumErrors/ { print $2 }'
	fi
}

network_two_armed 1 1
server_add_direct 1 192.0.2.90
head -c ${MIB}M /dev/urandom > "$RUN/sent"
plvs_config "$(service web tcp 192.0.2.80:80 nat rr 10.10.0.11:80)" \
	"$(service up tcp 192.0.2.80:7001 nat rr 10.10.0.11:7001)" \
	"$(service small tcp 192.0.2.80:7002 nat rr 10.10.0.11:7002)" \
	"$(service direct tcp 192.0.2.90:7003 dr rr 192.0.2.11:7003)" \
	"$(service udp udp 192.0.2.80:7000 nat rr 10.10.0.11:7000)"
plvs_start
web_start server1
cp "$RUN/sent" "$RUN/web-server1/www/random"
is "ports that carry big frames" \
	"$(rpc port.list | jq '[.ports[] | select(.big_frames == "whole")] | length')" -eq 2
# The sockets of the driver are asked about no frame.
is "sockets that hear of frames" "$(on dpdk cat /proc/net/packet | awk '$4 == "0003" && $6 == 1' | wc -l)" -eq 2

# Whole, in and out. A busy machine makes frames smaller, but not that small.
rpc port.list > "$RUN/ports"
download 192.0.2.80 by-nat
is "bytes a frame from the server" "$(bytes_a_frame private rx)" -ge 3000
is "bytes a frame to the client" "$(bytes_a_frame public tx)" -ge 3000
take server1 7001 "$RUN/to-nat"
rpc port.list > "$RUN/ports"
upload 192.0.2.80 7001 "$RUN/to-nat"
is "bytes a frame from the client" "$(bytes_a_frame public rx)" -ge 3000
is "bytes a frame to the server" "$(bytes_a_frame private tx)" -ge 3000
take server1 7003 "$RUN/to-dr"
upload 192.0.2.90 7003 "$RUN/to-dr"

# The MTU is for segments: they exceed the way out, whatever the frame's length. The client hears
# it, and sends smaller ones.
ip -n "$NET-linux" link set dev private mtu 1300
wait_for 5 "the port has the MTU" eval \
	"rpc port.list | jq -e '.ports[] | select(.name == \"private\") | .mtu == 1300'"
take server1 7002 "$RUN/to-small"
upload 192.0.2.80 7002 "$RUN/to-small"
is "frames that were too big" "$(drops too_big)" -ge 1
if [ "$FAMILY" = 4 ]; then
	is "the client's MTU of the way" "$(ip -n "$NET-client1" -j route get 192.0.2.80 |
		jq '.[0].metrics[0].mtu')" -eq 1300
fi
is "datagrams with wrong checksums so far" "$(checksum_errors server1)" -eq 0

# Unfinished checksums arrive right, wrong ones wrong.
on_background server1 echo "$TOP/tests/net/lib/datagrams.py" echo 10.10.0.11 7000
wait_for 5 "the echo listens" port_listens server1 7000 udp
is "datagrams answered" "$(on client1 "$TOP/tests/net/lib/datagrams.py" ask 192.0.2.80 7000 8 900)" -eq 8
on client1 python3 "$TOP/tests/net/lib/wrong_sum.py" 192.0.2.80 7000 5
found_5()
{
	[ "$(checksum_errors server1)" -eq 5 ]
}
wait_for 5 "the server finds 5 wrong checksums" found_5

# Linux's side gets finished segments.
take linux 7004 "$RUN/to-linux"
upload 192.0.2.10 7004 "$RUN/to-linux"
is "frames of an unknown kind" \
	"$(rpc port.list | jq '[.ports[].device_counters.socket_rx_unknown] | add')" -eq 0
doors_add_up
