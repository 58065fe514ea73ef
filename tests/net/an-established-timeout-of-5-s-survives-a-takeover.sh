#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# set: full
# limit: 120
. "$(dirname "$0")/lib.sh"
. "$TOP/tests/net/lib/pair.sh"
. "$TOP/tests/net/lib/faults.sh"
. "$TOP/tests/net/lib/timeout.sh"

transfer_outlives 5 25 30
