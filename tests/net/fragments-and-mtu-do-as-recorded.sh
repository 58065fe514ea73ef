#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 60
# Where IPVS waits for a whole datagram and cuts it again, plvs lets fragments follow their
# first one: the same fragments leave, but those that need not wait leave at once.
# holds: fragments, NAT
# holds: DF and MTU 1400 on the server side, NAT
# holds: fragments, direct routing
# holds: DF and MTU 1400 on the server side, direct routing
# af_xdp: behind af_packet the kernel would join fragments before plvs sees them.
PLVS_DRIVER=af_xdp
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib/rows.sh"

nat=$(service dns udp 10.1.0.100:53 nat rr 10.10.0.1:8053)
dr=$(service dns udp 10.1.0.100:53 dr rr 10.10.0.1:53)
director_start "$nat"

rows "NAT, the first one first" <<'END'
client sends  udp 192.168.1.1:7000>10.1.0.100:53 ttl 64 csum bad len 1392 frag off 0 mf 1
-> at server: udp 192.168.1.1:7000>10.10.0.1:8053 ttl 63 csum bad len 1392 frag off 0 mf 1 dmac 02:01:0a:0a:00:01
client sends  192.168.1.1>10.1.0.100 ttl 64 frag off 1400 mf 0
-> at server: 192.168.1.1>10.10.0.1 ttl 63 frag off 1400 mf 0 dmac 02:01:0a:0a:00:01
-> whole at server: udp 192.168.1.1:7000>10.10.0.1:8053 csum ok len 1492
END
rows "NAT, the last one first; and an answer" <<'END'
client sends  192.168.1.1>10.1.0.100 ttl 64 id 2 frag off 1400 mf 0
-> nothing
client sends  udp 192.168.1.1:7000>10.1.0.100:53 ttl 64 csum bad len 1392 id 2 frag off 0 mf 1
-> at server: udp 192.168.1.1:7000>10.10.0.1:8053 ttl 63 csum bad len 1392 frag off 0 mf 1 dmac 02:01:0a:0a:00:01
-> at server: 192.168.1.1>10.10.0.1 ttl 63 frag off 1400 mf 0 dmac 02:01:0a:0a:00:01
-> whole at server: udp 192.168.1.1:7000>10.10.0.1:8053 csum ok len 1492
server sends  udp 10.10.0.1:8053>192.168.1.1:7000 ttl 64 csum bad len 1392 frag off 0 mf 1
-> at client: udp 10.1.0.100:53>192.168.1.1:7000 ttl 63 csum bad len 1392 frag off 0 mf 1
server sends  10.10.0.1>192.168.1.1 ttl 64 frag off 1400 mf 0
-> at client: 10.1.0.100>192.168.1.1 ttl 63 frag off 1400 mf 0
-> whole at client: udp 10.1.0.100:53>192.168.1.1:7000 csum ok len 1492
END

director_services "$dr"
rows "direct routing, in both orders" <<'END'
client sends  udp 192.168.1.1:7100>10.1.0.100:53 ttl 64 csum bad len 1392 id 3 frag off 0 mf 1
-> at server: udp 192.168.1.1:7100>10.1.0.100:53 ttl 63 csum bad len 1392 frag off 0 mf 1 dmac 02:01:0a:0a:00:01
client sends  192.168.1.1>10.1.0.100 ttl 64 id 3 frag off 1400 mf 0
-> at server: 192.168.1.1>10.1.0.100 ttl 63 frag off 1400 mf 0 dmac 02:01:0a:0a:00:01
-> whole at server: udp 192.168.1.1:7100>10.1.0.100:53 csum ok len 1492
client sends  192.168.1.1>10.1.0.100 ttl 64 id 4 frag off 1400 mf 0
-> nothing
client sends  udp 192.168.1.1:7100>10.1.0.100:53 ttl 64 csum bad len 1392 id 4 frag off 0 mf 1
-> at server: udp 192.168.1.1:7100>10.1.0.100:53 ttl 63 csum bad len 1392 frag off 0 mf 1 dmac 02:01:0a:0a:00:01
-> at server: 192.168.1.1>10.1.0.100 ttl 63 frag off 1400 mf 0 dmac 02:01:0a:0a:00:01
-> whole at server: udp 192.168.1.1:7100>10.1.0.100:53 csum ok len 1492
END

# The server side's link takes 1400 bytes.
ip -n "$NET-linux" link set dev private mtu 1400
mtu_known()
{
	rpc route.list | jq -e '[.routes[] | select(.prefix == "10.10.0.0/16") | .mtu] == [1400]'
}
wait_for 10 "the route's MTU is 1400" mtu_known
rows "direct routing, too big" <<'END'
client sends  udp 192.168.1.1:7110>10.1.0.100:53 ttl 64 csum ok len 1450 df
-> at client: icmp 3/4 10.1.0.100>192.168.1.1 ttl 64 about proto 17 192.168.1.1:7110>10.1.0.100:53 csum ok mtu 1400
client sends  udp 192.168.1.1:7111>10.1.0.100:53 ttl 64 csum ok len 1450
-> at server: udp 192.168.1.1:7111>10.1.0.100:53 ttl 63 csum bad len 1368 frag off 0 mf 1 dmac 02:01:0a:0a:00:01
-> at server: 192.168.1.1>10.1.0.100 ttl 63 frag off 1376 mf 0 dmac 02:01:0a:0a:00:01
-> whole at server: udp 192.168.1.1:7111>10.1.0.100:53 csum ok len 1450
END
director_services "$nat"
rows "NAT, too big" <<'END'
client sends  udp 192.168.1.1:7010>10.1.0.100:53 ttl 64 csum ok len 1450 df
-> at client: icmp 3/4 10.1.0.100>192.168.1.1 ttl 64 about proto 17 192.168.1.1:7010>10.1.0.100:53 csum ok mtu 1400
client sends  udp 192.168.1.1:7011>10.1.0.100:53 ttl 64 csum ok len 1450
-> at server: udp 192.168.1.1:7011>10.10.0.1:8053 ttl 63 csum bad len 1368 frag off 0 mf 1 dmac 02:01:0a:0a:00:01
-> at server: 192.168.1.1>10.10.0.1 ttl 63 frag off 1376 mf 0 dmac 02:01:0a:0a:00:01
-> whole at server: udp 192.168.1.1:7011>10.10.0.1:8053 csum ok len 1450
END
doors_add_up
