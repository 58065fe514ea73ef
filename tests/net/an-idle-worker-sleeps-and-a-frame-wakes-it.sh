#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A worker without traffic takes less than 2 % of a CPU, and frames end its sleep, not the clock. The
# full set measures how soon (an-idle-worker-answers-about-as-soon-as-one-that-polls).
# limit: 100
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib/idle.sh"

# The nanoseconds that the worker's thread had a CPU.
worker_ns()
{
	local task
	for task in /proc/"$PLVS_PID"/task/*; do
		case $(cat "$task/comm") in *worker-1) cut -d' ' -f1 "$task/schedstat" ;; esac
	done
}

idle_network
idle_config sleep
plvs_start 1
is "what wakes a worker" "$(rpc port.list | jq -r '[.ports[].rx_wake] | unique | join(" ")')" = descriptor

# Nothing but what networks say by themselves. 32 sleeps end by a tick; a worker that sleeps by the
# clock makes 1000 a second.
idle()
{
	local ns sleeps
	ns=$(worker_ns) sleeps=$(counted '[.workers[].counters.sleeps] | add')
	pause 2
	ns=$((($(worker_ns) - ns) / 20000000)) sleeps=$(($(counted '[.workers[].counters.sleeps] | add') - sleeps))
	echo "$ns % of a CPU, $sleeps sleeps in 2 s" > "$RUN/idle"
	[ "$ns" -lt 2 ] && [ "$sleeps" -lt 300 ]
}
wait_for 20 "an idle worker sleeps" idle
note "idle: $(cat "$RUN/idle")"

# 1,000 requests in 2 s, each after a sleep. Frames end one sleep or two for each request, a request's and
# its answer's. A worker that sleeps by the clock after traffic makes over 6,000 sleeps in that time, and
# one that no frame wakes answers at its next tick, 31 ms later on the average.
sleeps=$(counted '[.workers[].counters.sleeps] | add')
took=$(p50)
sleeps=$(($(counted '[.workers[].counters.sleeps] | add') - sleeps))
is "sleeps beside 1,000 requests" $sleeps -ge 500
[ $sleeps -lt 4000 ] || fail "4,000 sleeps or more"
is "p50 in us, where a tick takes 62,500" "$took" -lt 10000
doors_add_up
