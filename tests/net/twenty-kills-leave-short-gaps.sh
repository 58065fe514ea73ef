#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# set: full
# limit: 600
# alone: yes, times are measured
. "$(dirname "$0")/lib.sh"
. "$TOP/tests/net/lib/pair.sh"
. "$TOP/tests/net/lib/faults.sh"
. "$TOP/tests/net/lib/gap.sh"

gap_runs 20
gap_report p95
