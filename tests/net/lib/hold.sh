# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Connections of client1 that stay open and are asked again. Sourced after lib.sh.

hold_rounds_more()
{
	[ "$(grep -c answered "$RUN/hold.log")" -gt "$1" ]
}

# hold_open COUNT TO: that many connections to ADDRESS:PORT, open until hold_close. Both programs run in
# the client's namespace, so that they end with the network.
hold_open()
{
	local ARGS
	args_of_family "$2"
	mkfifo "$RUN/hold.in"
	: > "$RUN/hold.log"
	ip netns exec "$NET-client1" sleep 1000 > "$RUN/hold.in" 2> /dev/null &
	echo $! > "$RUN/hold-in.pid"
	ip netns exec "$NET-client1" "$PROBE" tcp-hold "${ARGS[@]}" --count "$1" --rate 2000 \
		< "$RUN/hold.in" > "$RUN/hold.log" 2>&1 &
	echo $! > "$RUN/hold.pid"
	wait_for 90 "all connections are open" hold_rounds_more 0
	is "connections at first" "$(jq -s '.[0].answered' "$RUN/hold.log")" -eq "$1"
}

# hold_answered: asks each connection once more; how many answer.
hold_answered()
{
	local rounds
	rounds=$(grep -c answered "$RUN/hold.log") || :
	echo again > "$RUN/hold.in"
	wait_for 90 "the round ends" hold_rounds_more "$rounds"
	grep answered "$RUN/hold.log" | tail -1 | jq .answered
}

hold_close()
{
	kill "$(cat "$RUN/hold.pid")" "$(cat "$RUN/hold-in.pid")"
	rm -f "$RUN/hold.in" "$RUN/hold.log"
}
