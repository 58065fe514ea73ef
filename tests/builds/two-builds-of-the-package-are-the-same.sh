#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# set: full
# limit: 3600
# The package of this commit, built twice: the same bytes. The second build compiles each file, whatever a cache
# of the compiler has.
set -euo pipefail
cd "$(dirname "$0")/../.."
for i in 1 2; do
	[ $i = 1 ] || export CCACHE_RECACHE=1
	tools/package --no-check > /dev/null
	sha256sum build-package/plvs_*.deb build-package/plvs.spdx > "build-package/sums.$i"
done
cat build-package/sums.1
diff build-package/sums.1 build-package/sums.2
