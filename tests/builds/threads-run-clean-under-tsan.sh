#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Unit programs with several threads in a build with ThreadSanitizer: the threads of control, of announced routes,
# of the server of JSON-RPC and of schedulers. gcc warns of fences, which it does not model: -Wno-tsan.
# limit: 2400
# set: full
set -euo pipefail
cd "$(dirname "$0")/../.."
dir=build-tsan
tests=(test_vip_routes test_bgp_look test_fleet_vips test_fleet_wire test_control_pending test_rpc_server test_wake
	test_sched test_sched_hash test_history)
[ -e $dir/build.ninja ] || meson setup $dir -Db_sanitize=thread -Db_lundef=false -Dc_args=-Wno-tsan
ninja -C $dir "${tests[@]/#/tests/unit/}"
export PLVS_SOURCE=$PWD
export TSAN_OPTIONS=halt_on_error=1:exitcode=66:atexit_sleep_ms=0
failed=0
for t in "${tests[@]}"; do
	# Its addresses do not go with all of those that Linux may choose at random.
	if timeout 300 setarch -R $dir/tests/unit/"$t" > $dir/"$t".log 2>&1; then
		echo "$t: clean"
	else
		echo "=== $t"
		tail -60 $dir/"$t".log
		failed=$((failed + 1))
	fi
done
exit $((failed > 0))
