#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 60
# holds: packet of an existing connection whose real server was removed; expire_nodest_conn=0
# holds: the same with expire_nodest_conn=1
# holds: expire_nodest_conn=1, server quiesced (weight 0): SYN on an entry of that server
# holds: UDP, server removed
# holds: the whole service removed
# holds: the service removed while another one remains
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib/rows.sh"

web=$(service web tcp 10.1.0.100:80 nat rr 10.10.0.1:8080)
dns=$(service dns udp 10.1.0.100:53 nat rr 10.10.0.1:8053)
director_start "$web" "$dns"

# expire_nodest_conn=0 is on_server_gone keep, 1 is reset.
handshake 2001
server_change add web 10.10.0.2:8080
server_change delete web 10.10.0.1:8080
rows "a connection of a removed server waits" <<'END'
client sends  tcp 192.168.1.1:2001>10.1.0.100:80 [PA] ttl 64 csum ok data b'data'
-> nothing
entry: TCP 14:59 ESTABLISHED 192.168.1.1:2001 10.1.0.100:80 10.10.0.1:8080
server sends  tcp 10.10.0.1:8080>192.168.1.1:2001 [PA] ttl 64 csum ok data b'answer'
-> at client: tcp 10.1.0.100:80>192.168.1.1:2001 [PA] ttl 63 csum ok data b'answer'
entry: TCP 14:59 ESTABLISHED 192.168.1.1:2001 10.1.0.100:80 10.10.0.1:8080
client sends  tcp 192.168.1.1:2001>10.1.0.100:80 [S] ttl 64 csum ok
-> nothing
entry: TCP 14:59 ESTABLISHED 192.168.1.1:2001 10.1.0.100:80 10.10.0.1:8080
END
server_change add web 10.10.0.1:8080
rows "until it returns" <<'END'
client sends  tcp 192.168.1.1:2001>10.1.0.100:80 [PA] ttl 64 csum ok data b'data'
-> at server: tcp 192.168.1.1:2001>10.10.0.1:8080 [PA] ttl 63 csum ok data b'data' dmac 02:01:0a:0a:00:01
entry: TCP 14:59 ESTABLISHED 192.168.1.1:2001 10.1.0.100:80 10.10.0.1:8080
END

service_set web '{"on_server_gone": "reset"}'
server_change delete web 10.10.0.1:8080
rows "or is reset, and its client goes elsewhere" <<'END'
client sends  tcp 192.168.1.1:2001>10.1.0.100:80 [PA] ttl 64 csum ok data b'data'
-> at client: tcp 10.1.0.100:80>192.168.1.1:2001 [R] ttl 64 csum ok
no entry: 192.168.1.1:2001 10.1.0.100:80
client sends  tcp 192.168.1.1:2001>10.1.0.100:80 [S] ttl 64 csum ok
-> at server: tcp 192.168.1.1:2001>10.10.0.2:8080 [S] ttl 63 csum ok dmac 02:01:0a:0a:00:02
entry: TCP 00:59 SYN_RECV 192.168.1.1:2001 10.1.0.100:80 10.10.0.2:8080
END

server_change add web 10.10.0.1:8080
server_change edit web 10.10.0.2:8080 '{"weight": 0}'
handshake 2002
server_change edit web 10.10.0.1:8080 '{"weight": 0}'
server_change edit web 10.10.0.2:8080 '{"weight": 1}'
rows "a quiesced server keeps its connection until a SYN" <<'END'
client sends  tcp 192.168.1.1:2002>10.1.0.100:80 [PA] ttl 64 csum ok data b'data'
-> at server: tcp 192.168.1.1:2002>10.10.0.1:8080 [PA] ttl 63 csum ok data b'data' dmac 02:01:0a:0a:00:01
client sends  tcp 192.168.1.1:2002>10.1.0.100:80 [S] ttl 64 csum ok
-> at server: tcp 192.168.1.1:2002>10.10.0.2:8080 [S] ttl 63 csum ok dmac 02:01:0a:0a:00:02
entry: TCP 00:59 SYN_RECV 192.168.1.1:2002 10.1.0.100:80 10.10.0.2:8080
END
service_set web '{"on_server_gone": "keep"}'
server_change edit web 10.10.0.1:8080 '{"weight": 1}'

rows "a datagram" <<'END'
client sends  udp 192.168.1.1:2003>10.1.0.100:53 ttl 64 csum ok len 18
-> at server: udp 192.168.1.1:2003>10.10.0.1:8053 ttl 63 csum ok len 18 dmac 02:01:0a:0a:00:01
END
server_change add dns 10.10.0.2:8053
server_change delete dns 10.10.0.1:8053
rows "one to the removed server" <<'END'
client sends  udp 192.168.1.1:2003>10.1.0.100:53 ttl 64 csum ok len 18
-> nothing
END
service_set dns '{"on_server_gone": "reset"}'
rows "the same, not kept" <<'END'
client sends  udp 192.168.1.1:2003>10.1.0.100:53 ttl 64 csum ok len 18
-> at server: udp 192.168.1.1:2003>10.10.0.2:8053 ttl 63 csum ok len 18 dmac 02:01:0a:0a:00:02
END

server_change delete web 10.10.0.2:8080
handshake 2006
rpc service.delete '{"service": "web"}' > /dev/null
rows "a removed service, beside another" <<'END'
client sends  tcp 192.168.1.1:2006>10.1.0.100:80 [PA] ttl 64 csum ok data b'data'
-> nothing
entry: TCP 14:59 ESTABLISHED 192.168.1.1:2006 10.1.0.100:80 10.10.0.1:8080
client sends  tcp 192.168.1.1:2007>10.1.0.100:80 [S] ttl 64 csum ok
-> at client: tcp 10.1.0.100:80>192.168.1.1:2007 [RA] ttl 64 csum ok
END

director_services "$web"
handshake 2004
director_services
rows "the last service removed" <<'END'
client sends  tcp 192.168.1.1:2004>10.1.0.100:80 [PA] ttl 64 csum ok data b'data'
-> at client: tcp 10.1.0.100:80>192.168.1.1:2004 [R] ttl 64 csum ok
entry: TCP 14:59 ESTABLISHED 192.168.1.1:2004 10.1.0.100:80 10.10.0.1:8080
client sends  tcp 192.168.1.1:2005>10.1.0.100:80 [S] ttl 64 csum ok
-> at client: tcp 10.1.0.100:80>192.168.1.1:2005 [RA] ttl 64 csum ok
END
director_services "$web" "$dns"
doors_add_up
