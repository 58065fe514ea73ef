#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 120
. "$(dirname "$0")/lib.sh"
. "$TOP/tests/net/lib/pair.sh"

pair_network 1 2
services=("$(service web tcp 192.0.2.80:80 nat rr 10.10.0.11:8080 10.10.0.12:8080)")
pair_config a "${services[@]}"
pair_config b "${services[@]}"
# One after the other: of two that start together the quicker one may be active.
pair_start a
pair_becomes 20 a active
pair_start b
pair_becomes 20 b backup
for i in 1 2; do web_start server$i 8080; done
web_ask client1 192.0.2.80 10 > "$RUN/answers"
is "answers of the first router" "$(wc -l < "$RUN/answers")" -eq 10
pair_kill a
pair_becomes 10 b active
web_ask client1 192.0.2.80 10 > "$RUN/answers"
is "answers of the second router" "$(wc -l < "$RUN/answers")" -eq 10
pair_start a
pair_becomes 20 a backup
pair_at b
ctl ha status
doors_add_up
