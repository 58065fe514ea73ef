#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 60
# holds: no destination available
# holds: firewall-mark service without servers
# holds: packets to the VIP on a port with no service
# holds: from a real server, no entry
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib/rows.sh"

# shellcheck disable=SC2034
DIRECTOR_MARKS='[{"protocol": "tcp", "destination": "10.1.0.100", "destination_port": 8081, "mark": 1}]'
empty=$(service web tcp 10.1.0.100:80 nat rr)
dns=$(service dns udp 10.1.0.100:53 nat rr)
marked='{"name": "marked", "mark": 1, "scheduler": "rr", "servers": []}'
director_start "$empty" "$dns" "$marked"

rows "no servers" <<'END'
client sends  tcp 192.168.1.1:3001>10.1.0.100:80 [S] ttl 64 csum ok
-> at client: icmp 3/3 10.1.0.100>192.168.1.1 ttl 64 about proto 6 192.168.1.1:3001>10.1.0.100:80 csum ok
client sends  udp 192.168.1.1:3002>10.1.0.100:53 ttl 64 csum ok len 18
-> at client: icmp 3/3 10.1.0.100>192.168.1.1 ttl 64 about proto 17 192.168.1.1:3002>10.1.0.100:53 csum ok
client sends  tcp 192.168.1.1:3003>10.1.0.100:80 [A] ttl 64 csum ok
-> at client: tcp 10.1.0.100:80>192.168.1.1:3003 [R] ttl 64 csum ok
client sends  tcp 192.168.1.1:3007>10.1.0.100:8081 [S] ttl 64 csum ok
-> at client: icmp 3/3 10.1.0.100>192.168.1.1 ttl 64 about proto 6 192.168.1.1:3007>10.1.0.100:8081 csum ok
END

server_change add web 10.10.0.1:8080 '{"weight": 0}'
rows "a server of weight 0" <<'END'
client sends  tcp 192.168.1.1:3004>10.1.0.100:80 [S] ttl 64 csum ok
-> at client: icmp 3/3 10.1.0.100>192.168.1.1 ttl 64 about proto 6 192.168.1.1:3004>10.1.0.100:80 csum ok
END

server_change edit web 10.10.0.1:8080 '{"weight": 1, "upper": 1}'
rows "a full server" <<'END'
client sends  tcp 192.168.1.1:3005>10.1.0.100:80 [S] ttl 64 csum ok
-> at server: tcp 192.168.1.1:3005>10.10.0.1:8080 [S] ttl 63 csum ok dmac 02:01:0a:0a:00:01
client sends  tcp 192.168.1.1:3006>10.1.0.100:80 [S] ttl 64 csum ok
-> at client: icmp 3/3 10.1.0.100>192.168.1.1 ttl 64 about proto 6 192.168.1.1:3006>10.1.0.100:80 csum ok
END

rows "what no service takes" <<'END'
client sends  tcp 192.168.1.1:3010>10.1.0.100:81 [S] ttl 64 csum ok
-> at client: tcp 10.1.0.100:81>192.168.1.1:3010 [RA] ttl 64 csum ok
client sends  udp 192.168.1.1:3011>10.1.0.100:54 ttl 64 csum ok len 18
-> at client: icmp 3/3 10.1.0.100>192.168.1.1 ttl 64 about proto 17 192.168.1.1:3011>10.1.0.100:54 csum ok
client sends  tcp 192.168.1.1:3012>10.1.0.100:80 [A] ttl 64 csum ok   (no entry)
-> at client: tcp 10.1.0.100:80>192.168.1.1:3012 [R] ttl 64 csum ok
client sends  tcp 192.168.1.1:3012>10.1.0.100:80 [FA] ttl 64 csum ok
-> at client: tcp 10.1.0.100:80>192.168.1.1:3012 [R] ttl 64 csum ok
client sends  tcp 192.168.1.1:3012>10.1.0.100:80 [R] ttl 64 csum ok
-> nothing
client sends  icmp 8/0 192.168.1.1>10.1.0.100 ttl 64 csum ok
-> at client: icmp 0/0 10.1.0.100>192.168.1.1 ttl 64 csum ok
END

rows "a server's packet that is no reply is routed" <<'END'
server sends  tcp 10.10.0.1:8080>192.168.1.1:3999 [A] ttl 64 csum ok
-> at client: tcp 10.10.0.1:8080>192.168.1.1:3999 [A] ttl 63 csum ok
END
service_set web '{"nat_icmp_send": true}'
rows "or refused" <<'END'
server sends  tcp 10.10.0.1:8080>192.168.1.1:3999 [A] ttl 64 csum ok
-> at server: icmp 3/3 10.10.255.254>10.10.0.1 ttl 64 about proto 6 10.10.0.1:8080>192.168.1.1:3999 csum ok dmac 02:01:0a:0a:00:01
END
doors_add_up
