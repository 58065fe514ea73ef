#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 480
# Every recording of tests/golden/recorded, frame by frame, through a running plvs; and a
# recording that says something else is told apart.
set -eu
cd "$(dirname "$0")/../.."
recorded=tests/golden/recorded
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# replay WANTED-EXIT ARGUMENT...: prints and keeps what it says.
replay()
{
	local want=$1 rc=0
	shift
	tests/golden/replay --live "$@" > "$work/out" 2>&1 || rc=$?
	cat "$work/out"
	[ "$rc" -eq "$want" ] || { echo "FAILED: exit $rc, wanted $want"; exit 1; }
}

replay 0 $recorded

# Another server, another answer, another count of packets.
jq '.expected.decisions[17].server = "10.10.0.9:8080"' $recorded/wrr_nat.json > "$work/server.json"
jq '(.expected.decisions[] | select(.reply)).reply = "rst"' $recorded/rr_cycle.json > "$work/reply.json"
jq '.expected.final.stats[0] |= sub(" [0-9]+$"; " 1")' $recorded/wlc_dr.json > "$work/stats.json"
replay 1 "$work"
grep -q '^3 run, 3 differ' "$work/out"

# A recording that takes too long is skipped, and counted.
replay 2 --longest-sleep 1 $recorded/threshold_xy.json
grep -q 'SKIPPED the last [0-9]* events: a sleep of 11 s is longer than 1 s' "$work/out"
grep -q '1 run, 0 differ, 0 cannot run yet, [1-9][0-9]* events skipped' "$work/out"
