#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 1800
# set: full
#
# The table of docs/contributing.md: a copy of the tree gets a dummy of each kind, in no more files
# than the row says, and shows the dummies wherever such things are shown.
set -euo pipefail
cd "$(dirname "$0")/../.."
dir=$(mktemp -d "${TMPDIR:-/tmp}/plvs-dummies.XXXXXX")
trap 'rm -rf "$dir"' EXIT
git ls-files -z | tar --null -T - --ignore-failed-read -cf - | tar -xf - -C "$dir"
python3 tests/lib/dummies.py "$dir"
cd "$dir"
# Quick to compile; another level of optimisation warns of other things.
meson setup build -Dtests=disabled -Doptimization=0 -Dwerror=false > /dev/null
ninja -C build src/plvs src/cli/plvsctl tools/gen-config-docs tools/gen-control-docs > build/log ||
	{ tail -40 build/log; exit 1; }
build/tools/gen-control-docs docs
build/tools/gen-config-docs > config.md
build/src/cli/plvsctl --manual > plvsctl.md

failed=0
shows()
{
	if grep -qF -- "$2" "$1"; then
		echo "  $1: $2"
	else
		echo "FAILED: $1 does not show: $2"
		failed=1
	fi
}

# shellcheck disable=SC2016 # markdown
{
	shows config.md '| `scheduler` | `dummy`, '
	shows plvsctl.md 'how real servers are chosen; dummy, '
	shows config.md '| `dummy` | number, 0 to 100 | `0` | a dummy |'
	shows config.md '`udp`, `dummy`, `dns`'
	shows config.md '| `dummy` | number, 0 to 100 | `0` | of `dummy` |'
	shows docs/metrics.md '| `plvs_worker_dummies` | counter |  | dummies of a worker |'
	shows docs/metrics.md '| `plvs_service_dummies` | counter |  | dummies |'
	shows docs/metrics.md '| `plvs_server_dummies` | counter |  | dummies |'
	shows config.md '| `dummy_health` | number, 0 to 100 | `0` | a dummy of health |'
	shows docs/metrics.md '| `plvs_port_dummies` | counter |  | dummies of a port |'
	shows docs/metrics.md '| `plvs_health_dummies` | counter |  | dummies of checks |'
	shows docs/metrics.md '| `plvs_health_dummy_fact` | gauge |  | a dummy fact |'
	shows docs/metrics.md '| `plvs_port_dummies_of_linux` | counter |  | dummies of Linux |'
	shows docs/metrics.md '| `plvs_ha_path_dummies` | counter |  | dummies of a path |'
	shows docs/metrics.md '| `plvs_ha_dummies` | counter |  | dummies of the pair |'
	shows docs/control-protocol.md '| `counters.dummies` | number |  | dummies of a worker |'
	shows docs/control-protocol.md '### `dummy.echo` (read)'
	shows plvsctl.md 'plvsctl dummy WORD'
	shows config.md '`nat`, `dr`, `tunnel`, `dummy`, `local`'
	shows plvsctl.md 'forward nat|dr|tunnel|dummy|local'
	shows plvsctl.md 'bad_echo, dummy, stale_handoff'
	strings build/src/plvs > router.txt
	shows router.txt 'a dummy class'
}
exit $failed
