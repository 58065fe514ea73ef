# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Two routers, "a" (primary) and "b" (backup), on the two switches of lib.sh. Sourced by tests
# of high availability after lib.sh.
#
#	a: 192.0.2.10, 10.10.0.2	b: 192.0.2.9, 10.10.0.3
#
# Of each: namespaces "linux-a" and "dpdk-a", $RUN/a.json, $RUN/a.sock, $RUN/a.log, PAIR_PID[a].
# ctl, rpc, counted, drops and doors_add_up speak to the router that pair_at chose.

declare -A PAIR_PID=() PAIR_PUBLIC=([a]=192.0.2.10 [b]=192.0.2.9)
declare -A PAIR_PRIVATE=([a]=10.10.0.2 [b]=10.10.0.3) PAIR_WORKERS=([a]=1 [b]=1)
# The build folder of a router that runs another version.
declare -A PAIR_BUILD=()
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
	for r in a b; do
		ns_add "linux-$r"
		ns_add "dpdk-$r"
		leg_add "dpdk-$r" public public
		leg_add "dpdk-$r" private private
	done
	for ((i = 1; i <= $1; i++)); do client_add "$i"; done
	for ((i = 1; i <= $2; i++)); do server_add "$i"; done
	printf '1 hex:%s\n' "$(od -An -tx1 -N32 /dev/urandom | tr -d ' \n')" > "$RUN/ha.key"
	chmod 600 "$RUN/ha.key"
	mkdir -p "$RUN/state-a" "$RUN/state-b"
}

# pair_config ROUTER SERVICE-JSON...
pair_config()
{
	local r=$1 o device role=primary priority=200
	shift
	o=$(other "$r")
	[ "$r" = a ] || { role=backup priority=100; }
	device=net_${PLVS_DRIVER}
	printf '%s\n' "$@" | jq -s --arg name "$r" --arg role "$role" --argjson priority $priority \
		--arg device "$device" --arg public "${PAIR_PUBLIC[$r]}" \
		--arg private "${PAIR_PRIVATE[$r]}" --arg opublic "${PAIR_PUBLIC[$o]}" \
		--arg oprivate "${PAIR_PRIVATE[$o]}" --argjson addresses "$PLVS_ADDRESSES" \
		--arg socket "$RUN/$r.sock" --arg netns "$NET-linux-$r" --arg key "$RUN/ha.key" \
		--arg state "$RUN/state-$r" --argjson ha "$PAIR_HA" --argjson notify "$PAIR_NOTIFY" \
		'{node: {name: $name, state_dir: $state,
		         ports: [{name: "public", device: "\($device)0", tap: "public",
		                  linux: {addresses: ["\($public)/24"]}},
		                 {name: "private", device: "\($device)1", tap: "private",
		                  linux: {addresses: ["\($private)/16"]}}],
		         linux: {netns: $netns}, control: {socket: $socket},
		         workers: {connections: 100000}, notify: $notify,
		         ha: {role: $role, priority: $priority, key_file: $key,
		              paths: [{name: "public", local: $public, peer: $opublic},
		                      {name: "private", local: $private, peer: $oprivate}]}},
		  shared: {addresses: $addresses, services: ., ha: $ha}}' |
		inet_filter > "$RUN/$r.json.new"
	mv "$RUN/$r.json.new" "$RUN/$r.json"
}

# The router that ctl, rpc, counted and drops speak to.
pair_at()
{
	ln -sfn "$RUN/$1.sock" "$RUN/plvs.sock"
	PLVS_PID=${PAIR_PID[$1]:-}
}

# Without waiting.
pair_launch()
{
	local r=$1
	in_front ip netns exec "$NET-dpdk-$r" "${PAIR_BUILD[$r]:-$BUILD}/src/plvs" --no-huge -m 512 --no-pci \
		--no-shconf --file-prefix "$NET-$r" --lcores "$(plvs_lcores "${PAIR_WORKERS[$r]}")" \
		--vdev "net_${PLVS_DRIVER}0,iface=public$(pair_ring)" \
		--vdev "net_${PLVS_DRIVER}1,iface=private$(pair_ring)" -- \
		-c "$RUN/$r.json" >> "$RUN/$r.log" 2>&1 < /dev/null &
	PAIR_PID[$r]=$!
	echo $! > "$RUN/$r.pid"
}

pair_ring()
{
	[ "$PLVS_DRIVER" != af_packet ] ||
		echo ",framecnt=$PLVS_FRAMES,framesz=2048,blocksz=65536"
}

pair_answers()
{
	kill -0 "${PAIR_PID[$1]}" 2> /dev/null || fail "router $1 ended by itself"
	pair_at "$1"
	rpc version
}

# pair_start ROUTER...: and waits until they answer.
pair_start()
{
	local r
	for r in "$@"; do pair_launch "$r"; done
	for r in "$@"; do wait_for 30 "router $r answers" pair_answers "$r"; done
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
	local pid=${PAIR_PID[$1]}
	unset "PAIR_PID[$1]"
	kill -KILL "$pid"
	wait "$pid" 2> /dev/null || true
	rm -f "$RUN/$1.pid"
}

# pair_stop ROUTER [SECONDS]: SIGTERM; status 0.
pair_stop()
{
	local pid=${PAIR_PID[$1]} status=0
	unset "PAIR_PID[$1]"
	kill -TERM "$pid"
	timeout "${2:-50}" tail --pid="$pid" -f /dev/null || fail "router $1 does not end"
	rm -f "$RUN/$1.pid"
	wait "$pid" || status=$?
	[ $status -eq 0 ] || fail "router $1 ended with status $status"
}

# Role changes of a router so far, from its log.
pair_changes()
{
	grep -c ' ha: [a-z]*, was ' "$RUN/$1.log" || true
}

pair_end()
{
	local r pid
	for r in a b; do
		pid=${PAIR_PID[$r]:-$(cat "$RUN/$r.pid" 2> /dev/null)}
		[ -n "$pid" ] || continue
		kill -CONT "$pid" 2> /dev/null
		kill -KILL "$pid" 2> /dev/null
		rm -rf "/var/run/dpdk/$NET-$r"
	done
	for r in a b; do
		[ ! -e "$RUN/$r.log" ] || sed "s/^/$r: /" "$RUN/$r.log" >> "$RUN/plvs.log"
	done
	# shellcheck disable=SC2034 # of lib.sh
	PLVS_PID=
	true
}

pair_on_exit()
{
	local status=$?
	set +e
	pair_end
	(exit $status)
	on_exit
}
trap pair_on_exit EXIT
