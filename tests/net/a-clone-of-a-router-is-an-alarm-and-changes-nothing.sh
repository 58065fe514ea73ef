#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 90
# A third machine with the key speaks as one router does, and hears what is said to that router. The
# pair goes on, both routers raise an alarm, and nothing of the clone is left when it ends.
. "$(dirname "$0")/lib.sh"
. "$TOP/tests/net/lib/pair.sh"
. "$TOP/tests/net/lib/faults.sh"

# clone ROUTER STATE TERM SECONDS, in the background
clone()
{
	local r=$1
	shift
	on_background "dpdk-$r" clone python3 "$TOP/tests/net/lib/clone.py" "$RUN/ha.key" public \
		"${PAIR_PUBLIC[$r]}" "${PAIR_PUBLIC[$(other "$r")]}" "$@"
}

alarm_says()
{
	[[ $(of "$1" .alarm) == *"$2"* ]]
}

no_alarm()
{
	[ "$(of a .alarm)" = null ] && [ "$(of b .alarm)" = null ]
}

pair_ready 1 1 "$(service web tcp 192.0.2.80:80 nat rr 10.10.0.11:8080)"
web_start server1 8080
wait_for 5 "no alarm" no_alarm
changes=$(($(pair_changes a) + $(pair_changes b)))
second=$(of a .heard.retired)

note "it says that it is active, under the next term"
term=$(of a .term)
clone b 3 $((term + 1)) 6
wait_for 5 "a says that there are two" alarm_says a "two routers say that they are the peer"
wait_for 5 "b says so, too" alarm_says b "another router that says that it is this one"
stays 2 "active backup"
pair_serves 192.0.2.80 3 || fail "the web does not answer"
background_wait clone || fail "the clone: $(cat "$RUN/clone.log")"
is "what the clone said" "$(cat "$RUN/clone.log")" -ge 40
is "of it not believed" "$(($(of a .heard.retired) - second))" -ge 30
wait_for 4 "the alarms end" no_alarm
is "role changes" "$(($(pair_changes a) + $(pair_changes b)))" -eq "$changes"

note "so does a clone of the active router that says that it stands by"
second=$(of b .heard.retired)
clone a 1 $((term + 1)) 5
wait_for 5 "b says that there are two" alarm_says b "two routers say that they are the peer"
wait_for 5 "a says so, too" alarm_says a "another router that says that it is this one"
pair_serves 192.0.2.80 3 || fail "the web does not answer"
background_wait clone || fail "the clone: $(cat "$RUN/clone.log")"
is "of it not believed" "$(($(of b .heard.retired) - second))" -ge 20
wait_for 4 "the alarms end" no_alarm
is "roles" "$(roles_seen)" = "active backup"
is "role changes" "$(($(pair_changes a) + $(pair_changes b)))" -eq "$changes"

note "a clone of the backup is believed when the backup is gone, but no term that cannot be; and the backup returns"
clone b 1 140737488355328 6
pair_kill b
absurd()
{
	alarm_says a "a term that cannot be"
}
wait_for 4 "a says that the term cannot be" absurd
is "term of a" "$(of a .term)" -eq "$term"
pair_is a active || fail "a is $(pair_state a)"
pair_start b
background_wait clone || fail "the clone: $(cat "$RUN/clone.log")"
pair_becomes 5 b backup
wait_for 5 "the alarms end" no_alarm
is "state of a" "$(pair_state a)" = active
is "term of a" "$(of a .term)" -eq "$term"
