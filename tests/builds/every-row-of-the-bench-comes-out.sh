#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The bench runs from its first row to its last. What a row costs is judged by a person on a quiet
# machine: rows above their limits (exit status 1, with all rows written) pass here.
# limit: 900
# set: full
set -euo pipefail
cd "$(dirname "$0")/../.."
build=${PLVS_BUILD:-build}
rows=$(mktemp)
trap 'rm -f "$rows"' EXIT
rc=0
"$build/tools/bench/plvs-bench" --quick --blocks 4 --json "$rows" || rc=$?
[ "$rc" -le 1 ] || {
	echo "the bench ended with $rc" >&2
	exit 1
}
# The rows are written at the end alone.
python3 - "$rows" <<'END'
import json, sys
try:
    rows = json.load(open(sys.argv[1]))
except ValueError:
    sys.exit("the bench ended before its last row")
kinds = {row["name"].split("/")[0] for row in rows}
print(len(rows), "rows of", len(kinds), "kinds:", *sorted(kinds))
last = {"handoff-threads", "threads", "checks", "loop-ring", "new-connections", "wake"}
missing = last - kinds
sys.exit("no row of " + " ".join(sorted(missing)) if missing else 0)
END
