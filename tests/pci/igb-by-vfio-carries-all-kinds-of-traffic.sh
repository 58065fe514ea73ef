#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# set: full
# limit: 2400
# plvs-host, NAT, DR, VLANs, MTU, cable and queues on igb NICs of a machine that QEMU emulates.
exec "$(dirname "$0")/machine/nic" igb igb
