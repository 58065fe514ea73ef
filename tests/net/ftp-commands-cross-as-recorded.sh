#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 60
# Real clients and servers are other tests' matter; here it is each packet.
# holds: FTP helper
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib/rows.sh"

ftp=$(service ftp tcp 10.1.0.100:21 nat rr 10.10.0.1:21)
director_start "$(jq -c '.ftp = true' <<< "$ftp")"

rows "passive" <<'END'
client sends  tcp 192.168.1.1:9801>10.1.0.100:21 [S] ttl 64 seq 100 ack 0 csum ok
-> at server: tcp 192.168.1.1:9801>10.10.0.1:21 [S] ttl 63 csum ok dmac 02:01:0a:0a:00:01
server sends  tcp 10.10.0.1:21>192.168.1.1:9801 [SA] ttl 64 seq 500 ack 101 csum ok
-> at client: tcp 10.1.0.100:21>192.168.1.1:9801 [SA] ttl 63 csum ok
client sends  tcp 192.168.1.1:9801>10.1.0.100:21 [A] ttl 64 seq 101 ack 501 csum ok
-> at server: tcp 192.168.1.1:9801>10.10.0.1:21 [A] ttl 63 csum ok dmac 02:01:0a:0a:00:01
client sends  tcp 192.168.1.1:9801>10.1.0.100:21 [PA] ttl 64 seq 101 ack 501 csum ok data b'PASV\r\n'
-> at server: tcp 192.168.1.1:9801>10.10.0.1:21 [PA] ttl 63 csum ok data b'PASV\r\n' dmac 02:01:0a:0a:00:01
server sends  tcp 10.10.0.1:21>192.168.1.1:9801 [PA] ttl 64 seq 501 ack 107 csum ok data b'227 Entering Passive Mode (10,10,0,1,200,13).\r\n'
-> at client: tcp 10.1.0.100:21>192.168.1.1:9801 [PA] ttl 63 csum ok data b'227 Entering Passive Mode (10,1,0,100,200,13).\r\n'
client sends  tcp 192.168.1.1:9802>10.1.0.100:51213 [S] ttl 64 csum ok
-> at server: tcp 192.168.1.1:9802>10.10.0.1:51213 [S] ttl 63 csum ok dmac 02:01:0a:0a:00:01
entry: TCP 00:59 SYN_RECV 192.168.1.1:9802 10.1.0.100:51213 10.10.0.1:51213
END
rows "active: the server opens the data connection from port 20" <<'END'
client sends  tcp 192.168.1.1:9801>10.1.0.100:21 [PA] ttl 64 seq 107 ack 549 csum ok data b'PORT 192,168,1,1,100,200\r\n'
-> at server: tcp 192.168.1.1:9801>10.10.0.1:21 [PA] ttl 63 csum ok data b'PORT 192,168,1,1,100,200\r\n' dmac 02:01:0a:0a:00:01
server sends  tcp 10.10.0.1:20>192.168.1.1:25800 [S] ttl 64 csum ok
-> at client: tcp 10.1.0.100:20>192.168.1.1:25800 [S] ttl 63 csum ok
END
doors_add_up
