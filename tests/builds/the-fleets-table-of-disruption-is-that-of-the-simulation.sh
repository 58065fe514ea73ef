#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# docs/fleet.md has the table that the simulation of 100 routers and 10,000 servers prints, figure by figure.
# limit: 900
# set: full
set -euo pipefail
cd "$(dirname "$0")/../.."
build=${PLVS_BUILD:-build}
printed=$("$build/tests/fleet-sim/fleet-sim" | grep '^|')
documented=$(sed -n '/^| event | ECMP |/,/^$/p' docs/fleet.md | grep '^|')
diff <(echo "$documented") <(echo "$printed") || {
	echo "docs/fleet.md has another table than the simulation" >&2
	exit 1
}
rows=$(($(wc -l <<< "$printed") - 2))
echo "$rows events"
[ $rows -eq 27 ]
