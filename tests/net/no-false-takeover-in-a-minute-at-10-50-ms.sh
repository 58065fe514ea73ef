#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# set: full
# limit: 150
# alone: yes, times are measured
. "$(dirname "$0")/lib.sh"
. "$TOP/tests/net/lib/pair.sh"
. "$TOP/tests/net/lib/faults.sh"
. "$TOP/tests/net/lib/calm.sh"

calm_ready 10ms 50ms
sleep 60
calm_held "60 s at 10/50 ms" "active backup"
