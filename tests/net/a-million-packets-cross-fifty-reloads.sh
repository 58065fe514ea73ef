#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 180
# alone: yes, packets that are lost are counted at a high rate
# set: full
export PACKETS=1000000 RELOADS=50
exec "$(dirname "$0")/reloads-under-load-lose-no-packet.sh"
