#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 90
# families: 4 6
# The backup is the quicker one; at most one role change each.
. "$(dirname "$0")/lib.sh"
. "$TOP/tests/net/lib/pair.sh"
. "$TOP/tests/net/lib/faults.sh"

PAIR_HA=$(jq -c '. + {start_delay: "3s"}' <<< "$PAIR_HA")
pair_network 1 1
for r in a b; do pair_config $r "$(service web tcp 192.0.2.80:80 nat rr 10.10.0.11:8080)"; done
for lead in 0 1; do
	pair_start b
	sleep $lead
	pair_start a
	pair_becomes 20 a active
	pair_becomes 5 b backup
	is "how often b was active" "$(of b '.transitions | (.unanswered // 0) + (.acknowledged // 0)')" -eq 0
	is "how often b left its start" "$(of b '.transitions | (.start_over // 0) + (.peer_serves // 0)')" -eq 1
	is "how often a was active" "$(of a '.transitions | (.unanswered // 0) + (.acknowledged // 0)')" -eq 1
	stays 1 "active backup"
	pair_kill a
	pair_kill b
done
