#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# set: full
# limit: 7200
# As the-package-lives-under-systemd, on Debian's kernel in QEMU.
set -euo pipefail
cd "$(dirname "$0")/../.."
export PATH=$PATH:/usr/sbin:/sbin
[ "$(uname -m)" = x86_64 ] || { echo "skipped: the machine of QEMU is an x86_64"; exit 0; }
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
chmod 755 "$out"
tests/builds/machine/packages "$out"
echo 180 > "$out/limit"
status=0
MACHINE_LIMIT=${MACHINE_LIMIT:-5400} tests/pci/machine/boot systemd "$out" tests/builds/machine/life || status=$?
cat "$out/log"
exit $status
