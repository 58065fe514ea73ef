#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# set: full
# limit: 2400
# NICs that Linux keeps: AF_XDP sockets on two queues of each, XDP in the driver.
exec "$(dirname "$0")/machine/nic" virtio-kernel af-xdp
