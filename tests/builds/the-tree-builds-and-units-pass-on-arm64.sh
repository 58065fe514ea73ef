#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 2400
# set: full
# Router and plvsctl for arm64, by Debian's cross compiler and libraries; and the unit programs
# whose code differs by machine, or handles bytes: tag matching by NEON against its scalar
# reference, checksums, tables, packets of both families through the stages. qemu runs them. Other
# tests and tools have no code of a machine; without them the build takes half the time.
set -euo pipefail
cd "$(dirname "$0")/../.."
dir=build-arm64
root=$PWD/build-arm64-root

tests/builds/arm64/sysroot "$root"
printf "[constants]\nroot = '%s'\n" "$root/sys" > "$root/root.ini"
[ -e $dir/build.ninja ] || meson setup $dir --cross-file "$root/root.ini" \
	--cross-file tests/builds/arm64/cross.ini
units=(test_base test_conn_table test_model test_family_tables test_classify test_ipv6
	test_pipeline test_fragment test_split test_ftp test_sched test_ha_wire test_sync_record)
ninja -C $dir src/plvs src/cli/plvsctl "${units[@]/#/tests/unit/}"
file=$(od -An -tx1 -j18 -N2 $dir/src/plvs | tr -d ' ')
[ "$file" = b700 ] || { echo "src/plvs is of machine $file, not b7: AArch64"; exit 1; }
meson test -C $dir --no-rebuild --timeout-multiplier 10 --print-errorlogs "${units[@]}"
