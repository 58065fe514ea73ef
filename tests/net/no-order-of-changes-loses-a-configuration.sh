#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 180
# Versions of the shared configuration: a change goes to the peer by itself, whichever router it
# is made at; a router that comes back takes what is newer; what was changed at both is an alarm,
# and overwrites nothing.
. "$(dirname "$0")/lib.sh"
. "$TOP/tests/net/lib/pair.sh"
. "$TOP/tests/net/lib/faults.sh"

relation()
{
	[ "$(of "$1" .configuration.relation)" = "$2" ]
}

both_equal()
{
	relation a equal && relation b equal &&
		[ "$(of a .configuration.version)" = "$(of b .configuration.version)" ]
}

both_diverged()
{
	relation a diverged && relation b diverged
}

# services ROUTER: names of VIPs and ports, in one line.
services()
{
	pair_at "$1"
	rpc service.list | jq -r '[.services[].key] | sort | join(" ")'
}

add()
{
	rpc service.add "$(service "s$1" tcp "192.0.2.80:$1" nat rr 10.10.0.11:8080)"
}

edit_file()
{
	jq --argjson s "$(service "s$2" tcp "192.0.2.80:$2" nat rr 10.10.0.12:8080)" \
		'.shared.services += [$s]' "$RUN/$1.json" > "$RUN/new"
	mv "$RUN/new" "$RUN/$1.json"
}

PAIR_HA=$(jq -c '. + {failback: "auto", failback_delay: "2s"}' <<< "$PAIR_HA")
pair_ready 1 2 "$(service web tcp 192.0.2.80:80 nat rr 10.10.0.11:8080)"
for i in 1 2; do web_start server$i 8080; done
wait_for 5 "the routers agree" both_equal

note "a change is stored at both before it is answered, whichever router is asked"
pair_at a
stored=$(add 81 | jq -c .stored)
is "stored" "$stored" = '{"here":true,"peer":true}'
pair_at b
stored=$(add 82 | jq -c .stored)
is "stored" "$stored" = '{"here":true,"peer":true}'
is "services of a" "$(services a)" = "tcp:192.0.2.80:80 tcp:192.0.2.80:81 tcp:192.0.2.80:82"
is "services of b" "$(services b)" = "$(services a)"
wait_for 2 "the routers agree" both_equal
last=$(of b .configuration.version)

note "the primary dies; what is changed meanwhile survives its return with its old file"
pair_kill a
pair_becomes 5 b active
pair_at b
stored=$(add 83 | jq -c .stored.why_not_peer)
is "stored" "$stored" = '"the peer is not heard"'
pair_start a
wait_for 10 "a takes what is newer" both_equal
[ "$(of b .configuration.version)" != "$last" ] || fail "the version of b is the old one"
is "services of a" "$(services a)" = "$(services b)"
pair_becomes 30 a active
is "services of a" "$(services a)" = \
	"tcp:192.0.2.80:80 tcp:192.0.2.80:81 tcp:192.0.2.80:82 tcp:192.0.2.80:83"
pair_serves 192.0.2.80 3 || fail "the web does not answer by a"
on client1 curl -s --max-time 2 "http://192.0.2.80:83/" > /dev/null || fail "port 83 is silent"

note "while the role moves back to the primary nothing is changed, and nothing is pushed"
pair_becomes 20 b backup
wait_for 10 "b holds the connections of a" pair_synchronised b
ctl ha handover > /dev/null # failback waits for a reset from here on
pair_becomes 10 b active
pair_becomes 10 a backup
wait_for 10 "a holds the connections of b" pair_synchronised a
# Messages of b about new connections are lost, so that the hand-over waits.
for l in public private; do
	for d in tx rx; do loss b $l $d "udp dport 7695"; done
done
on_background client1 asking sh -c 'while :; do curl -s --max-time 1 http://192.0.2.80/; done'
pair_at b
ctl ha reset > /dev/null
wait_for 10 "b gives the active role back" pair_is b handover
moves()
{
	[ "$(of a .peer.state)" = handover ]
}
wait_for 2 "a hears of it" moves
for r in a b; do
	pair_at $r
	for words in "service delete tcp:192.0.2.80:82" "config apply $RUN/$r.json" "config push"; do
		# shellcheck disable=SC2086 # words
		! timeout 2 "$BUILD/src/cli/plvsctl" --socket "$RUN/plvs.sock" $words > "$RUN/said" 2>&1 ||
			fail "$words at $r during a hand-over"
		grep -q "a hand-over is under way" "$RUN/said" || fail "$words at $r: $(cat "$RUN/said")"
	done
done
is "state of b after the refusals" "$(pair_state b)" = handover
background_stop asking KILL || true
loss_end
pair_becomes 30 a active
wait_for 5 "the routers agree" both_equal

note "both die: what ran last runs again, though no file has it"
pair_becomes 30 b backup
before=$(services a)
pair_kill b
pair_kill a
pair_start a b
pair_becomes 20 a active
wait_for 10 "the routers agree" both_equal
is "services of a" "$(services a)" = "$before"
is "in the log of a" "$(grep -c 'ran before the restart is in place again' "$RUN/a.log")" -ge 1

note "edits at both while they do not hear each other"
pair_becomes 20 b backup
for l in public private; do
	for d in tx rx; do
		heartbeat_loss a $l $d
		loss a $l $d "udp dport 7695"
	done
done
pair_becomes 5 b active
pair_at a
add 84 > /dev/null
pair_at b
add 85 > /dev/null
loss_end
wait_for 10 "both say that they have diverged" both_diverged
for r in a b; do
	alarm=$(of $r .alarm)
	[[ $alarm == *"have diverged"* ]] || fail "the alarm of $r: $alarm"
	difference()
	{
		[ "$(of "$r" '.configuration.difference // [] | length')" -ge 2 ]
	}
	wait_for 15 "$r shows the difference" difference
	note "$r: $(of "$r" '.configuration.difference | join(", ")')"
	pair_at $r
	! ctl config push > "$RUN/said" 2>&1 || fail "$r pushed over what has diverged"
	grep -q "have diverged" "$RUN/said" || fail "push: $(cat "$RUN/said")"
	! ctl ha handover > "$RUN/said" 2>&1 || fail "$r handed over"
	grep -q "configurations are not the same" "$RUN/said" || fail "handover: $(cat "$RUN/said")"
done
# Longer than failback_delay.
active=$([ "$(pair_state a)" = active ] && echo a || echo b)
stays 4 "$(roles_seen)"
is "port 84 at a" "$(services a | grep -c :84)" -eq 1
is "port 85 at b" "$(services b | grep -c :85)" -eq 1
pair_at "$active"
ctl config push force > "$RUN/said" || fail "push force: $(cat "$RUN/said")"
wait_for 5 "the routers agree" both_equal
is "services of b" "$(services b)" = "$(services a)"
is "alarm" "$(of a .alarm)" = null

note "a backup that was restored from last week takes what is newer"
pair_becomes 30 a active
pair_becomes 10 b backup
cp -r "$RUN/state-b" "$RUN/state-old"
pair_at a
add 86 > /dev/null
pair_kill b
rm -rf "$RUN/state-b"
mv "$RUN/state-old" "$RUN/state-b"
pair_start b
wait_for 10 "the routers agree" both_equal
is "services of b" "$(services b)" = "$(services a)"

note "a clone of a in the place of b"
pair_kill b
rm -rf "$RUN/state-b"
cp -r "$RUN/state-a" "$RUN/state-b"
pair_start b
wait_for 10 "the routers agree" both_equal
is "services of b" "$(services b)" = "$(services a)"

note "a node without a store whose file says something else is related to nobody"
pair_kill b
rm -rf "$RUN/state-b"
pair_start b
wait_for 10 "both say that they have diverged" both_diverged
before=$(services a)
pair_at a
ctl config push force > "$RUN/said" || fail "push force: $(cat "$RUN/said")"
wait_for 5 "the routers agree" both_equal
is "services of a" "$(services a)" = "$before"
is "services of b" "$(services b)" = "$before"

note "a file that was edited while its router was down is newer"
pair_kill b
pair_at a
ctl config save > /dev/null
jq '.shared' "$RUN/a.json" > "$RUN/shared"
jq --slurpfile s "$RUN/shared" '.shared = $s[0]' "$RUN/b.json" > "$RUN/new"
mv "$RUN/new" "$RUN/b.json"
edit_file b 87
pair_start b
wait_for 10 "the routers agree" both_equal
is "port 87 at a" "$(services a | grep -c :87)" -eq 1

note "a disk that is full: the answer says so, and the change is made"
pair_kill b
mv "$RUN/state-b" "$RUN/state-b.old"
mkdir "$RUN/state-b"
disk_end()
{
	pair_end
	umount "$RUN/state-b"
}
at_exit disk_end
mount -t tmpfs -o size=1M,mode=700 tmpfs "$RUN/state-b"
cp -r "$RUN/state-b.old/." "$RUN/state-b"
pair_start b
pair_becomes 20 b backup
wait_for 10 "the routers agree" both_equal
! cat /dev/zero > "$RUN/state-b/filling" 2> /dev/null || fail "the disk is not full"
pair_at a
stored=$(add 88 | jq -c .stored)
[[ $stored == *'"peer":false'*"has not stored it"*"No space left on device"* ]] || fail "stored: $stored"
fault()
{
	[[ $(of b .configuration.fault) == *state-b*"No space left on device"* ]]
}
wait_for 5 "b says why it stores nothing" fault
is "services of b" "$(services b)" = "$(services a)"
rm "$RUN/state-b/filling"
pair_at a
stored=$(add 89 | jq -c .stored)
is "stored" "$stored" = '{"here":true,"peer":true}'
