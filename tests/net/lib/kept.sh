# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Connections over a takeover. Sourced after faults.sh.

. "$TOP/tests/net/lib/hold.sh"

kept_live()
{
	pair_at "$1"
	[ "$(rpc status | jq .connections.live)" -ge "$2" ]
}

# kept_round LABEL COUNT: each connection is asked once more, and answers.
kept_round()
{
	is "$1: connections that answer" "$(hold_answered)" -eq "$2"
}

# kept COUNT WORKERS-OF-A WORKERS-OF-B [METHOD]. KEPT_MORE: what jq makes of the service. KEPT_VIP: where
# clients connect to then. KEPT_SERVE: what
# starts a server, with the arguments of echo_serve.
kept()
{
	local i
	# shellcheck disable=SC2034 # of pair.sh
	ROUTER_WORKERS=([a]=$2 [b]=$3)
	pair_ready 1 2 "$(service echo tcp 192.0.2.80:7 "${4:-nat}" rr 10.10.0.11:7 10.10.0.12:7 |
		jq -c "${KEPT_MORE:-.}")"
	for i in 1 2; do ${KEPT_SERVE:-echo_serve} server$i tcp 10.10.0.1$i 7; done
	wait_for 30 "the backup is synchronised" pair_synchronised b
	hold_open "$1" "${KEPT_VIP:-192.0.2.80:7}"
	sleep 0.5
	pair_at a
	is "counted on the active router" "$(rpc status | jq .connections.live)" -ge "$1"
	wait_for 10 "the backup holds them" kept_live b "$1"

	pair_kill a
	pair_becomes 5 b active
	kept_round "after kill -9 of a ($2 to $3 workers)" "$1"
	pair_start a
	pair_becomes 20 a backup
	wait_for 30 "a is synchronised" pair_synchronised a
	kept_live a "$1" || fail "a does not hold them: $(rpc status | jq -c .connections)"
	pair_kill b
	pair_becomes 5 a active
	kept_round "after kill -9 of b ($3 to $2 workers)" "$1"
	hold_close
}
