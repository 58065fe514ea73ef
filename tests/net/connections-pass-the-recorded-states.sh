#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 60
# holds: default timeouts
# holds: state and timer after each packet, NAT
# holds: the same with direct routing
# holds: after ipvsadm --set 700 30 40
# holds: persistence template
# holds: sloppy_tcp=1: ACK without an entry
# holds: SYN retransmitted in SYN_RECV stays
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib/rows.sh"

nat=$(service web tcp 10.1.0.100:80 nat rr 10.10.0.1:8080)
dns=$(service dns udp 10.1.0.100:53 nat rr 10.10.0.1:8053)
director_start "$nat" "$dns"

rows "the client closes first" <<'END'
client sends  tcp 192.168.1.1:1001>10.1.0.100:80 [S] ttl 64 csum ok
-> at server: tcp 192.168.1.1:1001>10.10.0.1:8080 [S] ttl 63 csum ok dmac 02:01:0a:0a:00:01
entry: TCP 00:59 SYN_RECV 192.168.1.1:1001 10.1.0.100:80 10.10.0.1:8080
client sends  tcp 192.168.1.1:1001>10.1.0.100:80 [S] ttl 64 csum ok   (once more)
-> at server: tcp 192.168.1.1:1001>10.10.0.1:8080 [S] ttl 63 csum ok dmac 02:01:0a:0a:00:01
entry: TCP 00:59 SYN_RECV 192.168.1.1:1001 10.1.0.100:80 10.10.0.1:8080
server sends  tcp 10.10.0.1:8080>192.168.1.1:1001 [SA] ttl 64 csum ok
-> at client: tcp 10.1.0.100:80>192.168.1.1:1001 [SA] ttl 63 csum ok
entry: TCP 00:59 SYN_RECV 192.168.1.1:1001 10.1.0.100:80 10.10.0.1:8080
client sends  tcp 192.168.1.1:1001>10.1.0.100:80 [A] ttl 64 csum ok
-> at server: tcp 192.168.1.1:1001>10.10.0.1:8080 [A] ttl 63 csum ok dmac 02:01:0a:0a:00:01
entry: TCP 14:59 ESTABLISHED 192.168.1.1:1001 10.1.0.100:80 10.10.0.1:8080
client sends  tcp 192.168.1.1:1001>10.1.0.100:80 [PA] ttl 64 csum ok data b'data'
-> at server: tcp 192.168.1.1:1001>10.10.0.1:8080 [PA] ttl 63 csum ok data b'data' dmac 02:01:0a:0a:00:01
entry: TCP 14:59 ESTABLISHED 192.168.1.1:1001 10.1.0.100:80 10.10.0.1:8080
client sends  tcp 192.168.1.1:1001>10.1.0.100:80 [FA] ttl 64 csum ok
-> at server: tcp 192.168.1.1:1001>10.10.0.1:8080 [FA] ttl 63 csum ok dmac 02:01:0a:0a:00:01
entry: TCP 00:59 CLOSE_WAIT 192.168.1.1:1001 10.1.0.100:80 10.10.0.1:8080
server sends  tcp 10.10.0.1:8080>192.168.1.1:1001 [A] ttl 64 csum ok
-> at client: tcp 10.1.0.100:80>192.168.1.1:1001 [A] ttl 63 csum ok
entry: TCP 00:59 CLOSE_WAIT 192.168.1.1:1001 10.1.0.100:80 10.10.0.1:8080
server sends  tcp 10.10.0.1:8080>192.168.1.1:1001 [FA] ttl 64 csum ok
-> at client: tcp 10.1.0.100:80>192.168.1.1:1001 [FA] ttl 63 csum ok
entry: TCP 01:59 TIME_WAIT 192.168.1.1:1001 10.1.0.100:80 10.10.0.1:8080
client sends  tcp 192.168.1.1:1001>10.1.0.100:80 [A] ttl 64 csum ok
-> at server: tcp 192.168.1.1:1001>10.10.0.1:8080 [A] ttl 63 csum ok dmac 02:01:0a:0a:00:01
entry: TCP 01:59 TIME_WAIT 192.168.1.1:1001 10.1.0.100:80 10.10.0.1:8080
END

handshake 1002
rows "the server closes first" <<'END'
server sends  tcp 10.10.0.1:8080>192.168.1.1:1002 [FA] ttl 64 csum ok
-> at client: tcp 10.1.0.100:80>192.168.1.1:1002 [FA] ttl 63 csum ok
entry: TCP 01:59 FIN_WAIT 192.168.1.1:1002 10.1.0.100:80 10.10.0.1:8080
client sends  tcp 192.168.1.1:1002>10.1.0.100:80 [A] ttl 64 csum ok
-> at server: tcp 192.168.1.1:1002>10.10.0.1:8080 [A] ttl 63 csum ok dmac 02:01:0a:0a:00:01
entry: TCP 01:59 FIN_WAIT 192.168.1.1:1002 10.1.0.100:80 10.10.0.1:8080
client sends  tcp 192.168.1.1:1002>10.1.0.100:80 [FA] ttl 64 csum ok
-> at server: tcp 192.168.1.1:1002>10.10.0.1:8080 [FA] ttl 63 csum ok dmac 02:01:0a:0a:00:01
entry: TCP 01:59 TIME_WAIT 192.168.1.1:1002 10.1.0.100:80 10.10.0.1:8080
server sends  tcp 10.10.0.1:8080>192.168.1.1:1002 [A] ttl 64 csum ok
-> at client: tcp 10.1.0.100:80>192.168.1.1:1002 [A] ttl 63 csum ok
entry: TCP 01:59 TIME_WAIT 192.168.1.1:1002 10.1.0.100:80 10.10.0.1:8080
END

handshake 1003
handshake 1004
rows "resets, and a datagram" <<'END'
client sends  tcp 192.168.1.1:1003>10.1.0.100:80 [R] ttl 64 csum ok
-> at server: tcp 192.168.1.1:1003>10.10.0.1:8080 [R] ttl 63 csum ok dmac 02:01:0a:0a:00:01
entry: TCP 00:09 CLOSE 192.168.1.1:1003 10.1.0.100:80 10.10.0.1:8080
server sends  tcp 10.10.0.1:8080>192.168.1.1:1004 [R] ttl 64 csum ok
-> at client: tcp 10.1.0.100:80>192.168.1.1:1004 [R] ttl 63 csum ok
entry: TCP 00:09 CLOSE 192.168.1.1:1004 10.1.0.100:80 10.10.0.1:8080
client sends  tcp 192.168.1.1:1005>10.1.0.100:80 [S] ttl 64 csum ok
-> at server: tcp 192.168.1.1:1005>10.10.0.1:8080 [S] ttl 63 csum ok dmac 02:01:0a:0a:00:01
client sends  tcp 192.168.1.1:1005>10.1.0.100:80 [R] ttl 64 csum ok   (in SYN_RECV)
-> at server: tcp 192.168.1.1:1005>10.10.0.1:8080 [R] ttl 63 csum ok dmac 02:01:0a:0a:00:01
entry: TCP 00:59 SYN_RECV 192.168.1.1:1005 10.1.0.100:80 10.10.0.1:8080
client sends  tcp 192.168.1.1:1006>10.1.0.100:80 [S] ttl 64 csum ok
-> at server: tcp 192.168.1.1:1006>10.10.0.1:8080 [S] ttl 63 csum ok dmac 02:01:0a:0a:00:01
server sends  tcp 10.10.0.1:8080>192.168.1.1:1006 [RA] ttl 64 csum ok   (refused)
-> at client: tcp 10.1.0.100:80>192.168.1.1:1006 [RA] ttl 63 csum ok
entry: TCP 00:09 CLOSE 192.168.1.1:1006 10.1.0.100:80 10.10.0.1:8080
client sends  udp 192.168.1.1:1007>10.1.0.100:53 ttl 64 csum ok len 18
-> at server: udp 192.168.1.1:1007>10.10.0.1:8053 ttl 63 csum ok len 18 dmac 02:01:0a:0a:00:01
entry: UDP 04:59 UDP 192.168.1.1:1007 10.1.0.100:53 10.10.0.1:8053
END

service_set web '{"sloppy_tcp": true}'
rows "sloppy" <<'END'
client sends  tcp 192.168.1.1:3013>10.1.0.100:80 [A] ttl 64 csum ok
-> at server: tcp 192.168.1.1:3013>10.10.0.1:8080 [A] ttl 63 csum ok dmac 02:01:0a:0a:00:01
entry: TCP 14:59 ESTABLISHED 192.168.1.1:3013 10.1.0.100:80 10.10.0.1:8080
END

# As ipvsadm --set 700 30 40.
DIRECTOR_DEFAULTS='{"timeouts": {"established": 700, "fin_wait": 30, "udp": 40}}'
director_services "$nat" "$dns"
rows "other time-outs" <<'END'
client sends  tcp 192.168.1.1:1012>10.1.0.100:80 [S] ttl 64 csum ok
-> at server: tcp 192.168.1.1:1012>10.10.0.1:8080 [S] ttl 63 csum ok dmac 02:01:0a:0a:00:01
client sends  tcp 192.168.1.1:1012>10.1.0.100:80 [A] ttl 64 csum ok
-> at server: tcp 192.168.1.1:1012>10.10.0.1:8080 [A] ttl 63 csum ok dmac 02:01:0a:0a:00:01
entry: TCP 11:39 ESTABLISHED 192.168.1.1:1012 10.1.0.100:80 10.10.0.1:8080
server sends  tcp 10.10.0.1:8080>192.168.1.1:1012 [FA] ttl 64 csum ok
-> at client: tcp 10.1.0.100:80>192.168.1.1:1012 [FA] ttl 63 csum ok
entry: TCP 00:29 FIN_WAIT 192.168.1.1:1012 10.1.0.100:80 10.10.0.1:8080
client sends  udp 192.168.1.1:1013>10.1.0.100:53 ttl 64 csum ok len 18
-> at server: udp 192.168.1.1:1013>10.10.0.1:8053 ttl 63 csum ok len 18 dmac 02:01:0a:0a:00:01
entry: UDP 00:39 UDP 192.168.1.1:1013 10.1.0.100:53 10.10.0.1:8053
END

DIRECTOR_DEFAULTS='{}'
director_services "$(service web tcp 10.1.0.100:80 dr rr 10.10.0.1:80)"
rows "direct routing, where the director sees only the client" <<'END'
client sends  tcp 192.168.1.1:1011>10.1.0.100:80 [S] ttl 64 csum ok
-> at server: tcp 192.168.1.1:1011>10.1.0.100:80 [S] ttl 63 csum ok dmac 02:01:0a:0a:00:01
entry: TCP 00:59 SYN_RECV 192.168.1.1:1011 10.1.0.100:80 10.10.0.1:80
client sends  tcp 192.168.1.1:1011>10.1.0.100:80 [A] ttl 64 csum ok
-> at server: tcp 192.168.1.1:1011>10.1.0.100:80 [A] ttl 63 csum ok dmac 02:01:0a:0a:00:01
entry: TCP 14:59 ESTABLISHED 192.168.1.1:1011 10.1.0.100:80 10.10.0.1:80
client sends  tcp 192.168.1.1:1011>10.1.0.100:80 [FA] ttl 64 csum ok
-> at server: tcp 192.168.1.1:1011>10.1.0.100:80 [FA] ttl 63 csum ok dmac 02:01:0a:0a:00:01
entry: TCP 01:59 FIN_WAIT 192.168.1.1:1011 10.1.0.100:80 10.10.0.1:80
client sends  tcp 192.168.1.1:1011>10.1.0.100:80 [A] ttl 64 csum ok
-> at server: tcp 192.168.1.1:1011>10.1.0.100:80 [A] ttl 63 csum ok dmac 02:01:0a:0a:00:01
entry: TCP 01:59 FIN_WAIT 192.168.1.1:1011 10.1.0.100:80 10.10.0.1:80
client sends  tcp 192.168.1.1:1011>10.1.0.100:80 [R] ttl 64 csum ok
-> at server: tcp 192.168.1.1:1011>10.1.0.100:80 [R] ttl 63 csum ok dmac 02:01:0a:0a:00:01
entry: TCP 00:09 CLOSE 192.168.1.1:1011 10.1.0.100:80 10.10.0.1:80
client sends  tcp 192.168.1.1:1011>10.1.0.100:80 [S] ttl 64 csum ok   (again)
-> at server: tcp 192.168.1.1:1011>10.1.0.100:80 [S] ttl 63 csum ok dmac 02:01:0a:0a:00:01
entry: TCP 00:59 SYN_RECV 192.168.1.1:1011 10.1.0.100:80 10.10.0.1:80
END

director_services "$(jq -c '.persistence = {timeout: 300, netmask: "255.255.255.0"}' <<< "$nat")"
rows "a client's network has its template" <<'END'
client sends  tcp 192.168.1.1:1021>10.1.0.100:80 [S] ttl 64 csum ok
-> at server: tcp 192.168.1.1:1021>10.10.0.1:8080 [S] ttl 63 csum ok dmac 02:01:0a:0a:00:01
entry: TCP 00:59 SYN_RECV 192.168.1.1:1021 10.1.0.100:80 10.10.0.1:8080
entry: TCP 04:59 NONE 192.168.1.0:0 10.1.0.100:80 10.10.0.1:8080
END
director_services "$nat" "$dns"
doors_add_up
