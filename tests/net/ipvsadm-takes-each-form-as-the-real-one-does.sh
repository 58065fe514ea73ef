#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# set: full
# limit: 900
# Some 650 command lines, recorded from ipvsadm 1.31 of Debian 12 on its kernel: forms of options, faults,
# listings, ipvsadm-save and ipvsadm-restore.
. "$(dirname "$0")/lib.sh"

PLVS_BUILD=$BUILD "$(dirname "$0")/../ipvsadm/replay" "$(dirname "$0")/../ipvsadm/forms.json" ||
	fail "some commands say something else"
