#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# set: full
# limit: 400
. "$(dirname "$0")/lib.sh"
. "$TOP/tests/net/lib/pair.sh"
. "$TOP/tests/net/lib/faults.sh"
. "$TOP/tests/net/lib/handover.sh"

hand_overs 20
