#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 90
# families: 4 6
# set6: full
# nginx, HAProxy, a server that speaks first and one that records what it reads are told the client's
# address by the PROXY protocol, version 2 by full NAT and version 1 by NAT. A connection for each
# packet that is lost: one of the first six in each direction, before the router and behind it.
. "$(dirname "$0")/lib.sh"

LOST=6
CABLES=(client router-out server router-in)
CASES=$((LOST * ${#CABLES[@]}))
# Ports of the kinds of servers, for version 2; for version 1 they are 500 higher.
declare -A KIND=([1000]=http [2000]=http [3000]=smtp [4000]=reader)

network_two_armed 1 1
PLVS_ADDRESSES='[{"address": "10.10.0.200", "kind": "pool", "link": "private"},
	{"address": "10.10.255.254/16", "kind": "gateway", "link": "private"}]'
# The switch's ends of the cables, in the order of network_two_armed.
declare -A PORT=([client]=port1 [server]=port2 [router-out]=port3 [router-in]=port4)

range()
{
	echo "$1-$(($1 + CASES - 1))"
}

services=()
: > "$RUN/cases"
for base in "${!KIND[@]}"; do
	for version in 2 1; do
		for ((i = 0; i < CASES; i++)); do
			port=$((base + (version == 1 ? 500 : 0) + i))
			services+=("$(jq -nc --arg port $port --arg version $version \
				'{name: $port, protocol: "tcp", listen: ["192.0.2.80:" + $port],
				  forward: (if $version == "2" then "fullnat" else "nat" end),
				  client_address: ("proxy-v" + $version),
				  servers: [{address: ("10.10.0.11:" + $port)}]}')")
			echo "${KIND[$base]} $port" >> "$RUN/cases"
		done
	done
done
services+=("$(service udp udp 192.0.2.80:9 fullnat rr 10.10.0.11:9 |
	jq -c '.client_address = "proxy-v2"')")
plvs_config "${services[@]}"
plvs_start 2

mkdir -p "$RUN/read" "$RUN/nginx"
chmod 755 "$RUN"
any=$([ "$FAMILY" = 4 ] || echo '[::]:')
cat > "$RUN/nginx.conf" <<END
daemon off;
master_process off;
pid $RUN/nginx.pid;
error_log $RUN/nginx-error.log;
events { worker_connections 1000; }
http {
	access_log off;
	client_body_temp_path $RUN/nginx/body;
	proxy_temp_path $RUN/nginx/proxy;
	fastcgi_temp_path $RUN/nginx/fastcgi;
	uwsgi_temp_path $RUN/nginx/uwsgi;
	scgi_temp_path $RUN/nginx/scgi;
	server {
		listen $any$(range 1000) proxy_protocol;
		listen $any$(range 1500) proxy_protocol;
		location / { return 200 "\$proxy_protocol_addr \$proxy_protocol_port\n"; }
	}
}
END
on_background server1 nginx nginx -p "$RUN" -e "$RUN/nginx-error.log" -c "$RUN/nginx.conf"
cat > "$RUN/haproxy.cfg" <<END
global
	maxconn 1000
defaults
	mode http
	timeout client 30s
	timeout server 30s
	timeout connect 5s
frontend told
	bind $(inet 10.10.0.11):$(range 2000) accept-proxy
	bind $(inet 10.10.0.11):$(range 2500) accept-proxy
	http-request return status 200 content-type text/plain lf-string "%[src] %[src_port]\n"
END
on_background server1 haproxy haproxy -db -f "$RUN/haproxy.cfg"
on_background server1 told "$TOP/tests/net/lib/told.py" serve 10.10.0.11 \
	3000-$((3500 + CASES)) 4000-$((4500 + CASES)) 9 "$RUN/read"
for port in 1000 2500 3000 4500; do
	wait_for 20 "port $port listens" port_listens server1 $port
done

note "without a loss"
on client1 "$TOP/tests/net/lib/told.py" ask 192.0.2.80 "$RUN/cases" > "$RUN/answers"
grep -v ' ok$' "$RUN/answers" | head -5 || true
is "connections whose client was right" "$(grep -c ' ok$' "$RUN/answers")" -eq $((CASES * 8))

note "one packet lost for each connection"
{
	echo "table netdev loss {"
	for cable in "${!CABLES[@]}"; do
		# From the server's side its port is the source.
		side=$([[ "${CABLES[$cable]}" = @(client|router-in) ]] && echo dport || echo sport)
		echo "chain c$cable {"
		echo "type filter hook ingress device ${PORT[${CABLES[$cable]}]} priority 0; policy accept;"
		for ((lost = 0; lost < LOST; lost++)); do
			for base in "${!KIND[@]}"; do
				for more in 0 500; do
					port=$((base + more + cable * LOST + lost))
					echo "tcp $side $port numgen inc mod 1000000 $lost counter drop"
				done
			done
		done
		echo "}"
	done
	echo "}"
} > "$RUN/loss.nft"
on wire nft -f "$RUN/loss.nft"
rm -f "$RUN"/read/*
on client1 "$TOP/tests/net/lib/told.py" ask 192.0.2.80 "$RUN/cases" > "$RUN/answers"
grep -v ' ok$' "$RUN/answers" | head -5 || true
is "connections whose client was right" "$(grep -c ' ok$' "$RUN/answers")" -eq $((CASES * 8))
lost=$(on wire nft -j list table netdev loss | jq '[.. | .counter? | select(.) | .packets] | add')
is "packets lost" "$lost" -gt $((CASES * 6))
on wire nft delete table netdev loss

note "the recorded streams are a header and what the client sent, once"
TOP=$TOP python3 - "$RUN/read" "$CASES" <<'END'
import os, sys
sys.path.insert(0, os.environ["TOP"] + "/tests/net/lib")
from told import header
names = os.listdir(sys.argv[1])
assert len(names) == 2 * int(sys.argv[2]), len(names)
for name in names:
    data = open(os.path.join(sys.argv[1], name), "rb").read()
    client, port, size = header(data)
    want = b"hello from %s %d" % (str(client).encode(), port)
    assert data[size:] == want, (name, data)
END

note "datagrams, whole and in fragments"
is "datagrams whose client was right" \
	"$(on client1 "$TOP/tests/net/lib/told.py" datagrams 192.0.2.80 9 24)" -eq 24
is "listed as" "$(ctl --json connection list | jq -r '[.. | .client_address? // empty] | unique | join(" ")')" \
	= "proxy-v1 proxy-v2"
is "headers" "$(counted '[.workers[].counters.proxy_headers] | add')" -gt $((CASES * 16))
doors_add_up
