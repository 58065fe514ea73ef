#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# set: full
# limit: 150
. "$(dirname "$0")/lib.sh"
. "$TOP/tests/net/lib/fleet.sh"

VIP=198.51.100.80
FLEET_MEMBERS=true
FLEET_BFD=60
fleet_ready 3 2
hold_open 500 $VIP:7

# member_of JSON-FILE MEMBER KEY
member_of()
{
	jq -r --arg m "$2" ".members[] | select(.member == \$m) | .$3" "$1"
}

digests()
{
	jq -r '[.members[].digest] | unique | length' "$RUN/status"
}

fleet_at 1
ctl --json fleet status > "$RUN/status"
is "members that are reached" "$(jq '.members | length' "$RUN/status")" -eq 3
is "digests" "$(digests)" -eq 1
is "states" "$(jq -r '[.members[].state] | unique | join(",")' "$RUN/status")" = announcing

# Strangers who connect and say nothing, or garbage, shut no member out.
# shellcheck disable=SC2016 # for the inner shell
on edge bash -c 'for i in {1..40}; do exec {fd}<> /dev/tcp/192.0.2.12/7696; done
	echo "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"fleet.drain\"}" >&"$fd"
	echo open; exec sleep 30' > "$RUN/strangers.log" 2>&1 &
strangers=$!
wait_for 10 "the strangers are connected" grep -q open "$RUN/strangers.log"
ctl --json fleet status > "$RUN/status"
is "the state of lb2 among strangers" "$(member_of "$RUN/status" lb2 state)" = announcing
is "drained members" "$(jq '[.members[] | select(.drained)] | length' "$RUN/status")" -eq 0
kill $strangers

# A client of the level "change" sees members, changes services there, and pushes no configuration.
low()
{
	"$BUILD/src/cli/plvsctl" --socket "$RUN/lb1.sock.change" "$@" > "$RUN/low" 2>&1
}
low fleet status || fail "no status by the lower level: $(cat "$RUN/low")"
if low fleet push; then fail "a configuration by the lower level"; fi
is "refusals of the lower level" "$(grep -c "needs" "$RUN/low")" -ge 1

# A change goes to all, from a file with comments, one member after the other.
jq '{shared: .shared}' "$RUN/lb1.json" |
	jq '.shared.services[0].servers[0].weight = 3' | sed '1a // the weight of a server' > "$RUN/new.json"
ctl --json fleet plan "$RUN/new.json" > "$RUN/plan"
is "members that can" "$(jq '[.members[] | select(.result == "can" and .changes == 1)] | length' "$RUN/plan")" -eq 3
ctl --json fleet push "$RUN/new.json" pause 100ms > "$RUN/push"
is "members that applied" "$(jq '[.members[] | select(.result == "applied")] | length' "$RUN/push")" -eq 3
for i in 1 2 3; do
	fleet_at $i
	is "the weight at lb$i" "$(rpc service.list | jq '[.services[0].servers[].weight] | max')" -eq 3
done
is "connections that answer" "$(hold_answered)" -eq 500

# A configuration that some members cannot take changes nothing, and the members are named.
fleet_at 1
jq '.shared.services[0].scheduler = "wlc"' <(jq '{shared: .shared}' "$RUN/lb1.json") > "$RUN/bad.json"
if ctl --json fleet push "$RUN/bad.json" > "$RUN/push"; then fail "a wrong configuration was pushed"; fi
is "members that cannot" "$(jq '[.members[] | select(.result == "cannot")] | length' "$RUN/push")" -eq 3
ctl --json fleet status > "$RUN/status"
is "digests after a push that failed" "$(digests)" -eq 1

# A member that is away is named; the others are not touched before all can. It comes back with what
# it had, is seen to differ, and repeating the command completes what is missing.
jq '{shared: .shared} | .shared.services[0].servers[0].weight = 5' "$RUN/lb1.json" > "$RUN/newer.json"
fleet_stop 3
if ctl --json fleet push "$RUN/newer.json" > "$RUN/push"; then fail "a push to a member that is away"; fi
is "of the member that is away" "$(member_of "$RUN/push" lb3 result)" = away
ctl --json fleet status > "$RUN/status" && fail "a member that is away is not seen"
is "of the member that is away" "$(member_of "$RUN/status" lb3 state)" = unreachable
is "what the others run" "$(rpc service.list | jq '[.services[0].servers[].weight] | max')" -eq 3

# The others go on without it, and have the change in their files as well.
ctl --json fleet push "$RUN/newer.json" pause 100ms force save > "$RUN/push"
is "members that applied" "$(jq '[.members[] | select(.result == "applied")] | length' "$RUN/push")" -eq 2
is "of the member that is away" "$(member_of "$RUN/push" lb3 result)" = away
is "the weight in the file of lb2" "$(jq '[.shared.services[0].servers[].weight] | max' "$RUN/lb2.json")" -eq 5
fleet_start 3
fleet_becomes 20 $VIP "1 2 3"
fleet_at 1
if ctl --json fleet status > "$RUN/status"; then fail "a stale configuration is not seen"; fi
note "lb3: $(member_of "$RUN/status" lb3 why)"
ctl --json fleet push "$RUN/newer.json" pause 100ms > "$RUN/push"
is "of lb3" "$(member_of "$RUN/push" lb3 result)" = applied
ctl --json fleet status > "$RUN/status"
is "digests" "$(digests)" -eq 1
ctl --json fleet push pause 100ms > "$RUN/push"
is "members that had it" "$(jq '[.members[] | select(.result == "had it")] | length' "$RUN/push")" -eq 3

# Another key opens nothing.
printf '1 hex:%s\n' "$(od -An -tx1 -N32 /dev/urandom | tr -d ' \n')" > "$RUN/other.key"
chmod 600 "$RUN/other.key"
fleet_stop 2
jq --arg key "$RUN/other.key" '.node.ha.key_file = $key' "$RUN/lb2.json" > "$RUN/lb2.json.new"
mv "$RUN/lb2.json.new" "$RUN/lb2.json"
fleet_start 2
fleet_at 1
if ctl --json fleet status > "$RUN/status"; then fail "a member of another key is believed"; fi
is "the member of another key" "$(member_of "$RUN/status" lb2 state)" = unreachable
note "lb2: $(member_of "$RUN/status" lb2 why)"
fleet_becomes 20 $VIP "1 2 3"
is "connections that answer" "$(hold_answered)" -eq 500
hold_close
