# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# The director of tests/golden/recorded/behaviours.md, and rows of packets played against it
# (rows.py says how they are written). A client side beyond a router, a server side
# 10.10.0.0/16, VIP 10.1.0.100; whoever is asked for by ARP is there. Sourced by tests after
# lib.sh; each names the sections of behaviours.md that it holds, a line each, as "# holds: ".

ROWS=$TOP/tests/net/lib/rows.py
PYTHON=/usr/bin/python3

# director_start SERVICE-JSON...: plvs with IPVS's defaults, and the wires on both sides.
director_start()
{
	local ns
	switch_add public
	switch_add private
	for ns in linux dpdk client server; do ns_add $ns; done
	leg_add client eth0 public
	leg_add server eth0 private
	leg_add dpdk public public
	leg_add dpdk private private
	# shellcheck disable=SC2034
	PLVS_ADDRESSES='[{"address": "10.1.0.100"}]'
	plvs_port public \
		'{"addresses": ["172.31.255.254/30"], "routes": ["default via 172.31.255.253"]}'
	plvs_port private '{"addresses": ["10.10.255.254/16"]}'
	director_config "$@"
	plvs_start
	jq -n --arg client "$NET-client" --arg server "$NET-server" --arg socket "$RUN/plvs.sock" \
		--argjson ports "$(rpc port.list)" \
		'($ports.ports | map({key: .name, value: .mac}) | from_entries) as $macs |
		 {client: [$client, "eth0"], server: [$server, "eth0"], socket: $socket,
		  macs: {client: $macs.public, server: $macs.private}}' > "$RUN/stand.json"
	on_background client arp "$PYTHON" -IS "$ROWS" arp "$RUN/stand.json"
	wait_for 10 "ARP is answered" grep -q ready "$RUN/arp.log"
	wait_for 10 "the director has its routes" director_has_routes
}

director_has_routes()
{
	rpc route.list | jq -e '[.routes[].prefix] | contains(["0.0.0.0/0", "10.10.0.0/16"])'
}

# DIRECTOR_DEFAULTS and DIRECTOR_MARKS are JSON.
director_config()
{
	plvs_config "$@"
	jq --argjson defaults "${DIRECTOR_DEFAULTS:-{\}}" --argjson marks "${DIRECTOR_MARKS:-[]}" \
		'.shared += {compat: "ipvs", defaults: $defaults, marks: $marks}' \
		"$RUN/plvs.json" > "$RUN/plvs.json.new"
	mv "$RUN/plvs.json.new" "$RUN/plvs.json"
}

# director_services SERVICE-JSON...: these from now on, by a new configuration.
director_services()
{
	director_config "$@"
	rpc config.apply > "$RUN/apply" || fail "config.apply"
}

# server_change add|edit|delete SERVICE SERVER [JSON]: on the control socket.
server_change()
{
	local params
	params=$(jq -nc --arg service "$2" --arg server "$3" --argjson set "${4:-{\}}" \
		--arg verb "$1" '{service: $service} + if $verb == "add" then
			{server: ({address: $server} + $set)} elif $verb == "edit" then
			{server: $server, set: $set} else {server: $server} end')
	rpc "server.$1" "$params" > "$RUN/change" || fail "server.$1 $params"
}

service_set()
{
	rpc service.edit "{\"service\": \"$1\", \"set\": $2}" > "$RUN/change" ||
		fail "service.edit $1 $2"
}

# rows WHAT < ROWS: they happen as written.
rows()
{
	local said
	said=$(timeout 60 "$PYTHON" -IS "$ROWS" play "$RUN/stand.json" 2>&1) ||
		fail "$1:"$'\n'"$said"
	note "$1: $said"
}

# handshake PORT [SERVER]: from 192.168.1.1:PORT with the NAT server 10.10.0.SERVER:8080.
handshake()
{
	local client=192.168.1.1:$1 server=10.10.0.${2:-1}:8080 mac=02:01:0a:0a:00:0${2:-1}
	rows "a handshake from port $1" <<-END
		client sends  tcp $client>10.1.0.100:80 [S] ttl 64 csum ok
		-> at server: tcp $client>$server [S] ttl 63 csum ok dmac $mac
		server sends  tcp $server>$client [SA] ttl 64 csum ok
		-> at client: tcp 10.1.0.100:80>$client [SA] ttl 63 csum ok
		client sends  tcp $client>10.1.0.100:80 [A] ttl 64 csum ok
		-> at server: tcp $client>$server [A] ttl 63 csum ok dmac $mac
		entry: TCP 14:59 ESTABLISHED $client 10.1.0.100:80 $server
	END
}
