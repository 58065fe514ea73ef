#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 60
# holds: SYN to an established connection
# holds: conn_reuse_mode=1 (default): SYN to a connection in TIME_WAIT
# holds: conn_reuse_mode=1: SYN in FIN_WAIT (server closed first)
# holds: conn_reuse_mode=1: SYN in CLOSE (after RST)
# holds: conn_reuse_mode=0: SYN in TIME_WAIT
# holds: SYN retransmitted in SYN_RECV stays
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib/rows.sh"

# Round robin over two, the last added first: each new connection is seen by its server.
director_start "$(service web tcp 10.1.0.100:80 nat rr 10.10.0.1:8080 10.10.0.2:8080)"

# closed PORT SERVER: the client closes, then the server.
closed()
{
	local client=192.168.1.1:$1 server=10.10.0.$2:8080
	rows "a close of port $1" <<-END
		client sends  tcp $client>10.1.0.100:80 [FA] ttl 64 csum ok
		-> at server: tcp $client>$server [FA] ttl 63 csum ok dmac 02:01:0a:0a:00:0$2
		server sends  tcp $server>$client [FA] ttl 64 csum ok
		-> at client: tcp 10.1.0.100:80>$client [FA] ttl 63 csum ok
		client sends  tcp $client>10.1.0.100:80 [A] ttl 64 csum ok
		-> at server: tcp $client>$server [A] ttl 63 csum ok dmac 02:01:0a:0a:00:0$2
		entry: TCP 01:59 TIME_WAIT $client 10.1.0.100:80 $server
	END
}

handshake 8001 2
rows "established: it stays" <<'END'
client sends  tcp 192.168.1.1:8001>10.1.0.100:80 [S] ttl 64 csum ok
-> at server: tcp 192.168.1.1:8001>10.10.0.2:8080 [S] ttl 63 csum ok dmac 02:01:0a:0a:00:02
entry: TCP 14:59 ESTABLISHED 192.168.1.1:8001 10.1.0.100:80 10.10.0.2:8080
END

handshake 8002 1
closed 8002 1
rows "in TIME_WAIT: scheduled anew" <<'END'
client sends  tcp 192.168.1.1:8002>10.1.0.100:80 [S] ttl 64 csum ok
-> at server: tcp 192.168.1.1:8002>10.10.0.2:8080 [S] ttl 63 csum ok dmac 02:01:0a:0a:00:02
entry: TCP 00:59 SYN_RECV 192.168.1.1:8002 10.1.0.100:80 10.10.0.2:8080
END

handshake 8005 1
rows "in FIN_WAIT: it stays" <<'END'
server sends  tcp 10.10.0.1:8080>192.168.1.1:8005 [FA] ttl 64 csum ok
-> at client: tcp 10.1.0.100:80>192.168.1.1:8005 [FA] ttl 63 csum ok
entry: TCP 01:59 FIN_WAIT 192.168.1.1:8005 10.1.0.100:80 10.10.0.1:8080
client sends  tcp 192.168.1.1:8005>10.1.0.100:80 [S] ttl 64 csum ok
-> at server: tcp 192.168.1.1:8005>10.10.0.1:8080 [S] ttl 63 csum ok dmac 02:01:0a:0a:00:01
entry: TCP 00:59 SYN_RECV 192.168.1.1:8005 10.1.0.100:80 10.10.0.1:8080
END

handshake 8006 2
rows "in CLOSE: scheduled anew" <<'END'
client sends  tcp 192.168.1.1:8006>10.1.0.100:80 [R] ttl 64 csum ok
-> at server: tcp 192.168.1.1:8006>10.10.0.2:8080 [R] ttl 63 csum ok dmac 02:01:0a:0a:00:02
entry: TCP 00:09 CLOSE 192.168.1.1:8006 10.1.0.100:80 10.10.0.2:8080
client sends  tcp 192.168.1.1:8006>10.1.0.100:80 [S] ttl 64 csum ok
-> at server: tcp 192.168.1.1:8006>10.10.0.1:8080 [S] ttl 63 csum ok dmac 02:01:0a:0a:00:01
entry: TCP 00:59 SYN_RECV 192.168.1.1:8006 10.1.0.100:80 10.10.0.1:8080
END

service_set web '{"conn_reuse": 0}'
handshake 8003 2
closed 8003 2
rows "in TIME_WAIT, nothing reused: it stays" <<'END'
client sends  tcp 192.168.1.1:8003>10.1.0.100:80 [S] ttl 64 csum ok
-> at server: tcp 192.168.1.1:8003>10.10.0.2:8080 [S] ttl 63 csum ok dmac 02:01:0a:0a:00:02
entry: TCP 00:59 SYN_RECV 192.168.1.1:8003 10.1.0.100:80 10.10.0.2:8080
END

rows "sent again in SYN_RECV: it stays" <<'END'
client sends  tcp 192.168.1.1:8004>10.1.0.100:80 [S] ttl 64 csum ok
-> at server: tcp 192.168.1.1:8004>10.10.0.1:8080 [S] ttl 63 csum ok dmac 02:01:0a:0a:00:01
client sends  tcp 192.168.1.1:8004>10.1.0.100:80 [S] ttl 64 csum ok
-> at server: tcp 192.168.1.1:8004>10.10.0.1:8080 [S] ttl 63 csum ok dmac 02:01:0a:0a:00:01
entry: TCP 00:59 SYN_RECV 192.168.1.1:8004 10.1.0.100:80 10.10.0.1:8080
END
doors_add_up
