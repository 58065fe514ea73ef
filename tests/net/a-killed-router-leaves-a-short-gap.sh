#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 150
# families: 4 6
# set6: full
# alone: yes, times are measured
. "$(dirname "$0")/lib.sh"
. "$TOP/tests/net/lib/pair.sh"
. "$TOP/tests/net/lib/faults.sh"
. "$TOP/tests/net/lib/gap.sh"

gap_runs 3
gap_report
