#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# set: full
# limit: 300
. "$(dirname "$0")/lib.sh"
. "$TOP/tests/net/lib/killed.sh"

killed_rounds 1000 1 2 1 2 3 1 2 2 1 2
