#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 120
#
# A change of what the two routers of a pair share goes to the other one by itself, and is carried out
# by the active one, whichever is asked. They say when they differ, and why the other one does not take what it is sent.
. "$(dirname "$0")/lib.sh"
. "$TOP/tests/net/lib/pair.sh"

differs()
{
	pair_at "$1"
	[ "$(rpc ha.status | jq .peer.configuration_differs)" = "$2" ]
}

pair_network 1 2
web=$(service web tcp 192.0.2.80:80 nat rr 10.10.0.11:8080)
pair_config a "$web"
pair_config b "$web"
# Addresses of each router's own that the other one does not know of; those of paths it does.
for own in a:192.0.2.7/24 b:192.0.2.8/24; do
	jq --arg own "${own#*:}" '.node.ports[0].linux.addresses += [$own]' "$RUN/${own%:*}.json" \
		> "$RUN/new"
	mv "$RUN/new" "$RUN/${own%:*}.json"
done
pair_start a b
pair_becomes 20 a active
pair_becomes 20 b backup
wait_for 5 "the routers agree" differs a false
ctl ha status > "$RUN/said"
grep -q "^connections: 0 told, 0 heard" "$RUN/said" || fail "without connections: $(grep told "$RUN/said")"

note "a change at a is stored at b by itself"
pair_at a
ctl service add tcp:192.0.2.81:80 scheduler rr
ctl server add tcp:192.0.2.81:80 10.10.0.12:8080 2> "$RUN/said"
is "said of the peer" "$(wc -c < "$RUN/said")" -eq 0
pair_at b
is "services of b" "$(rpc status | jq .services)" -eq 2
differs b false || fail "b says that they differ"

note "the active router carries out what is asked for at the backup"
author_is()
{
	[ "$(rpc config.history | jq -r '.versions[0].author')" = "$1" ]
}
pair_at b
rpc service.add "$(service asked tcp 192.0.2.84:80 nat rr 10.10.0.11:8080)" > "$RUN/said"
is "stored" "$(jq -c .stored "$RUN/said")" = '{"here":true,"peer":true}'
is "services of b" "$(rpc status | jq .services)" -eq 3
wait_for 5 "the author at b is the peer" author_is "the peer"
pair_at a
is "services of a" "$(rpc status | jq .services)" -eq 3
wait_for 5 "the author at a is the peer" author_is "the peer"
# A configuration that the active router refuses changes nothing at the backup: the VIP is an address of a path of a's.
pair_at b
if rpc service.add "$(service refused tcp 192.0.2.10:80 nat rr 10.10.0.11:8080)" > "$RUN/said" 2>&1; then
	fail "the active router took its own address for a service"
fi
is "services of b" "$(rpc status | jq .services)" -eq 3
ctl service delete tcp:192.0.2.84:80
is "services of b" "$(rpc status | jq .services)" -eq 2

note "each router knows how far the other one's clock is off: both are of this machine"
for router in a b; do
	pair_at $router
	is "microseconds at $router" "$(rpc ha.peer_clock | jq '.ahead_us - .error_us')" -le 0
	is "microseconds at $router" "$(rpc ha.peer_clock | jq '.ahead_us + .error_us')" -ge 0
done
is "questions for the time in the audit" "$(ctl events last 100 once | grep -c 'ha clock' || true)" -eq 0

note "so it does with a configuration as a whole; the node part is each router's own"
# whole ROUTER PORT LEVEL: the running configuration and one service more, with a log level.
whole()
{
	pair_at "$1"
	rpc config.get '{"part": "all"}' | jq --arg level "$3" \
		--argjson s "$(service "s$2" tcp "192.0.2.80:$2" nat rr 10.10.0.11:8080)" \
		'.config | .shared.services += [$s] | .node.log.level = $level'
}
# applied ROUTER FILE MORE: at the router.
applied()
{
	pair_at "$1"
	rpc config.apply "$(jq -cn --arg path "$RUN/$2" --argjson more "$3" '{path: $path} + $more')"
}
# last ROUTER: author and comment of the running version.
last()
{
	pair_at "$1"
	rpc config.history | jq -r '.versions[0] | "\(.author): \(.comment)"'
}
services_are()
{
	local r
	for r in a b; do
		pair_at $r
		[ "$(rpc status | jq .services)" -eq "$1" ] || return 1
	done
}
log_level()
{
	pair_at "$1"
	rpc config.get '{"part": "node"}' | jq -r .config.node.log.level
}
# A version that is replaced within 0.3 s is not kept, and this one is to be put back.
is_kept()
{
	local r
	for r in a b; do
		pair_at $r
		rpc config.history | jq -e '.versions[0].kept' > /dev/null || return 1
	done
}
level=$(log_level a)
wait_for 5 "the version of before is kept" is_kept
whole b 82 debug > "$RUN/whole.json"
applied b whole.json '{"comment": "asked at b"}' > "$RUN/said"
is "stored" "$(jq -c .stored "$RUN/said")" = '{"here":true,"peer":true}'
is "changes" "$(jq '.changes | length' "$RUN/said")" -eq 1
services_are 3 || fail "the service is not at both"
for r in a b; do is "said of it at $r" "$(last $r)" = "the peer: asked at b"; done
is "log level of b" "$(log_level b)" = debug
is "log level of a" "$(log_level a)" = "$level"
whole b 83 info | jq '.shared.services[-1].listen = ["192.0.2.7:83"]' > "$RUN/whole.json"
pair_at b
! ctl config apply "$RUN/whole.json" > "$RUN/said" 2>&1 || fail "a took its own address for a service"
grep -q "192.0.2.7" "$RUN/said" || fail "the answer does not name the address: $(cat "$RUN/said")"
services_are 3 || fail "what a refused changed something"
is "log level of b" "$(log_level b)" = debug
whole b 83 info > "$RUN/whole.json"
! ctl config apply "$RUN/whole.json" --confirm-within 20s > "$RUN/said" 2>&1 ||
	fail "node and shared part are on trial together"
grep -q "apply one after the other" "$RUN/said" || fail "$(cat "$RUN/said")"
services_are 3 || fail "what was refused changed something"

note "a way back is asked of the active router as well, and so is the end of a trial"
pair_at b
rpc config.rollback '{"version": "1"}' > "$RUN/said"
is "stored" "$(jq -c .stored "$RUN/said")" = '{"here":true,"peer":true}'
services_are 2 || fail "the rollback is not at both"
[[ $(last a) == "the peer: config rollback to "* ]] || fail "history of a: $(last a)"
whole b 83 debug > "$RUN/whole.json"
applied b whole.json '{"confirm_within": "60s"}' > "$RUN/said"
services_are 3 || fail "the trial is not at both"
pair_at b
ctl config rollback > "$RUN/said" 2>&1 || fail "rollback: $(cat "$RUN/said")"
services_are 2 || fail "the trial is not taken back at both"
pair_at a
# b asks a for the rollback, or goes back itself and a follows.
wait_for 5 "the audit of a has the rollback" grep -qE \
	'the peer: config (rollback|apply): 1 change: delete service tcp:192.0.2.80:83' "$RUN/a.log"

note "and SIGHUP at the backup"
level_is()
{
	[ "$(log_level "$1")" = "$2" ]
}
whole b 84 notice > "$RUN/b.json.new"
mv "$RUN/b.json.new" "$RUN/b.json"
kill -HUP "${ROUTER_PID[b]}"
wait_for 5 "both have the service" services_are 3
wait_for 5 "b goes by its own node part" level_is b notice
is "said of it" "$(last a)" = "the peer: config apply of the start file"
pair_at b
is "unsaved at b" "$(rpc status | jq .configuration.unsaved)" = false
ctl service delete tcp:192.0.2.80:84

note "nobody on the wire reads it"
on_background dpdk-b dump tcpdump -i any --immediate-mode -U -w "$RUN/wire.pcap" udp port 7695
wait_for 10 "tcpdump listens" grep -q "listening on" "$RUN/dump.log"
pair_at a
rpc service.add "$(service not-for-strangers tcp 192.0.2.81:81 nat rr 10.10.0.11:8080)" > "$RUN/said"
is "stored" "$(jq -c .stored "$RUN/said")" = '{"here":true,"peer":true}'
sealed()
{
	grep -aq PLVB "$RUN/wire.pcap"
}
wait_for 5 "a sealed block is on the wire" sealed
background_stop dump INT || fail "tcpdump: $(cat "$RUN/dump.log")"
is "bytes on the wire" "$(stat -c %s "$RUN/wire.pcap")" -ge 1000
! grep -aq "not-for-strangers" "$RUN/wire.pcap" || fail "the configuration crosses in clear"
! grep -aq "192.0.2.81" "$RUN/wire.pcap" || fail "the configuration crosses in clear"
ctl service delete tcp:192.0.2.81:81

note "what the peer cannot be is refused there, changes nothing, and is told"
pair_at a
ctl service add tcp:192.0.2.8:80 scheduler rr 2> "$RUN/said" # an address of b's own
grep -q "at the peer the change is not stored: .*192.0.2.8" "$RUN/said" ||
	fail "the answer does not name the address: $(cat "$RUN/said")"
pair_at b
is "services of b" "$(rpc status | jq .services)" -eq 2
for r in a b; do wait_for 5 "$r says that they differ" differs $r true; done
pair_at a
ctl ha status > "$RUN/said"
grep -q "DIFFERS" "$RUN/said" || fail "ha status does not say that they differ"
grep -q "The peer does not take it: .*192.0.2.8" "$RUN/said" || fail "ha status: $(cat "$RUN/said")"
! ctl config push plan > "$RUN/push" 2>&1 || fail "b would take its own address as a VIP"
grep -q "192.0.2.8" "$RUN/push" || fail "the plan does not name the address: $(cat "$RUN/push")"
! ctl config push > "$RUN/push" 2>&1 || fail "b took its own address as a VIP"
grep -q "192.0.2.8" "$RUN/push" || fail "the answer does not name the address: $(cat "$RUN/push")"
ctl service delete tcp:192.0.2.8:80
for r in a b; do wait_for 5 "the routers agree again" differs $r false; done

note "without a peer there is nobody to push to"
pair_kill b
pair_at a
not_heard()
{
	! ctl config push > "$RUN/push" 2>&1 && grep -q "not heard" "$RUN/push"
}
wait_for 20 "the push is refused" not_heard
doors_add_up
