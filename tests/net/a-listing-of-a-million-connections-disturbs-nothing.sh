#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 500
# set: full
# `ipvsadm -Lnc` and `connection list` of a million connections: each is listed once, the router answers
# others meanwhile, forwards, and is not larger after it.
. "$(dirname "$0")/lib.sh"

CONNECTIONS=1000000

network_two_armed 1 1
plvs_config "$(service dns udp 192.0.2.80:53 nat rr 10.10.0.11:53)" \
	"$(service web tcp 192.0.2.80:80 nat rr 10.10.0.11:80)"
jq '.node.workers.connections = 4000000 | .shared.services[0].timeouts.udp = "1h"' "$RUN/plvs.json" > "$RUN/new.json"
mv "$RUN/new.json" "$RUN/plvs.json"
plvs_start 2
web_start server1 80
web_ask client1 192.0.2.80 2 > "$RUN/answers"
# The server hears the datagrams, and says nothing.
on server1 nft 'add table ip quiet; add chain ip quiet in { type filter hook input priority 0; }; add rule ip quiet in udp dport 53 drop'
ln -s "$BUILD/src/cli/plvsctl" "$RUN/ipvsadm"
export PLVS_SOCKET=$RUN/plvs.sock

# flood FROM N: a datagram of each of N clients.
flood()
{
	on client1 python3 - "$(mac_of dpdk public)" "$1" "$2" <<'END'
import socket, struct, sys, time
mac = bytes.fromhex(sys.argv[1].replace(":", ""))
first, n = int(sys.argv[2]), int(sys.argv[3])
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
s.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 22)
s.bind(("eth0", 0))
vip = socket.inet_aton("192.0.2.80")
fixed = sum(struct.unpack("!9H", struct.pack("!BBHHHBBH", 0x45, 0, 46, 0, 0, 64, 17, 0) + vip + b"\0\0"))
for i in range(first, first + n):
    source = 0xC6120000 + i // 8 % 131072
    total = fixed + (source >> 16) + (source & 0xFFFF)
    total = (total & 0xFFFF) + (total >> 16)
    total = (total & 0xFFFF) + (total >> 16)
    s.send(mac + b"\2\0\0\0\0\1\x08\0" + struct.pack("!BBHHHBBHI", 0x45, 0, 46, 0, 0, 64, 17, ~total & 0xFFFF, source) +
           vip + struct.pack("!HHHH", 10000 + i % 8 + i // 1048576 * 8, 53, 26, 0) + bytes(18))
    if i % 64 == 0:
        time.sleep(0)
END
}

entries()
{
	ctl --json connection count | jq .count
}

for ((from = 0; from < 3 * CONNECTIONS; from += CONNECTIONS / 10)); do
	[ "$(entries)" -lt $CONNECTIONS ] || break
	flood $((from % 1048576)) $((CONNECTIONS / 10))
done
is "connections" "$(entries)" -ge $CONNECTIONS

memory()
{
	awk '$1 == "VmRSS:" {print $2}' "/proc/$PLVS_PID/status"
}

before=$(memory)
"$RUN/ipvsadm" -Lnc > "$RUN/listing" &
listing=$!
asked=0
while kill -0 $listing 2> /dev/null; do
	timeout 10 "$BUILD/src/cli/plvsctl" --timeout 8s version > "$RUN/version" || fail "no answer during the listing"
	web_ask client1 192.0.2.80 1 > "$RUN/answers"
	[ "$(answers_by "$RUN/answers" server1)" -eq 1 ] || fail "no answer of the web during the listing"
	asked=$((asked + 1))
done
wait $listing || fail "ipvsadm -Lnc ended with $?"
is "questions during the listing" $asked -ge 1
is "rows of UDP" "$(grep -c '^UDP' "$RUN/listing")" -ge $CONNECTIONS
is "rows that stand there twice" "$(sort "$RUN/listing" | awk '{print $4, $5}' | uniq -d | wc -l)" -eq 0
rm "$RUN/listing"
# A reader that goes away, and the router's own command with a limit.
"$RUN/ipvsadm" -Lnc 2> "$RUN/said" | head -3 > "$RUN/head" || true
is "lines that were read" "$(wc -l < "$RUN/head")" -eq 3
is "rows by a limit" "$(ctl --json connection list limit 10 | jq '.rows | length')" -eq 10
is "KiB that the router grew by" "$(($(memory) - before))" -le 131072
doors_add_up
