#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# set: full
# limit: 420
# alone: yes, times are measured
. "$(dirname "$0")/lib.sh"
. "$TOP/tests/net/lib/pair.sh"
. "$TOP/tests/net/lib/faults.sh"
. "$TOP/tests/net/lib/calm.sh"

calm_ready 50ms 200ms
calm_load 300
calm_held "5 minutes of load at 50/200 ms" "active backup"
