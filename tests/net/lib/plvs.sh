# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# plvs itself: its configuration, start, readiness, end, and its doors. Sourced by lib.sh.

PLVS_DRIVER=${PLVS_DRIVER:-af_packet}
# Of an af_packet ring: what arrives while the worker waits for a CPU.
PLVS_FRAMES=${PLVS_FRAMES:-4096}
PLVS_PORTS='[]'
PLVS_VDEVS=()
# plvs's own options beside -c.
PLVS_OPTIONS=()
# The default route of NAT servers.
PLVS_ADDRESSES='[{"address": "10.10.255.254/16", "kind": "gateway", "link": "private"}]'

# plvs_port NAME [LINUX-JSON]: a port on the veth end NAME of namespace "dpdk".
plvs_port()
{
	local n=${#PLVS_VDEVS[@]} device
	device=net_${PLVS_DRIVER}$n
	case $PLVS_DRIVER in
	af_packet) PLVS_VDEVS+=("$device,iface=$1,framecnt=$PLVS_FRAMES,framesz=2048,blocksz=65536") ;;
	af_xdp) PLVS_VDEVS+=("$device,iface=$1") ;;
	*) fail "no such driver: $PLVS_DRIVER" ;;
	esac
	PLVS_PORTS=$(jq -c --arg name "$1" --arg device "$device" --argjson linux "${2:-{\}}" \
		'. + [{name: $name, device: $device, tap: $name, linux: $linux}]' <<< "$PLVS_PORTS")
}

# service NAME PROTOCOL VIP:PORT METHOD SCHEDULER SERVER:PORT[/WEIGHT]...: a virtual
# service as JSON.
service()
{
	local name=$1 protocol=$2 vip=$3 method=$4 scheduler=$5
	shift 5
	jq -nc --arg name "$name" --arg protocol "$protocol" --arg vip "$vip" \
		--arg method "$method" --arg scheduler "$scheduler" \
		'{name: $name, protocol: $protocol, listen: [$vip], scheduler: $scheduler,
		  forward: $method, servers: [$ARGS.positional[] | split("/") |
			{address: .[0], weight: ((.[1] // "1") | tonumber)}]}' --args "$@"
}

# plvs_config SERVICE-JSON...: writes the configuration. The file is replaced at once, as
# an editor would.
plvs_config()
{
	printf '%s\n' "$@" | jq -s --argjson ports "$PLVS_PORTS" \
		--argjson addresses "$PLVS_ADDRESSES" --arg socket "$RUN/plvs.sock" \
		--arg netns "$NET-linux" --arg state "$RUN/kept" \
		'{node: {name: "lb1", ports: $ports, linux: {netns: $netns}, state_dir: $state,
		         control: {socket: $socket}, workers: {connections: 100000},
		         ledger: {enabled: false}},
		  shared: {addresses: $addresses, services: .}}' |
		inet_filter > "$RUN/plvs.json.new"
	mv "$RUN/plvs.json.new" "$RUN/plvs.json"
}

# plvs_lcores WORKERS: which thread is on which CPU. Workers share the CPUs when they are more.
plvs_lcores()
{
	local i lcores=0@$((CPU % CPUS))
	for ((i = 1; i <= $1; i++)); do lcores+=,$i@$(((CPU + i) % CPUS)); done
	echo "$lcores"
}

# plvs_eal WORKERS: the EAL arguments, one a line.
plvs_eal()
{
	local vdev
	printf '%s\n' --no-huge -m 512 --no-pci --no-shconf --file-prefix "$NET" \
		--lcores "$(plvs_lcores "$1")"
	for vdev in "${PLVS_VDEVS[@]}"; do printf '%s\n' --vdev "$vdev"; done
}

ctl()
{
	"$BUILD/src/cli/plvsctl" --socket "$RUN/plvs.sock" "$@"
}

# rpc METHOD [PARAMS-JSON]: the result, straight from the control socket.
rpc()
{
	printf '{"jsonrpc":"2.0","id":1,"method":"%s","params":%s}\n' "$1" "${2:-{\}}" | inet_filter |
		timeout 20 socat -t 15 - "UNIX-CONNECT:$RUN/plvs.sock" |
		jq -ce 'select(.id == 1) | .result'
}

# counted JQ-PATH: a number out of counter.list.
counted()
{
	rpc counter.list | jq "$1"
}

# drops REASON: how many packets were dropped for it.
drops()
{
	counted "[.drops[] | select(.name == \"$1\") | .count] | add // 0"
}

plvs_answers()
{
	kill -0 "$PLVS_PID" 2> /dev/null || fail "plvs ended by itself"
	rpc version
}

# A router has its cores for itself. Here it shares them with builds and other tests: it gets
# a session of its own that the scheduler puts before theirs. For background use only.
in_front()
{
	exec setsid bash -c 'if [ -w /proc/self/autogroup ]; then echo -15 > /proc/self/autogroup; fi; exec "$@"' in_front "$@"
}

# plvs_start [WORKERS]
plvs_start()
{
	local -a eal
	# Files of a router before this one; tests that want them name a directory of their own.
	rm -rf "$RUN/kept"
	mapfile -t eal < <(plvs_eal "${1:-1}")
	in_front ip netns exec "$NET-dpdk" "$BUILD/src/plvs" "${eal[@]}" -- \
		-c "$RUN/plvs.json" "${PLVS_OPTIONS[@]}" >> "$RUN/plvs.log" 2>&1 < /dev/null &
	PLVS_PID=$!
	echo $PLVS_PID > "$RUN/plvs.pid"
	wait_for 30 "plvs answers on its control socket" plvs_answers
}

# SIGTERM; it must end in order and with status 0.
plvs_stop()
{
	local status=0 pid=$PLVS_PID
	kill -TERM "$pid"
	timeout 15 tail --pid="$pid" -f /dev/null || fail "plvs still runs 15 s after SIGTERM"
	PLVS_PID=
	rm -f "$RUN/plvs.pid"
	wait "$pid" || status=$?
	[ $status -eq 0 ] || fail "plvs ended with status $status"
}

# kill -9: no chance to tidy up.
plvs_kill()
{
	local pid=$PLVS_PID
	PLVS_PID=
	rm -f "$RUN/plvs.pid"
	kill -KILL "$pid"
	wait "$pid" 2> /dev/null || true
}

# Every packet that came in by some door left by some door, over all workers; and what was
# handed over arrived. Both hold once no packet is on its way.
doors_balanced()
{
	rpc status > "$RUN/status.json" || return 1
	jq -e '.doors as $d |
		($d.received + $d.ring_in + $d.injected + $d.generated) ==
		($d.sent + $d.handed_off + $d.punted + $d.answered + $d.dropped + $d.parked)
		and $d.handed_off == $d.ring_in' "$RUN/status.json"
}

# Connections that servers count, removed ones included, are those in the tables. One connection of control
# carries all requests, so that on a busy machine too nothing changes the table meanwhile: the first and the last
# request tell its size.
counts_balanced()
{
	local keys before counted after
	keys=$(rpc service.list | jq -c '[.services[].key]') || return 1
	jq -nc --argjson keys "$keys" '["status"] + $keys + ["status"] | to_entries[] |
		{jsonrpc: "2.0", id: .key} +
		if .value == "status" then {method: "status"} else {method: "service.get", params: {service: .value}} end' |
		timeout 20 socat -t 15 - "UNIX-CONNECT:$RUN/plvs.sock" > "$RUN/answers-of-control" || return 1
	read -r before counted after < <(jq -rs 'map(select(.id != null)) | sort_by(.id) | map(.result) |
		[.[0].connections.live, .[-1].connections.live] as [$before, $after] |
		"\($before) \([.[1:-1][].service | (.servers[] | .active + .inactive),
			(.removed_servers[]?.connections)] | add // 0) \($after)"' "$RUN/answers-of-control")
	echo "servers count $counted, tables hold $before" | tee "$RUN/counts"
	[ "$before" -eq "$after" ] && [ "$counted" -eq "$before" ]
}

doors_add_up()
{
	wait_for 10 "the doors add up: $(rpc status | jq -c .doors)" doors_balanced
	if [ "$(rpc status | jq .services)" -le 50 ]; then
		wait_for 20 "servers count what the tables hold" counts_balanced
		note "connections: $(cat "$RUN/counts")"
	fi
	note "doors: $(jq -r '.doors | to_entries | map("\(.key) \(.value)") | join(", ")' \
		"$RUN/status.json")"
	note "drops: $(rpc counter.list | jq -r '[.drops[] | select(.count > 0) |
		"\(.name) \(.count)"] | join(", ")')"
}
