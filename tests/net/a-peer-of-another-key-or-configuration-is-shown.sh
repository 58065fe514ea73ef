#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 90
. "$(dirname "$0")/lib.sh"
. "$TOP/tests/net/lib/pair.sh"
. "$TOP/tests/net/lib/faults.sh"

web="$(service web tcp 192.0.2.80:80 nat rr 10.10.0.11:8080)"
pair_ready 1 1 "$web"

note "another shared configuration"
is "a says that b's differs" "$(of a .peer.configuration_differs)" = false
pair_kill b
rm -r "$RUN/state-b"
pair_config b "$web" "$(service more tcp 192.0.2.80:81 nat rr 10.10.0.11:8080)"
pair_start b
differs()
{
	[ "$(of a .peer.configuration_differs)" = true ] &&
		[ "$(of b .peer.configuration_differs)" = true ]
}
wait_for 5 "both say that the other's differs" differs
pair_at a
ctl ha status > "$RUN/said"
is "in words" "$(grep -c DIFFERS "$RUN/said")" -eq 1
is "in the log of a" "$(grep -ci 'configuration.*differ' "$RUN/a.log")" -ge 1
stays 1 "active backup"
# As long as it has diverged: another command or another file may end that.
pair_config b "$web"
pair_at b
ctl config apply "$RUN/b.json" > "$RUN/said" || fail "apply: $(cat "$RUN/said")"
same()
{
	[ "$(of a .peer.configuration_differs)" = false ] &&
		[ "$(of b .peer.configuration_differs)" = false ]
}
wait_for 5 "both say that they are alike again" same

note "another key: the two do not hear each other, and say why"
cp "$RUN/ha.key" "$RUN/both.key"
pair_kill b
printf '1 hex:%s\n' "$(od -An -tx1 -N32 /dev/urandom | tr -d ' \n')" > "$RUN/other.key"
chmod 600 "$RUN/other.key"
jq --arg k "$RUN/other.key" '.node.ha.key_file = $k' "$RUN/b.json" > "$RUN/b.new"
mv "$RUN/b.new" "$RUN/b.json"
changes=$(pair_changes a)
pair_launch b
refuses()
{
	[ "$(of "$1" '[.paths[].refused.forged // 0] | add')" -ge 5 ]
}
wait_for 20 "a refuses what b says" refuses a
is "role changes of a" "$(pair_changes a)" -eq "$changes"
said()
{
	grep -q 'refused .* as forged' "$RUN/a.log"
}
wait_for 5 "the log of a says why" said
note "$(grep 'as forged' "$RUN/a.log" | tail -1)"
pair_kill b

note "another key id"
sed 's/^1 /2 /' "$RUN/other.key" > "$RUN/third.key"
chmod 600 "$RUN/third.key"
jq --arg k "$RUN/third.key" '.node.ha.key_file = $k' "$RUN/b.json" > "$RUN/b.new"
mv "$RUN/b.new" "$RUN/b.json"
pair_launch b
unknown_key()
{
	[ "$(of a '[.paths[].refused.key // 0] | add')" -ge 5 ]
}
wait_for 20 "a refuses the key id of b" unknown_key
is "role changes of a" "$(pair_changes a)" -eq "$changes"
