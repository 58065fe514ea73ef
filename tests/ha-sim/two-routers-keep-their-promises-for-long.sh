#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 900
# set: full
# The same with other seeds each day; a failure prints its seed.
set -euo pipefail
exec "$PLVS_BUILD/tests/ha-sim/ha-sim" --steps 300000000 --first "$(date +%Y%m%d)000"
