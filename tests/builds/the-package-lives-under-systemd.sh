#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# set: full
# limit: 3000
# The package of this commit on a machine with systemd: installed over that of the last version with
# traffic, restarted, reloaded, with telnet by its unit, killed, upgraded in the middle of a takeover of
# a pair, removed, purged. The machine is a namespace of this one; the-package-lives-in-qemu boots a
# kernel of its own.
set -euo pipefail
cd "$(dirname "$0")/../.."
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
tests/builds/machine/packages "$out"
status=0
MACHINE_LIMIT=${MACHINE_LIMIT:-900} tests/builds/machine/boot "$out" tests/builds/machine/life || status=$?
cat "$out/log"
exit $status
