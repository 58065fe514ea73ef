# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# plvs itself: its configuration, start, readiness, end, and its doors. Sourced by lib.sh.

PLVS_DRIVER=${PLVS_DRIVER:-af_packet}
PLVS_PORTS='[]'
PLVS_VDEVS=()

# plvs_port NAME [LINUX-JSON]: a port on the veth end NAME of namespace "dpdk".
plvs_port()
{
	local n=${#PLVS_VDEVS[@]} device
	device=net_${PLVS_DRIVER}$n
	case $PLVS_DRIVER in
	af_packet) PLVS_VDEVS+=("$device,iface=$1,framecnt=4096,framesz=2048,blocksz=65536") ;;
	af_xdp) PLVS_VDEVS+=("$device,iface=$1") ;;
	*) fail "no such driver: $PLVS_DRIVER" ;;
	esac
	PLVS_PORTS=$(jq -c --arg name "$1" --arg device "$device" --argjson linux "${2:-{\}}" \
		'. + [{name: $name, device: $device, tap: $name, linux: $linux}]' <<< "$PLVS_PORTS")
}

# plvs_config < SHARED-JSON: writes the configuration, of which the caller gives the part
# that a pair of routers shares. The file is replaced at once, as an editor would.
plvs_config()
{
	jq --argjson ports "$PLVS_PORTS" --arg socket "$RUN/plvs.sock" --arg netns "$NET-linux" \
		'{node: {name: "lb1", ports: $ports, linux: {netns: $netns},
		         control: {socket: $socket}, workers: {connections: 100000}},
		  shared: .}' > "$RUN/plvs.json.new"
	mv "$RUN/plvs.json.new" "$RUN/plvs.json"
}

# plvs_eal WORKERS: the EAL arguments, one a line. Workers share the CPUs when they are more.
plvs_eal()
{
	local i vdev lcores=0@0
	for ((i = 1; i <= $1; i++)); do lcores+=,$i@$((i % CPUS)); done
	printf '%s\n' --no-huge -m 512 --no-pci --no-shconf --file-prefix "$NET" \
		--lcores "$lcores"
	for vdev in "${PLVS_VDEVS[@]}"; do printf '%s\n' --vdev "$vdev"; done
}

ctl()
{
	"$BUILD/src/cli/plvsctl" --socket "$RUN/plvs.sock" "$@"
}

plvs_answers()
{
	kill -0 "$PLVS_PID" 2> /dev/null || fail "plvs ended by itself"
	ctl version
}

# plvs_start [WORKERS]
plvs_start()
{
	local -a eal
	mapfile -t eal < <(plvs_eal "${1:-1}")
	ip netns exec "$NET-dpdk" "$BUILD/src/plvs" "${eal[@]}" -- -c "$RUN/plvs.json" \
		>> "$RUN/plvs.log" 2>&1 < /dev/null &
	PLVS_PID=$!
	wait_for 30 "plvs answers on its control socket" plvs_answers
}

# SIGTERM; it must end in order and with status 0.
plvs_stop()
{
	local status=0 pid=$PLVS_PID
	kill -TERM "$pid"
	timeout 15 tail --pid="$pid" -f /dev/null || fail "plvs still runs 15 s after SIGTERM"
	PLVS_PID=
	wait "$pid" || status=$?
	[ $status -eq 0 ] || fail "plvs ended with status $status"
}

# kill -9: no chance to tidy up.
plvs_kill()
{
	local pid=$PLVS_PID
	PLVS_PID=
	kill -KILL "$pid"
	wait "$pid" 2> /dev/null || true
}

# Every packet that came in by some door left by some door, over all workers; and what was
# handed over arrived. Both hold once no packet is on its way.
doors_balanced()
{
	ctl --json status > "$RUN/status.json" || return 1
	jq -e '.doors as $d |
		($d.received + $d.ring_in + $d.injected + $d.generated) ==
		($d.sent + $d.handed_off + $d.punted + $d.answered + $d.dropped + $d.parked)
		and $d.handed_off == $d.ring_in' "$RUN/status.json"
}

doors_add_up()
{
	wait_for 10 "the doors add up: $(ctl --json status | jq -c .doors)" doors_balanced
	note "doors: $(jq -r '.doors | to_entries | map("\(.key) \(.value)") | join(", ")' \
		"$RUN/status.json")"
}

# drops REASON: how many packets were dropped for it.
drops()
{
	ctl --json counter list drops | jq --arg r "$1" '.drops[$r] // 0'
}
