#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# set: full
# limit: 120
. "$(dirname "$0")/lib.sh"
. "$TOP/tests/net/lib/pair.sh"
. "$TOP/tests/net/lib/faults.sh"
. "$TOP/tests/net/lib/timeout.sh"

PLVS_ADDRESSES='[{"address": "10.10.0.200", "kind": "pool", "link": "private"}]'
transfer_outlives 5 15 25 fullnat
