#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 90
#
# A change of what the two routers of a pair share goes to the other one by itself. They say when
# they differ, and why the other one does not take what it is sent.
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
# An address of b's own that a does not know of; a refuses those of the paths itself.
jq '.node.ports[0].linux.addresses += ["192.0.2.8/24"]' "$RUN/b.json" > "$RUN/b.json.new"
mv "$RUN/b.json.new" "$RUN/b.json"
pair_start a b
pair_becomes 20 a active
pair_becomes 20 b backup
wait_for 5 "the routers agree" differs a false

note "a change at a is stored at b by itself"
pair_at a
ctl service add tcp:192.0.2.81:80 scheduler rr
ctl server add tcp:192.0.2.81:80 10.10.0.12:8080 2> "$RUN/said"
is "said of the peer" "$(wc -c < "$RUN/said")" -eq 0
pair_at b
is "services of b" "$(rpc status | jq .services)" -eq 2
differs b false || fail "b says that they differ"

note "the active router carries out what is asked for at the backup"
pair_at b
rpc service.add "$(service asked tcp 192.0.2.84:80 nat rr 10.10.0.11:8080)" > "$RUN/said"
is "stored" "$(jq -c .stored "$RUN/said")" = '{"here":true,"peer":true}'
is "services of b" "$(rpc status | jq .services)" -eq 3
is "author at b" "$(rpc config.history | jq -r '.versions[0].author')" = "the peer"
pair_at a
is "services of a" "$(rpc status | jq .services)" -eq 3
is "author at a" "$(rpc config.history | jq -r '.versions[0].author')" = "the peer"
# What the active router refuses changes nothing at the backup: it is an address of a path of a's.
pair_at b
if rpc service.add "$(service refused tcp 192.0.2.10:80 nat rr 10.10.0.11:8080)" > "$RUN/said" 2>&1; then
	fail "the active router took its own address for a service"
fi
is "services of b" "$(rpc status | jq .services)" -eq 3
ctl service delete tcp:192.0.2.84:80
is "services of b" "$(rpc status | jq .services)" -eq 2

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
