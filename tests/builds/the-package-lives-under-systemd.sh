#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# set: full
# limit: 1800
# The package of this commit on a machine with systemd: installed, started, reloaded, upgraded,
# restarted with a connection that goes on, killed, removed, purged.
set -euo pipefail
cd "$(dirname "$0")/../.."
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
tools/package --no-check
cp build-package/plvs_*.deb "$out/plvs.deb"
status=0
tests/builds/machine/boot "$out" tests/builds/machine/life || status=$?
cat "$out/log"
exit $status
