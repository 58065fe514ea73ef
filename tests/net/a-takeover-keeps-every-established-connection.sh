#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 150
# families: 4 6
. "$(dirname "$0")/lib.sh"
. "$TOP/tests/net/lib/pair.sh"
. "$TOP/tests/net/lib/faults.sh"
. "$TOP/tests/net/lib/kept.sh"

# Another number of workers on the other router, and both directions.
kept 500 1 3
