# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Two routers, "a" (primary) and "b" (backup), on the two switches of lib.sh. Sourced by tests
# of high availability after lib.sh.
#
#	a: 192.0.2.10, 10.10.0.2	b: 192.0.2.9, 10.10.0.3
#
# Namespaces, files and processes of each: routers.sh.

. "$TOP/tests/net/lib/routers.sh"

declare -A PAIR_PUBLIC=([a]=192.0.2.10 [b]=192.0.2.9) PAIR_PRIVATE=([a]=10.10.0.2 [b]=10.10.0.3)
# The keys of shared.ha; tests may change them before pair_config.
PAIR_HA='{"keepalive": "50ms", "deadtime": "200ms", "start_delay": "1s", "failback": "manual",
	"grace": "3s"}'
# The keys of node.notify.
PAIR_NOTIFY='{}'

other()
{
	[ "$1" = a ] && echo b || echo a
}

# pair_network CLIENTS SERVERS
pair_network()
{
	local i r
	switch_add public
	switch_add private
	for r in a b; do router_legs "$r"; done
	for ((i = 1; i <= $1; i++)); do client_add "$i"; done
	for ((i = 1; i <= $2; i++)); do server_add "$i"; done
	router_key "$RUN/ha.key"
	mkdir -p "$RUN/state-a" "$RUN/state-b"
}

# pair_config ROUTER SERVICE-JSON...
pair_config()
{
	local r=$1 o role=primary priority=200
	shift
	o=$(other "$r")
	[ "$r" = a ] || { role=backup priority=100; }
	# shellcheck disable=SC2016 # variables of jq
	printf '%s\n' "$@" | router_config "$r" "${PAIR_PUBLIC[$r]}" "${PAIR_PRIVATE[$r]}" \
		'.node += {notify: $notify, ha: {role: $role, priority: $priority, key_file: $key,
			paths: [{name: "public", local: $public, peer: $opublic},
				{name: "private", local: $private, peer: $oprivate}]}} |
		 .shared = {addresses: $addresses, services: $services, ha: $ha}' \
		--arg role "$role" --argjson priority $priority --arg opublic "${PAIR_PUBLIC[$o]}" \
		--arg oprivate "${PAIR_PRIVATE[$o]}" --argjson addresses "$PLVS_ADDRESSES" \
		--arg key "$RUN/ha.key" --argjson ha "$PAIR_HA" --argjson notify "$PAIR_NOTIFY"
}

pair_at()
{
	router_at "$1"
}

# Without waiting.
pair_launch()
{
	router_launch "$1"
}

# pair_start ROUTER...: and waits until they answer.
pair_start()
{
	routers_start "$@"
}

# pair_state ROUTER
pair_state()
{
	pair_at "$1"
	rpc ha.status 2> /dev/null | jq -r .state
}

pair_is()
{
	[ "$(pair_state "$1")" = "$2" ]
}

# pair_becomes SECONDS ROUTER STATE
pair_becomes()
{
	wait_for "$1" "router $2 is $3 (is $(pair_state "$2" || true))" pair_is "$2" "$3"
}

# The backup holds every connection of the active router.
pair_synchronised()
{
	pair_at "$1"
	rpc ha.status | jq -e .sync.synchronised
}

pair_kill()
{
	router_kill "$1"
}

# pair_stop ROUTER [SECONDS]: SIGTERM; status 0.
pair_stop()
{
	router_stop "$@"
}

# Role changes of a router so far, from its log.
pair_changes()
{
	grep -c ' ha: [a-z]*, was ' "$RUN/$1.log" || true
}

pair_end()
{
	routers_end a b
}
at_exit pair_end
