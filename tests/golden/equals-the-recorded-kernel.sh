#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 300
# Every recording that can run equals the kernel, decision by decision and in its listings;
# those that cannot run yet are the ones named in not-yet, no more and no fewer.
set -eu
cd "$(dirname "$0")/../.."

out=$(mktemp)
trap 'rm -f "$out"' EXIT
rc=0
tests/golden/replay tests/golden/recorded > "$out" || rc=$?
cat "$out"
not_yet=$(sed -n 's/^\([^ ]*\) *cannot run: .*/\1/p' "$out" | sort)
known=$(grep -v '^#' tests/golden/not-yet | sort || true)
if [ "$not_yet" != "$known" ]; then
	echo "cannot run: $(echo "$not_yet" | xargs); tests/golden/not-yet names: $(echo "$known" | xargs)"
	exit 1
fi
want=0
[ -z "$known" ] || want=2
echo "exit $rc, wanted $want"
[ "$rc" -eq "$want" ]

# An empty directory is nothing to be proud of.
empty=$(mktemp -d)
rc=0
tests/golden/replay "$empty" > /dev/null 2>&1 || rc=$?
rmdir "$empty"
echo "empty directory: exit $rc, wanted 2"
[ "$rc" -eq 2 ]
