#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 120
. "$(dirname "$0")/lib.sh"
. "$TOP/tests/net/lib/pair.sh"
. "$TOP/tests/net/lib/faults.sh"

pair_ready 1 1 "$(service web tcp 192.0.2.80:80 nat rr 10.10.0.11:8080)"
web_start server1 8080
wait_for 10 "the web answers" pair_serves 192.0.2.80 3

cable a public down
pair_becomes 10 b active
wait_for 10 "the web answers by b" pair_serves 192.0.2.80 3
is "why a gave up" "$(of a '.transitions.ports_worse // 0')" -eq 1
cable a public up
pair_becomes 10 a backup
stays 2 "backup active"

cable b private down
pair_becomes 10 a active
wait_for 10 "the web answers by a" pair_serves 192.0.2.80 3
cable b private up
pair_becomes 10 b backup

# A link that both have lost makes neither the better one.
cable b public down
cable a public down
stays 2 "active backup"
cable a public up
wait_for 10 "the web answers by a" pair_serves 192.0.2.80 3
stays 1 "active backup"
cable b public up

# From the inside: the interface itself, not its other end.
ip -n "$NET-dpdk-a" link set dev public down
pair_becomes 10 b active
wait_for 10 "the web answers by b" pair_serves 192.0.2.80 3
ip -n "$NET-dpdk-a" link set dev public up
pair_becomes 10 a backup
is "role changes of a" "$(pair_changes a)" -le 12
