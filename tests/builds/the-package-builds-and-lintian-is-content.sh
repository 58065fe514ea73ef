#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# set: full
# limit: 1800
# The Debian package of this commit: built, its unit tests passed, lintian without errors and
# warnings, its programs start, its unit and manual pages are readable.
set -euo pipefail
cd "$(dirname "$0")/../.."
tools/package
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
dpkg-deb -x build-package/plvs_*_*.deb "$root"
"$root/usr/sbin/plvs" --version
"$root/usr/bin/plvsctl" --version
for page in man8/plvs.8 man8/plvsctl.8 man5/plvs.json.5; do
	zcat "$root/usr/share/man/$page.gz" | grep -A1 '^\.SH' | grep -qx '\(\.SH \)\?NAME' ||
		{ echo "$page has no NAME"; exit 1; }
done
if command -v systemd-analyze > /dev/null; then
	sed "s#/usr/sbin/plvs#$root/usr/sbin/plvs#; s#/usr/bin/plvsctl#$root/usr/bin/plvsctl#" \
		"$root/lib/systemd/system/plvs.service" > "$root/plvs.service"
	systemd-analyze verify --man=no "$root/plvs.service"
fi
