#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 120
set -euo pipefail
cd "$(dirname "$0")"

# What plvs does not have yet: marks, persistence, one-packet scheduling.
not_yet=" dh fwmark_nat lblc lblcr persist_24 persist_32 udp_ops "
files=()
for f in recorded/*.json; do
	name=$(basename "$f" .json)
	[[ $not_yet == *" $name "* ]] || files+=("$f")
done
./replay "${files[@]}"

# It fails where it should: an empty directory, and a scenario it cannot run.
empty=$(mktemp -d)
trap 'rmdir "$empty"' EXIT
status=0
./replay "$empty" > /dev/null 2>&1 || status=$?
[ $status -eq 2 ] || { echo "an empty directory: status $status, should be 2"; exit 1; }
