#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# set: full
# limit: 90
# alone: yes, the hugepages of this machine are taken and given back
# DPDK's own capture as a secondary process. Both processes share the memory of EAL: hugepages of a
# hugetlbfs, one file prefix, no --in-memory.
. "$(dirname "$0")/lib.sh"

command -v dpdk-dumpcap > /dev/null || { echo "SKIP: no dpdk-dumpcap"; exit 77; }
PAGES=/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages
before=$(cat $PAGES)
# The router ends before its memory is taken away.
pages_give_back()
{
	[ -z "${dumpcap:-}" ] || kill -KILL "$dumpcap"
	[ -z "${PLVS_PID:-}" ] || { kill -TERM "$PLVS_PID"; timeout 15 tail --pid="$PLVS_PID" -f /dev/null; }
	PLVS_PID=
	umount "$RUN/huge"
	echo "$before" > $PAGES
}
at_exit pages_give_back

echo 512 > $PAGES
[ "$(cat $PAGES)" -ge 384 ] || { echo "SKIP: this machine gives no 768 MiB of hugepages"; exit 77; }
mkdir "$RUN/huge"
mount -t hugetlbfs none "$RUN/huge"

network_two_armed 1 1
plvs_config "$(service web tcp 192.0.2.80:80 nat rr 10.10.0.11:80)"
# The driver's own queues: a port of one queue is read past the driver (docs/ports.md#big-frames).
plvs_eal()
{
	printf '%s\n' --huge-dir "$RUN/huge" -m 512 --no-pci --file-prefix "$NET" --lcores "$(plvs_lcores "$1")" \
		--vdev "net_af_packet0,iface=public,qpairs=2,framecnt=512,framesz=2048,blocksz=65536" --vdev "net_af_packet1,iface=private,qpairs=2,framecnt=512,framesz=2048,blocksz=65536"
}
plvs_start 2
web_start server1 80
web_ask client1 192.0.2.80 2 > "$RUN/warm"
! grep -q "dpdk-dumpcap will see no packets" "$RUN/plvs.log" || fail "plvs says: $(grep dumpcap "$RUN/plvs.log")"

timeout 40 dpdk-dumpcap --file-prefix "$NET" -i net_af_packet0 -c 20 -w "$RUN/dump.pcapng" > "$RUN/dumpcap" 2>&1 &
dumpcap=$!
asks_until_it_ends()
{
	web_ask client1 192.0.2.80 5 > "$RUN/answers"
	! kill -0 "$dumpcap" 2> /dev/null
}
wait_for 40 "dpdk-dumpcap has its packets" asks_until_it_ends
wait "$dumpcap" || fail "dpdk-dumpcap: $(cat "$RUN/dumpcap")"
dumpcap=
timeout 20 tcpdump -nr "$RUN/dump.pcapng" 2> /dev/null > "$RUN/seen"
is "packets" "$(wc -l < "$RUN/seen")" -ge 20
is "packets to the VIP" "$(grep -c '> 192.0.2.80.80: ' "$RUN/seen")" -ge 1
is "packets from the VIP" "$(grep -c ' 192.0.2.80.80 > ' "$RUN/seen")" -ge 1
is "answers meanwhile" "$(wc -l < "$RUN/answers")" -eq 5
doors_add_up
