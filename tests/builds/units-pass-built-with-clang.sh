#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 900
# set: full
set -euo pipefail
cd "$(dirname "$0")/../.."
dir=build-clang
[ -e $dir/build.ninja ] || CC=clang meson setup $dir
ninja -C $dir
meson test -C $dir --no-rebuild --suite unit --print-errorlogs
