#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 90
. "$(dirname "$0")/lib.sh"

network_two_armed 2 1
PLVS_ADDRESSES=$(jq -c '. + [{"address": "192.0.2.80"}]' <<< "$PLVS_ADDRESSES")
plvs_config \
	"$(service late tcp 192.0.2.80:7 nat rr 10.10.0.11:7 |
		jq -c '. + {timeouts: {established: "1s"}}')" \
	"$(service web tcp 192.0.2.80:443 nat rr 10.10.0.11:443)" \
	"$(service dns udp 192.0.2.80:53 nat rr 10.10.0.11:53)" \
	"$(service ntp udp 192.0.2.80:123 nat rr 10.10.0.11:123)" \
	"$(service once udp 192.0.2.80:5060 nat rr 10.10.0.11:5060 |
		jq -c '. + {one_packet: true, unknown_reply: "vip"}')"
plvs_start 2
on linux nft -f - <<'END'
table ip nat {
	chain postrouting {
		type nat hook postrouting priority 100;
		oifname "public" masquerade
	}
}
END
# Masquerading would hide what is looked for: a packet with the server's own address.
capture_start client1 eth0 seen "ip and (src net 10.10.0.0/16 or src host 192.0.2.10)"

connections_are()
{
	[ "$(rpc status | jq .connections.live)" -eq "$1" ]
}
server_has()
{
	[ "$(on server1 ss -Htn state established | wc -l)" -eq "$1" ]
}

# The server speaks first, after its connection's time.
mkfifo "$RUN/words"
on_background server1 speaker bash -c "exec socat TCP-LISTEN:7,reuseaddr - < '$RUN/words'"
exec {WORDS}> "$RUN/words"
wait_for 10 "the server listens" port_listens server1 7
on_background client1 listener socat -u TCP:192.0.2.80:7 -
wait_for 5 "a connection" connections_are 1
wait_for 20 "it is gone" connections_are 0
is "connections that the server has" "$(on server1 ss -Htn state established | wc -l)" -eq 1
echo "too late" >&"$WORDS"
wait_for 5 "the server was told" server_has 0
is "dropped as no_reply" "$(drops no_reply)" -ge 1

# A datagram that answers nothing, and the answers of a service without connections.
echo "not asked for" | on server1 socat - UDP:192.0.2.101:4000,sourceport=53
wait_for 5 "a datagram is dropped" test "$(drops no_reply)" -ge 2
echo_serve server1 udp 10.10.0.11 5060
on client1 "$PROBE" udp-ask 192.0.2.80:5060 --count 200 --rate 200 > "$RUN/report"
is "one-packet questions without an answer" "$(jq .lost "$RUN/report")" -eq 0

# The server's own business, by the ports of its services.
for port in 53 123; do
	echo_serve client2 udp 192.0.2.102 $port
	is "an answer to the server's port $port" \
		"$(echo time | on server1 socat -t 2 - UDP:192.0.2.102:$port,sourceport=$port)" = time
	background_stop echo-client2-udp || true
done
web_start client2 443
is "the server's request to port 443" \
	"$(on server1 curl -sS --max-time 5 http://192.0.2.102:443/)" = client2

capture_stop seen
is "packets at the client with a private source" "$(capture seen | wc -l)" -eq 0
doors_add_up
