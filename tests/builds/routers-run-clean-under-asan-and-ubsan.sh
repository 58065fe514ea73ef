#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 2400
# set: full
set -euo pipefail
cd "$(dirname "$0")/../.."
dir=build-asan
[ -e $dir/build.ninja ] || meson setup $dir -Db_sanitize=address,undefined -Db_lundef=false
ninja -C $dir
export PLVS_BUILD=$PWD/$dir
# EAL keeps some of its memory for the life of the process.
export ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
failed=0
for t in nat-spreads-web-requests-by-weight dr-servers-answer-clients-directly \
	four-workers-share-ports-of-one-queue malformed-frames-are-dropped-and-counted \
	a-removed-server-gets-nothing-more bad-control-clients-disturb-nobody \
	ftp-crosses-by-nat-active-and-passive ftp-commands-cross-as-recorded \
	fragments-cross-by-nat-and-dr tunnels-reach-servers-and-tell-path-mtu \
	every-kind-of-check-sees-real-servers checks-take-servers-out-and-back-while-clients-run \
	a-backup-takes-over-with-what-its-checks-found \
	a-takeover-keeps-every-established-connection a-configuration-is-pushed-to-the-peer \
	forged-and-replayed-heartbeats-change-nothing sigterm-leaves-nothing-behind; do
	echo "=== $t"
	timeout -k 30 200 "tests/net/$t.sh" < /dev/null || failed=$((failed + 1))
done
exit $((failed > 0))
