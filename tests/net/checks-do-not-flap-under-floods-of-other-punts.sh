#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 120
# alone: yes, a flood takes all CPUs
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/net/lib/health.sh
. "$TOP/tests/net/lib/health.sh"

# Checks of several kinds at a short interval, while all other classes of what goes to Linux
# are flooded, and Linux floods the ports by which the checks leave. A SYN that is lost is a
# check that failed, since its retransmission would come too late.
network_two_armed 2 2
echo "1 $(head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n')" > "$RUN/ha.key"
chmod 600 "$RUN/ha.key"
health_config "$(jq -nc '[{name: "tcp", type: "tcp"}, {name: "http", type: "http"},
	{name: "icmp", type: "icmp"},
	{name: "udp", type: "udp", port: 7004, steps: [{send: "there?"}, {expect: "there?"}]}] |
	map(. + {interval: "100ms", timeout: "800ms", rise: 2, fall: 2})')" \
	"$(service web tcp 192.0.2.80:80 nat rr 10.10.0.11:80 10.10.0.12:80 |
		jq -c '.check = ["tcp", "http", "icmp", "udp"]')"
jq --arg key "$RUN/ha.key" '.node.ha = {role: "primary", key_file: $key,
	paths: [{name: "public", local: "192.0.2.10", peer: "192.0.2.101"}]}' \
	"$RUN/plvs.json" > "$RUN/ha.json"
mv "$RUN/ha.json" "$RUN/plvs.json"
for i in 1 2; do
	web_start server$i
	on_background server$i udp$i "$PROBE" udp-echo 10.10.0.1$i:7004
done
plvs_start
on_background linux bulk "$PROBE" udp-echo 192.0.2.10:9000

punted()
{
	counted "[.punts[] | select(.name == \"$1\") | .count] | add // 0"
}

for i in 1 2; do server_becomes 10 web 10.10.0.1$i:80 up; done
sleep 1
note "at rest: $(rpc health.counters | jq -c '{probes, failures, late_p50_us, late_p99_us}')"
edges=$(edges)
failures=$(rpc health.counters | jq .failures)

ip -n "$NET-client2" route add 10.10.0.0/16 via 192.0.2.10
on_background client1 ha "$PROBE" udp-ask 192.0.2.10:7695 --count 10000000 --rate 10000 --size 200
on_background client2 own "$PROBE" udp-ask 192.0.2.10:9000 --count 10000000 --rate 20000 --size 1000
on_background client2 transit "$PROBE" udp-ask 10.10.0.11:9 --count 10000000 --rate 10000 --size 1000
mac=$(mac_of client2 eth0 | tr -d :)
router=$(on linux cat /sys/class/net/public/address | tr -d :)
# An echo request of 192.0.2.102, far more often than the class has a budget for.
echo "$router${mac}08004500001c0000000040010000c0000266c000020a0800f7ff00000000" > "$RUN/icmp"
python3 - "$RUN/icmp" <<-'END'
	import sys
	frame = bytearray.fromhex(open(sys.argv[1]).read())
	total = sum(frame[i] << 8 | frame[i + 1] for i in range(14, 34, 2))
	frame[24:26] = (~(total + (total >> 16)) & 0xffff).to_bytes(2, "big")
	open(sys.argv[1], "w").write(frame.hex() + "\n")
END
# Before the other floods, which take what CPU there is.
on_background client2 icmp bash -c \
	"nice -n -10 '$PROBE' frame-send eth0 --count 10000000 --rate 30000 < '$RUN/icmp'"
echo "ffffffffffff${mac}08060001080006040001${mac}c0000266000000000000c000020a" > "$RUN/arp"
on_background client2 arps bash -c \
	"'$PROBE' frame-send eth0 --count 10000000 --rate 5000 < '$RUN/arp'"
# As much as Linux can send, by both ports.
on_background linux out1 "$PROBE" udp-ask 192.0.2.102:9 --count 100000000 --rate 100000 --size 1400
on_background linux out2 "$PROBE" udp-ask 10.10.0.12:9 --count 100000000 --rate 100000 --size 1400
all_punted()
{
	[ "$(punted own)" -gt 2000 ] && [ "$(punted icmp)" -gt 200 ] && [ "$(punted ha)" -gt 2000 ] &&
		[ "$(punted transit)" -gt 2000 ] && [ "$(punted arp)" -gt 1000 ]
}
wait_for 20 "all classes are punted" all_punted
probes=$(rpc health.counters | jq .probes)
sleep 4
rpc health.counters > "$RUN/counters"
note "under the flood: $(jq -c '{probes, failures, timeouts, errors, late_p50_us, late_p99_us}' \
	"$RUN/counters")"
note "punted: $(rpc counter.list | jq -c '[.punts[] | "\(.name) \(.count)"]')"
note "dropped: $(rpc counter.list | jq -c '[.drops[] | select(.count > 0) | "\(.name) \(.count)"]')"
is "ICMP over its budget" "$(drops punt_rate)" -ge 1000
# Eight checks, ten times a second each.
is "probes made under the flood" "$(($(jq .probes "$RUN/counters") - probes))" -ge 240
is "changes of state" "$(($(jq .edges "$RUN/counters") - edges))" -eq 0
is "probes that failed" "$(($(jq .failures "$RUN/counters") - failures))" -le 4
is "probes that could not be made" "$(jq .errors "$RUN/counters")" -eq 0
# By the name of the thread: field 19 of its stat (proc(5)).
is "niceness of control" "$(sed -n 's/.*(plvs-control) //p' /proc/"$PLVS_PID"/task/*/stat | cut -d ' ' -f 17)" -eq -10
is "lateness, p99 in microseconds" "$(jq .late_p99_us "$RUN/counters")" -lt 400000
for flood in ha own transit icmp arps out1 out2; do background_stop $flood > /dev/null || true; done
doors_add_up
