#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 900
# set: full
set -euo pipefail
cd "$(dirname "$0")/../.."
dir=build-asan
[ -e $dir/build.ninja ] || meson setup $dir -Db_sanitize=address,undefined -Db_lundef=false
ninja -C $dir
# EAL keeps some of its memory for the life of the process.
export ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
meson test -C $dir --no-rebuild --suite unit --timeout-multiplier 5 --print-errorlogs
