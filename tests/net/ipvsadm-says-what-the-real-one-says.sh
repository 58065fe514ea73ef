#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 90
. "$(dirname "$0")/lib.sh"

PLVS_BUILD=$BUILD "$(dirname "$0")/../ipvsadm/replay" "$(dirname "$0")/../ipvsadm/cases.json" ||
	fail "some commands say something else"
