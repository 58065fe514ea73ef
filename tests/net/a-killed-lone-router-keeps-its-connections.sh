#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 120
# families: 4 6
# Kills the whole control group of a router without a peer: its workers, its spawner, its keeper.
. "$(dirname "$0")/lib.sh"
. "$TOP/tests/net/lib/killed.sh"

# Another number of workers each time.
killed_rounds 500 1 3

note "what is of another boot, or may be older than what a peer had, is not taken up"
killed_kill
# The boot's identity stands behind the magic and the layout (model/ledger_format.h).
printf 'another boot !!!' | dd of="$LEDGERS/ledger" bs=1 seek=24 conv=notrunc status=none
killed_start 1
is "taken up from another boot" "$(rpc status | jq .kept.connections)" -eq 0
is "said of it" "$(rpc status | jq -r .kept.fault | grep -c "another boot")" -eq 1
is "connections" "$(rpc connection.count | jq .count)" -eq 0

note "an orderly end leaves a file and no ledger"
rm -rf "$RUN/kept"; mkdir -m 700 "$RUN/kept"
on client1 "$PROBE" udp-ask 192.0.2.80:9 --flows 50 --count 100 --rate 500 > "$RUN/udp"
plvs_stop
is "ledgers after an orderly end" "$(find "$LEDGERS" -type f | wc -l)" -eq 0
