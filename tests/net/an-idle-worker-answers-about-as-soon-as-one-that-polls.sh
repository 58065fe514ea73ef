#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Requests at a low rate, a sleep before each, against the same with workers.idle "poll".
# tools/bench/run --peers measures the same beside other programs (docs/performance.md).
# limit: 100
# set: full
# alone: yes, times are measured
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib/idle.sh"

idle_network
idle_config sleep
plvs_start 1

# Sleep, poll, sleep: the machine is not quiet, and an answer of a worker that sleeps needs a CPU that
# is free at that moment. So the aim is 150 %; sleeping by the clock took 800 %, and 400 % fails.
sleeping=$(p50)
plvs_stop
for try in 1 2 3; do
	idle_config poll
	plvs_start 1
	polling=$(p50)
	plvs_stop
	idle_config sleep
	plvs_start 1
	again=$(p50)
	note "p50 in us: asleep $sleeping, polling $polling, asleep $again"
	ratio=$(jq -n "[$sleeping, $again] | min / $polling * 100 | round")
	if [ "$ratio" -le 150 ] || { [ "$try" -eq 3 ] && [ "$ratio" -le 400 ]; }; then break; fi
	[ "$try" -lt 3 ] || fail "asleep, an answer takes $ratio % of what it takes polling"
	sleeping=$again
	plvs_stop
done
note "asleep, an answer takes $ratio % of what it takes polling"
doors_add_up
plvs_stop

# workers.cpus_awake: a request to the kernel that lasts as long as its file is open.
held()
{
	find "/proc/$PLVS_PID/fd" -lname /dev/cpu_dma_latency | wc -l
}
# cpus_awake_is HOW FILES: a worker that polls with workers.cpus_awake HOW holds so many.
cpus_awake_is()
{
	idle_config poll
	jq --arg awake "$1" '.node.workers.cpus_awake = $awake' "$RUN/plvs.json" > "$RUN/plvs.json.new"
	mv "$RUN/plvs.json.new" "$RUN/plvs.json"
	plvs_start 1
	[ ! -w /dev/cpu_dma_latency ] || is "files that keep the CPUs awake" "$(held)" -eq "$2"
	note "cpus_awake $1: p50 of a worker that polls $(p50) us"
	plvs_stop
}
cpus_awake_is never 0
cpus_awake_is auto 1
