#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 60
# alone: yes, all CPUs are taken
# families: 4 6
. "$(dirname "$0")/lib.sh"

network_two_armed 1 1
server_add_direct 1 192.0.2.90
plvs_config "$(service bulk tcp 192.0.2.90:5201 dr rr 192.0.2.11:5201)"
plvs_start
bulk_serve server1
is "Mbit/s to the server" "$(bulk client1 192.0.2.90 2)" -ge 10
# Only acknowledgements cross the router.
is "Mbit/s to the client" "$(bulk client1 192.0.2.90 2 -R)" -ge 10
doors_add_up
