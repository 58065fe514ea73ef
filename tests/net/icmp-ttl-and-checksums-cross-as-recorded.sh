#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 60
# holds: ICMP errors, NAT
# holds: ICMP errors, direct routing
# holds: TTL, NAT
# holds: TTL, direct routing
# holds: UDP checksum, NAT
# holds: IP header with a wrong checksum
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib/rows.sh"

web=$(service web tcp 10.1.0.100:80 nat rr 10.10.0.1:8080)
dns=$(service dns udp 10.1.0.100:53 nat rr 10.10.0.1:8053)
director_start "$web" "$dns"

rows "errors of servers and of routers on their side" <<'END'
client sends  udp 192.168.1.1:4001>10.1.0.100:53 ttl 64 csum ok len 18
-> at server: udp 192.168.1.1:4001>10.10.0.1:8053 ttl 63 csum ok len 18 dmac 02:01:0a:0a:00:01
server sends  icmp 3/3 10.10.0.1>192.168.1.1 ttl 64 about proto 17 192.168.1.1:4001>10.10.0.1:8053 csum ok
-> at client: icmp 3/3 10.1.0.100>192.168.1.1 ttl 63 about proto 17 192.168.1.1:4001>10.1.0.100:53 csum ok
client sends  tcp 192.168.1.1:4002>10.1.0.100:80 [S] ttl 64 csum ok
-> at server: tcp 192.168.1.1:4002>10.10.0.1:8080 [S] ttl 63 csum ok dmac 02:01:0a:0a:00:01
server sends  icmp 3/1 10.10.0.99>192.168.1.1 ttl 64 about proto 6 192.168.1.1:4002>10.10.0.1:8080 csum ok
-> at client: icmp 3/1 10.1.0.100>192.168.1.1 ttl 63 about proto 6 192.168.1.1:4002>10.1.0.100:80 csum ok
END

handshake 4003
rows "errors from the client's side: too big (MTU 1200), time exceeded, about nothing" <<'END'
server sends  tcp 10.10.0.1:8080>192.168.1.1:4003 [PA] ttl 64 csum ok data b'zzzzzzzzzzzzzzzzzzzz'
-> at client: tcp 10.1.0.100:80>192.168.1.1:4003 [PA] ttl 63 csum ok data b'zzzzzzzzzzzzzzzzzzzz'
client sends  icmp 3/4 192.168.200.1>10.1.0.100 ttl 64 about proto 6 10.1.0.100:80>192.168.1.1:4003 csum ok mtu 1200
-> at server: icmp 3/4 192.168.200.1>10.10.0.1 ttl 63 about proto 6 10.10.0.1:8080>192.168.1.1:4003 csum ok mtu 1200 dmac 02:01:0a:0a:00:01
client sends  icmp 11/0 192.168.200.1>10.1.0.100 ttl 64 about proto 6 10.1.0.100:80>192.168.1.1:4003 csum ok
-> at server: icmp 11/0 192.168.200.1>10.10.0.1 ttl 63 about proto 6 10.10.0.1:8080>192.168.1.1:4003 csum ok dmac 02:01:0a:0a:00:01
client sends  icmp 3/3 192.168.1.1>10.1.0.100 ttl 64 about proto 6 10.1.0.100:4444>192.168.1.1:4444 csum ok
-> nothing
END

rows "TTL" <<'END'
client sends  tcp 192.168.1.1:13080>10.1.0.100:80 [S] ttl 64 csum ok
-> at server: tcp 192.168.1.1:13080>10.10.0.1:8080 [S] ttl 63 csum ok dmac 02:01:0a:0a:00:01
client sends  tcp 192.168.1.1:13080>10.1.0.100:80 [A] ttl 2 csum ok
-> at server: tcp 192.168.1.1:13080>10.10.0.1:8080 [A] ttl 1 csum ok dmac 02:01:0a:0a:00:01
client sends  tcp 192.168.1.1:13080>10.1.0.100:80 [A] ttl 1 csum ok
-> at client: icmp 11/0 10.1.0.100>192.168.1.1 ttl 64 about proto 6 192.168.1.1:13080>10.1.0.100:80 csum ok
server sends  tcp 10.10.0.1:8080>192.168.1.1:13080 [SA] ttl 64 csum ok
-> at client: tcp 10.1.0.100:80>192.168.1.1:13080 [SA] ttl 63 csum ok
server sends  tcp 10.10.0.1:8080>192.168.1.1:13080 [A] ttl 1 csum ok
-> at server: icmp 11/0 10.10.255.254>10.10.0.1 ttl 64 about proto 6 10.10.0.1:8080>192.168.1.1:13080 csum ok dmac 02:01:0a:0a:00:01
END

rows "checksums: none, wrong in UDP, TCP and IP" <<'END'
client sends  udp 192.168.1.1:6001>10.1.0.100:53 ttl 64 csum ok len 18
-> at server: udp 192.168.1.1:6001>10.10.0.1:8053 ttl 63 csum ok len 18 dmac 02:01:0a:0a:00:01
client sends  udp 192.168.1.1:6002>10.1.0.100:53 ttl 64 csum zero len 18   (IPVS makes one; none is as right)
-> at server: udp 192.168.1.1:6002>10.10.0.1:8053 ttl 63 csum zero len 18 dmac 02:01:0a:0a:00:01
server sends  udp 10.10.0.1:8053>192.168.1.1:6002 ttl 64 csum zero len 9
-> at client: udp 10.1.0.100:53>192.168.1.1:6002 ttl 63 csum zero len 9
server sends  udp 10.10.0.1:8053>192.168.1.1:6001 ttl 64 csum ok len 9
-> at client: udp 10.1.0.100:53>192.168.1.1:6001 ttl 63 csum ok len 9
client sends  udp 192.168.1.1:6003>10.1.0.100:53 ttl 64 csum bad len 18
-> at server: udp 192.168.1.1:6003>10.10.0.1:8053 ttl 63 csum bad len 18 dmac 02:01:0a:0a:00:01
client sends  tcp 192.168.1.1:6004>10.1.0.100:80 [S] ttl 64 csum bad
-> at server: tcp 192.168.1.1:6004>10.10.0.1:8080 [S] ttl 63 csum bad dmac 02:01:0a:0a:00:01
client sends  udp 192.168.1.1:6005>10.1.0.100:53 ttl 64 csum ok len 18 ipcsum bad
-> nothing
END

director_services "$(service web tcp 10.1.0.100:80 dr rr 10.10.0.1:80)" "$dns"
rows "direct routing" <<'END'
client sends  tcp 192.168.1.1:4010>10.1.0.100:80 [S] ttl 64 csum ok
-> at server: tcp 192.168.1.1:4010>10.1.0.100:80 [S] ttl 63 csum ok dmac 02:01:0a:0a:00:01
client sends  icmp 3/4 192.168.200.1>10.1.0.100 ttl 64 about proto 6 10.1.0.100:80>192.168.1.1:4010 csum ok mtu 1200   (about the server's reply)
-> at server: icmp 3/4 192.168.200.1>10.1.0.100 ttl 63 about proto 6 10.1.0.100:80>192.168.1.1:4010 csum ok mtu 1200 dmac 02:01:0a:0a:00:01
client sends  tcp 192.168.1.1:5080>10.1.0.100:80 [S] ttl 64 csum ok
-> at server: tcp 192.168.1.1:5080>10.1.0.100:80 [S] ttl 63 csum ok dmac 02:01:0a:0a:00:01
client sends  tcp 192.168.1.1:5080>10.1.0.100:80 [A] ttl 2 csum ok
-> at server: tcp 192.168.1.1:5080>10.1.0.100:80 [A] ttl 1 csum ok dmac 02:01:0a:0a:00:01
client sends  tcp 192.168.1.1:5080>10.1.0.100:80 [A] ttl 1 csum ok
-> at client: icmp 11/0 10.1.0.100>192.168.1.1 ttl 64 about proto 6 192.168.1.1:5080>10.1.0.100:80 csum ok
END
doors_add_up
