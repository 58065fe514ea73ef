# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Time-outs of connections over a takeover. Sourced after faults.sh.

# live ROUTER: connections in its tables.
live()
{
	pair_at "$1"
	rpc status | jq .connections.live
}

live_is()
{
	[ "$(live "$1")" -eq "$2" ]
}

# sleep_until BEGIN SECOND: that many seconds after BEGIN, a value of SECONDS. A busy machine may be past that.
sleep_until()
{
	local left=$(($1 + $2 - SECONDS))
	[ $left -le 0 ] || sleep $left
}

# transfer_outlives ESTABLISHED KILL-AT END [METHOD]: seconds. A transfer longer than the time-out goes on
# when the active router is killed; a connection that is silent meanwhile ends at both routers,
# as it would at one.
transfer_outlives()
{
	local begin=$SECONDS bytes method=${4:-nat}
	pair_ready 1 1 "$(service stream tcp 192.0.2.80:9 "$method" rr 10.10.0.11:9 |
		jq -c --arg t "$1s" '. + {timeouts: {established: $t}}')" \
		"$(service echo tcp 192.0.2.80:7 "$method" rr 10.10.0.11:7 |
			jq -c --arg t "$1s" '. + {timeouts: {established: $t}}')"
	echo_serve server1 tcp 10.10.0.11 7
	on_background server1 pour "$PROBE" tcp-pour 10.10.0.11:9 --rate 200 --size 1000
	wait_for 10 "the stream's server listens" port_listens server1 9
	wait_for 10 "b is synchronised" pair_synchronised b

	note "established $1 s, killed after $2 s, over after $3 s"
	begin=$SECONDS
	on_background client1 hold bash -c "sleep 1000 | '$PROBE' tcp-hold 192.0.2.80:7 --count 5"
	on_background client1 drink "$PROBE" tcp-drink 192.0.2.80:9
	wait_for 10 "six connections at b" live_is b 6
	sleep_until $begin "$2"
	is "connections of a at the kill: the silent ones are over" "$(live a)" -eq 1
	is "connections of b" "$(live b)" -eq 1
	pair_kill a
	pair_becomes 5 b active
	is "connections of b after the takeover" "$(live b)" -eq 1
	sleep_until $begin "$3"
	background_stop drink || fail "the transfer: $(cat "$RUN/drink.log")"
	note "$(cat "$RUN/drink.log")"
	is "how the transfer ended early" "$(jq -r .ended "$RUN/drink.log")" = ""
	is "wrong bytes" "$(jq .wrong "$RUN/drink.log")" -eq 0
	# 200 kB a second, but for the takeover and the client's start.
	bytes=$(jq .bytes "$RUN/drink.log")
	is "bytes of about $(($3 * 200000))" "$bytes" -ge $((($3 - 3) * 200000))
}
