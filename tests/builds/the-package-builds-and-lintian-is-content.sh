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
"$root/usr/sbin/plvs-host" show
for package in librte-eal23 librte-net-af-xdp23 libssl3 libseccomp2; do
	grep -qx "PackageName: $package" build-package/plvs.spdx || { echo "plvs.spdx lacks $package"; exit 1; }
done
for f in lib/systemd/system/plvs.service lib/systemd/system/plvs@.service lib/systemd/system/plvs-telnetd.service \
	usr/lib/plvs/sieve.bpf.o usr/sbin/plvs-telnetd; do
	[ -e "$root/$f" ] || { echo "the package lacks $f"; exit 1; }
done
for f in "$root"/usr/share/doc/plvs/examples/*.json*; do
	# A pair's files name keys of other hosts, and a dashboard is no configuration.
	case $f in *pair-* | *dashboard*) continue ;; esac
	plain=$root/example.json
	case $f in *.gz) zcat "$f" > "$plain" ;; *) cp "$f" "$plain" ;; esac
	"$root/usr/sbin/plvs" -t -c "$plain"
done
for page in man8/plvs.8 man8/plvs-host.8 man8/plvsctl.8 man5/plvs.json.5; do
	zcat "$root/usr/share/man/$page.gz" | grep -A1 '^\.SH' | grep -qx '\(\.SH \)\?NAME' ||
		{ echo "$page has no NAME"; exit 1; }
done
if command -v systemd-analyze > /dev/null; then
	sed "s#/usr/sbin/plvs#$root/usr/sbin/plvs#; s#/usr/bin/plvsctl#$root/usr/bin/plvsctl#" \
		"$root/lib/systemd/system/plvs.service" > "$root/plvs.service"
	systemd-analyze verify --man=no "$root/plvs.service"
fi
