#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# set: full
# limit: 400
# alone: yes, all CPUs are taken
# A lone router holds 105,000 connections by full NAT, is killed with all its processes, and starts
# again with another number of workers.
. "$(dirname "$0")/lib.sh"
. "$TOP/tests/net/lib/killed.sh"

# Of each of 6 services with a server of their own: a process has 20,000 files here.
EACH=17500
killed_group
LEDGERS=$(mktemp -d /dev/shm/plvs-killed.XXXXXX)
at_exit killed_group_end
network_two_armed 1 6
PLVS_ADDRESSES='[{"address": "10.10.0.200", "kind": "pool", "link": "private"},
	{"address": "10.10.0.201", "kind": "pool", "link": "private"},
	{"address": "10.10.0.202", "kind": "pool", "link": "private"}]'
for i in 1 2 3 4 5 6; do
	services+=("$(service "s$i" tcp "192.0.2.8$i:7" fullnat rr "10.10.0.1$i:7")")
done
plvs_config "${services[@]}"
jq --arg path "$LEDGERS/ledger" '.node.ledger = {enabled: true, path: $path} |
	.node.workers.connections = 400000' "$RUN/plvs.json" > "$RUN/plvs.json.new"
mv "$RUN/plvs.json.new" "$RUN/plvs.json"
killed_start 1
for i in 1 2 3 4 5 6; do echo_serve server$i tcp 10.10.0.1$i 7; done
for i in 1 2 3 4 5 6; do
	killed_hold "s$i" "192.0.2.8$i:7" $EACH
	killed_answered "s$i" 1 $EACH
done
is "connections" "$(rpc connection.count | jq .count)" -eq $((6 * EACH))
is "local ports in use" "$(counted '[.workers[].counters.local_ports] | add')" -eq $((6 * EACH))

killed_kill
killed_start 3
rpc status | jq -c .kept > "$RUN/kept.json"
note "$(cat "$RUN/kept.json")"
is "taken up" "$(jq .connections "$RUN/kept.json")" -eq $((6 * EACH))
is "local ports in use" "$(counted '[.workers[].counters.local_ports] | add')" -eq $((6 * EACH))
for i in 1 2 3 4 5 6; do eval "echo ask >&\$ASK_s$i"; done
for i in 1 2 3 4 5 6; do killed_answered "s$i" 2 $EACH; done
is "connections without a port" "$(drops no_local_port)" -eq 0
doors_add_up
