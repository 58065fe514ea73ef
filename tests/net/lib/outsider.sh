# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# An outsider who forges packets of real servers, and a client whose connection is the aim.
# Sourced by tests after lib.sh.

FORGE=$TOP/tests/net/lib/forge.py
PYTHON=/usr/bin/python3
HELD=0

# held_start NAMESPACE ADDRESS PORT: a connection to an echo server; HELD_PORT and HELD_NEXT
# (the sequence number that the client expects next) are of it.
held_start()
{
	HELD=$((HELD + 1))
	mkfifo "$RUN/held-$HELD.in" "$RUN/held-$HELD.out"
	ip netns exec "$NET-$1" "$PYTHON" -IS "$FORGE" hold "$2" "$3" \
		< "$RUN/held-$HELD.in" > "$RUN/held-$HELD.out" 2> "$RUN/held-$HELD.log" &
	exec {HELD_IN}> "$RUN/held-$HELD.in" {HELD_OUT}< "$RUN/held-$HELD.out"
	# shellcheck disable=SC2034
	read -rt 10 -u "$HELD_OUT" HELD_PORT HELD_NEXT || fail "no connection to $2:$3"
}

# held_alive WHEN
held_alive()
{
	is "the client's connection, $1" "$(held_ask)" = alive
}

# The client's word on its connection: "alive" or why not.
held_ask()
{
	local answer=
	echo >&"$HELD_IN"
	read -rt 5 -u "$HELD_OUT" answer || true
	echo "$answer"
}

# forged NAMESPACE INTERFACE PORT ROW...: frames to plvs's port of that name.
forged()
{
	local mac
	mac=$(rpc port.list | jq -r --arg name "$3" '.ports[] | select(.name == $name) | .mac')
	"$PYTHON" -IS "$FORGE" frame "$NET-$1" "$2" "$mac" "${@:4}"
}

# drops_are REASON COUNT
drops_are()
{
	[ "$(drops "$1")" -eq "$2" ]
}
