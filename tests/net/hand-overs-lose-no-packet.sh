#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 150
# families: 4 6
# set6: full
# alone: yes, packets that are lost are counted at a high rate
. "$(dirname "$0")/lib.sh"
. "$TOP/tests/net/lib/pair.sh"
. "$TOP/tests/net/lib/faults.sh"
. "$TOP/tests/net/lib/handover.sh"

hand_overs 4
