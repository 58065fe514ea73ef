# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Several routers in one test, each with the ports "public" and "private" on switches of these names.
# Sourced by pair.sh and fleet.sh.
#
# Of router NAME: namespaces "linux-NAME" and "dpdk-NAME", $RUN/NAME.json, NAME.sock, NAME.log, NAME.pid,
# ROUTER_PID[NAME]. ctl, rpc, counted, drops and doors_add_up speak to the router that router_at chose.

declare -A ROUTER_PID=() ROUTER_WORKERS=()
# The build folder of a router that runs another version.
declare -A ROUTER_BUILD=()
# The driver of a router whose ports are not those of the others (PLVS_DRIVER).
declare -A ROUTER_DRIVER=()

router_driver()
{
	echo "${ROUTER_DRIVER[$1]:-$PLVS_DRIVER}"
}

# router_legs NAME
router_legs()
{
	ns_add "linux-$1"
	ns_add "dpdk-$1"
	leg_add "dpdk-$1" public public
	leg_add "dpdk-$1" private private
}

# router_key FILE: a new key of this test's routers.
router_key()
{
	printf '1 hex:%s\n' "$(od -An -tx1 -N32 /dev/urandom | tr -d ' \n')" > "$1"
	chmod 600 "$1"
}

# router_config NAME PUBLIC PRIVATE FILTER [ARGUMENT-OF-JQ...]: the configuration of a router with these
# addresses on its ports. FILTER adds to it; $services are the objects of stdin.
router_config()
{
	local name=$1 public=$2 private=$3 filter=$4
	shift 4
	jq -s --arg name "$name" --arg device "net_$(router_driver "$name")" --arg public "$public" \
		--arg private "$private" --arg socket "$RUN/$name.sock" --arg netns "$NET-linux-$name" \
		--arg state "$RUN/state-$name" "$@" \
		'. as $services | {node: {name: $name, state_dir: $state,
		         ports: [{name: "public", device: "\($device)0", tap: "public",
		                  linux: {addresses: ["\($public)/24"]}},
		                 {name: "private", device: "\($device)1", tap: "private",
		                  linux: {addresses: ["\($private)/16"]}}],
		         linux: {netns: $netns}, control: {socket: $socket},
		         workers: {connections: 100000}}} | '"$filter" |
		inet_filter > "$RUN/$name.json.new"
	mv "$RUN/$name.json.new" "$RUN/$name.json"
}

router_at()
{
	ln -sfn "$RUN/$1.sock" "$RUN/plvs.sock"
	PLVS_PID=${ROUTER_PID[$1]:-}
}

# The arguments of a device by the driver.
router_ring()
{
	[ "$1" != af_packet ] ||
		echo ",framecnt=$PLVS_FRAMES,framesz=2048,blocksz=65536"
}

# Without waiting.
router_launch()
{
	local name=$1 driver
	driver=$(router_driver "$name")
	in_front ip netns exec "$NET-dpdk-$name" "${ROUTER_BUILD[$name]:-$BUILD}/src/plvs" --no-huge -m 512 \
		--no-pci --no-shconf --file-prefix "$NET-$name" \
		--lcores "$(plvs_lcores "${ROUTER_WORKERS[$name]:-1}")" \
		--vdev "net_${driver}0,iface=public$(router_ring "$driver")" \
		--vdev "net_${driver}1,iface=private$(router_ring "$driver")" -- \
		-c "$RUN/$name.json" >> "$RUN/$name.log" 2>&1 < /dev/null &
	ROUTER_PID[$name]=$!
	echo $! > "$RUN/$name.pid"
}

router_answers()
{
	kill -0 "${ROUTER_PID[$1]}" 2> /dev/null || fail "router $1 ended by itself"
	router_at "$1"
	rpc version
}

# routers_start NAME...: and waits until they answer.
routers_start()
{
	local name
	for name; do router_launch "$name"; done
	for name; do wait_for 40 "router $name answers" router_answers "$name"; done
}

router_kill()
{
	local pid=${ROUTER_PID[$1]}
	unset "ROUTER_PID[$1]"
	kill -KILL "$pid"
	wait "$pid" 2> /dev/null || true
	rm -f "$RUN/$1.pid"
}

# router_stop NAME [SECONDS]: SIGTERM; status 0.
router_stop()
{
	local pid=${ROUTER_PID[$1]} status=0
	unset "ROUTER_PID[$1]"
	kill -TERM "$pid"
	timeout "${2:-50}" tail --pid="$pid" -f /dev/null || fail "router $1 does not end"
	rm -f "$RUN/$1.pid"
	wait "$pid" || status=$?
	[ $status -eq 0 ] || fail "router $1 ended with status $status"
}

# routers_end NAME...: whatever state they are in. Their logs become $RUN/plvs.log.
routers_end()
{
	local name pid
	for name; do
		pid=${ROUTER_PID[$name]:-$(cat "$RUN/$name.pid" 2> /dev/null)}
		if [ -n "$pid" ]; then
			kill -CONT "$pid" 2> /dev/null
			kill -KILL "$pid" 2> /dev/null
		fi
		rm -rf "/var/run/dpdk/$NET-$name"
		[ ! -e "$RUN/$name.log" ] || sed "s/^/$name: /" "$RUN/$name.log" >> "$RUN/plvs.log"
	done
	# shellcheck disable=SC2034 # of lib.sh
	PLVS_PID=
	true
}
