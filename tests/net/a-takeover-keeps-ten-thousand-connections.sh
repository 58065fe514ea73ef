#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# set: full
# limit: 400
# alone: yes, all CPUs are taken
. "$(dirname "$0")/lib.sh"
. "$TOP/tests/net/lib/pair.sh"
. "$TOP/tests/net/lib/faults.sh"
. "$TOP/tests/net/lib/kept.sh"

# Another number of workers on the other router, and both directions.
kept 10000 3 1
