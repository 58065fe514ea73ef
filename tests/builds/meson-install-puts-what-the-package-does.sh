#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# set: full
# limit: 600
# `meson install` of a build with its default options: every file of the package's list, with the
# paths of its prefix; and `ninja uninstall` leaves none of them.
set -euo pipefail
cd "$(dirname "$0")/../.."
build=${PLVS_BUILD:-$PWD/build}
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
ninja -C "$build" > /dev/null
DESTDIR=$root meson install -C "$build" --no-rebuild > "$root/log"
at=$root/usr/local
wanted=(sbin/plvs sbin/plvs-host sbin/plvs-telnetd bin/plvsctl lib/plvs/ipvsadm lib/plvs/ipvsadm-save
	lib/plvs/ipvsadm-restore lib/systemd/system/plvs.service lib/systemd/system/plvs@.service
	lib/systemd/system/plvs-telnetd.service lib/sysusers.d/plvs.conf lib/tmpfiles.d/plvs.conf
	share/bash-completion/completions/plvsctl share/doc/plvs/examples/guides/dr.json share/doc/plvs/host.md)
if command -v lowdown > /dev/null; then
	wanted+=(share/man/man8/plvs.8 share/man/man8/plvsctl.8 share/man/man8/plvs-host.8
		share/man/man8/plvs-telnetd.8 share/man/man5/plvs.json.5)
fi
failed=0
for f in "${wanted[@]}"; do
	[ -e "$at/$f" ] || [ -L "$at/$f" ] || { echo "meson install lacks $f"; failed=1; }
done
"$at/sbin/plvs" --version
grep -q '^ExecStart=/usr/local/sbin/plvs ' "$at/lib/systemd/system/plvs.service" ||
	{ echo "the unit starts: $(grep ExecStart= "$at/lib/systemd/system/plvs.service")"; failed=1; }
! grep -rn '/usr/s\?bin/' "$at/lib/systemd/system" || { echo "paths of Debian in units"; failed=1; }
"$at/share/plvs/host" show > /dev/null || { echo "plvs-host does not run"; failed=1; }
DESTDIR=$root ninja -C "$build" uninstall > "$root/log"
left=$(find "$root" ! -type d ! -name log)
[ -z "$left" ] || { echo "left by uninstall: $left"; failed=1; }
[ $failed -eq 0 ] && echo "${#wanted[@]} files looked at"
