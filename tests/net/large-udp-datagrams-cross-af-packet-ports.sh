#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 60
PLVS_DRIVER=af_packet
. "$(dirname "$0")/lib.sh"

network_two_armed 1 1
server_add_direct 1 192.0.2.90
plvs_config "$(service nat udp 192.0.2.80:7 nat rr 10.10.0.11:7)" \
	"$(service dr udp 192.0.2.90:7 dr rr 192.0.2.11:7)"
plvs_start 2
on_background server1 echo1 socat -b 65536 -T 2 UDP4-LISTEN:7,bind=10.10.0.11,fork PIPE
on_background server1 echo2 socat -b 65536 -T 2 UDP4-LISTEN:7,bind=192.0.2.90,fork PIPE
two_listen()
{
	[ "$(on server1 ss -Hlun sport = :7 | wc -l)" -eq 2 ]
}
wait_for 5 "the server listens twice" two_listen

# echoed VIP BYTES: a datagram of so many bytes comes back whole.
echoed()
{
	head -c "$2" /dev/urandom > "$RUN/sent"
	on client1 timeout 5 socat -b 65536 -t 0.5 - "UDP4:$1:7" < "$RUN/sent" > "$RUN/back" || true
	cmp -s "$RUN/sent" "$RUN/back"
}

wait_for 15 "a small one crosses" echoed 192.0.2.80 100
for vip in 192.0.2.80 192.0.2.90; do
	for bytes in 1472 1473 2100 4000 16000 60000; do
		wait_for 10 "$bytes bytes to $vip and back" echoed $vip $bytes
	done
done
is "malformed frames" "$(drops malformed)" -eq 0
doors_add_up
