#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 60
# alone: yes, all CPUs are taken
# families: 4 6
. "$(dirname "$0")/lib.sh"

network_two_armed 1 1
plvs_config "$(service bulk tcp 192.0.2.80:5201 nat rr 10.10.0.11:5201)"
plvs_start
bulk_serve server1
# Far below what the machine can do: a neighbour must not fail this test.
is "Mbit/s to the server" "$(bulk client1 192.0.2.80 2)" -ge 10
is "Mbit/s to the client" "$(bulk client1 192.0.2.80 2 -R)" -ge 10
is "Mbit/s by four connections" "$(bulk client1 192.0.2.80 2 -P 4)" -ge 10
doors_add_up
