#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# set: full
# limit: 300
. "$(dirname "$0")/lib.sh"
. "$TOP/tests/net/lib/fleet.sh"

VIP=198.51.100.80
FLEET_MEMBERS=true
FLEET_BFD=60
FLEET_NODE='{"pool": [{"address": "10.10.2.@", "link": "private"}]}'
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
# By other weights mh deals some flows anew: what follows changes no weight, and no connection of the next ones breaks.
hold_close
hold_open 500 $VIP:7

# with_services N: the shared part with so many services more than at first.
with_services()
{
	jq --argjson n "$1" --arg vip $VIP '.shared.services += [range($n) as $i | .shared.services[0] |
		.name = "more\($i)" | .listen = ["\($vip):\(90 + $i)"]] | {shared: .shared}' "$RUN/new.clean.json"
}
has_services()
{
	fleet_at "$1"
	[ "$(rpc status | jq .services)" -eq "$2" ]
}
sed '/^ *\/\//d' "$RUN/new.json" > "$RUN/new.clean.json"

# A configuration that some members cannot take changes nothing, and the members are named.
fleet_at 1
jq '.shared.services[0].scheduler = "wlc"' <(jq '{shared: .shared}' "$RUN/lb1.json") > "$RUN/bad.json"
if ctl --json fleet push "$RUN/bad.json" > "$RUN/push"; then fail "a wrong configuration was pushed"; fi
is "members that cannot" "$(jq '[.members[] | select(.result == "cannot")] | length' "$RUN/push")" -eq 3
ctl --json fleet status > "$RUN/status"
is "digests after a push that failed" "$(digests)" -eq 1

# One that half of the members cannot take: addresses of their pools as real servers.
jq '.shared.services[0].servers += [{address: "10.10.2.2:7"}, {address: "10.10.2.3:7"}]' \
	"$RUN/new.clean.json" > "$RUN/bad.json"
if ctl --json fleet push "$RUN/bad.json" > "$RUN/push"; then fail "a configuration that half of them cannot take"; fi
is "members that can, members that cannot" "$(jq -r '[.members[].result] | join(" ")' "$RUN/push")" = "can cannot cannot"
note "lb3: $(member_of "$RUN/push" lb3 why)"
ctl --json fleet status > "$RUN/status"
is "digests after a push that half refused" "$(digests)" -eq 1

# The gate: a configuration by which the first member loses its quorum goes to no other, and clients go on by the
# others. The configuration of before goes back by the same way.
jq '.shared.checks = [{name: "none", type: "tcp", port: 9, interval: "200ms", timeout: "200ms",
	fall: 1}] | .shared.services |= map(.check = "none")' "$RUN/new.clean.json" > "$RUN/sick.json"
if ctl --json fleet push "$RUN/sick.json" gate 3s pause 100ms > "$RUN/push"; then fail "a sick configuration was pushed"; fi
is "results of a push that the gate stops" "$(jq -r '[.members[].result] | join(", ")' "$RUN/push")" = \
	"not well, not asked, not asked"
note "lb1: $(member_of "$RUN/push" lb1 why)"
fleet_becomes 10 $VIP "2 3"
is "connections that answer, by the members that were not asked" "$(hold_answered)" -eq 500
if ctl --json fleet status > "$RUN/status"; then fail "a sick member is not seen"; fi
is "VIPs that lb1 announces" "$(member_of "$RUN/status" lb1 announced)" -eq 0
# Repeated, the command still stops at the first member.
if ctl --json fleet push "$RUN/sick.json" gate 2s pause 100ms > "$RUN/push"; then fail "a sick configuration was pushed"; fi
is "results of the same push again" "$(jq -r '[.members[].result] | join(", ")' "$RUN/push")" = \
	"not well, not asked, not asked"
note "lb1: $(member_of "$RUN/push" lb1 why)"
ctl --json fleet push "$RUN/new.json" pause 100ms > "$RUN/push"
is "results of the way back" "$(jq -r '[.members[].result] | join(", ")' "$RUN/push")" = "applied, had it, had it"
fleet_becomes 10 $VIP "1 2 3"

# The gate in the middle: checks that find the servers from lb1 and lb3, and not from lb2, whose packets the servers
# do not answer. lb2 is named, and lb3 is not asked. Repeating the command stops at lb2 until that is mended, and
# completes the rest then.
results_of_push()
{
	jq -r '[.members[].result] | join(", ")' "$RUN/push"
}
for i in 1 2; do
	on_background "server$i" "open$i" "$PROBE" tcp-echo "10.10.0.1$i:9"
	wait_for 10 "the port of the checks is open" port_listens "server$i" 9 tcp
	ip -n "$NET-server$i" route add blackhole 10.10.1.2/32
done
jq '.shared.checks = [{name: "open", type: "tcp", port: 9, interval: "200ms", timeout: "200ms", fall: 1}] |
	.shared.services[0].check = "open"' "$RUN/new.clean.json" > "$RUN/checked.json"
if ctl --json fleet push "$RUN/checked.json" gate 5s pause 100ms > "$RUN/push"; then fail "a push past a member that is not well"; fi
is "results of a push that the gate stops midway" "$(results_of_push)" = "applied, not well, not asked"
note "lb2: $(member_of "$RUN/push" lb2 why)"
fleet_becomes 10 $VIP "1 3"
is "connections that answer, by the others" "$(hold_answered)" -eq 500
if ctl --json fleet push "$RUN/checked.json" gate 2s pause 100ms > "$RUN/push"; then fail "a push past a member that is not well"; fi
is "results of the same command, nothing mended" "$(results_of_push)" = "had it, not well, not asked"
for i in 1 2; do ip -n "$NET-server$i" route delete blackhole 10.10.1.2/32; done
ctl --json fleet push "$RUN/checked.json" gate 20s pause 100ms > "$RUN/push"
is "results of the same command, lb2 mended" "$(results_of_push)" = "had it, had it, applied"
fleet_becomes 10 $VIP "1 2 3"
is "connections that answer, all checked" "$(hold_answered)" -eq 500
ctl --json fleet push "$RUN/new.json" pause 100ms > "$RUN/push"
is "results of the way back" "$(results_of_push)" = "applied, applied, applied"

# A push that fails half way: the second member dies while the first one has it. Repeating the command completes it.
with_services 1 > "$RUN/half.json"
ctl --json fleet push "$RUN/half.json" pause 3s > "$RUN/push" 2> "$RUN/push.err" &
push=$!
wait_for 20 "lb1 has the change" has_services 1 3
fleet_kill 2
if wait $push; then fail "a push half way says that all is well"; fi
is "results of a push half way" "$(jq -r '[.members[].result] | join(", ")' "$RUN/push")" = "applied, failed, not asked"
fleet_becomes 20 $VIP "1 3"
is "connections that answer, half pushed" "$(hold_answered)" -eq 500
fleet_start 2
fleet_becomes 60 $VIP "1 2 3"
fleet_at 1
ctl --json fleet push "$RUN/half.json" pause 100ms > "$RUN/push"
is "results of the same command" "$(jq -r '[.members[].result] | join(", ")' "$RUN/push")" = "had it, applied, applied"
is "connections that answer, pushed" "$(hold_answered)" -eq 500

# A member that is away is named; the others are not touched before all can. It comes back with what
# it had, is seen to differ, and repeating the command completes what is missing.
with_services 2 > "$RUN/newer.json"
fleet_stop 3
if ctl --json fleet push "$RUN/newer.json" > "$RUN/push"; then fail "a push to a member that is away"; fi
is "of the member that is away" "$(member_of "$RUN/push" lb3 result)" = away
ctl --json fleet status > "$RUN/status" && fail "a member that is away is not seen"
is "of the member that is away" "$(member_of "$RUN/status" lb3 state)" = unreachable
is "services of the others" "$(rpc status | jq .services)" -eq 3

# The others go on without it, and have the change in their files as well.
ctl --json fleet push "$RUN/newer.json" pause 100ms force save > "$RUN/push"
is "members that applied" "$(jq '[.members[] | select(.result == "applied")] | length' "$RUN/push")" -eq 2
is "of the member that is away" "$(member_of "$RUN/push" lb3 result)" = away
is "services in the file of lb2" "$(jq '.shared.services | length' "$RUN/lb2.json")" -eq 4
fleet_start 3
fleet_becomes 60 $VIP "1 2 3"
fleet_at 1
if ctl --json fleet status > "$RUN/status"; then fail "a stale configuration is not seen"; fi
note "lb3: $(member_of "$RUN/status" lb3 why)"
ctl --json fleet push "$RUN/newer.json" pause 100ms > "$RUN/push"
is "of lb3" "$(member_of "$RUN/push" lb3 result)" = applied
ctl --json fleet status > "$RUN/status"
is "digests" "$(digests)" -eq 1
ctl --json fleet push pause 100ms > "$RUN/push"
is "members that had it" "$(jq '[.members[] | select(.result == "had it")] | length' "$RUN/push")" -eq 3

# Two members of one name: named, and nothing else changes.
fleet_stop 3
jq '.node.name = "lb2"' "$RUN/lb3.json" > "$RUN/lb3.json.new"
mv "$RUN/lb3.json.new" "$RUN/lb3.json"
fleet_start 3
fleet_becomes 60 $VIP "1 2 3"
fleet_at 1
if ctl --json fleet status > "$RUN/status"; then fail "two members of one name are not seen"; fi
is "what lb3 says of itself" "$(member_of "$RUN/status" lb3 why | grep -c 'calls itself lb2')" -eq 1
is "connections that answer, two of one name" "$(hold_answered)" -eq 500
fleet_stop 3
jq '.node.name = "lb3"' "$RUN/lb3.json" > "$RUN/lb3.json.new"
mv "$RUN/lb3.json.new" "$RUN/lb3.json"
fleet_start 3
fleet_becomes 60 $VIP "1 2 3"

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
fleet_becomes 60 $VIP "1 2 3"
is "connections that answer" "$(hold_answered)" -eq 500
hold_close
