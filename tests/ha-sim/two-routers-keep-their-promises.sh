#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 180
# Two role machines in virtual time over bad networks, from seed 1: about 700 pairs of routers.
set -euo pipefail
exec "$PLVS_BUILD/tests/ha-sim/ha-sim" --steps 30000000
