#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 120
# A router that stops and leaves its connections to no peer writes them down; a router that starts takes them up, but
# never over what its peer has.
. "$(dirname "$0")/lib.sh"
. "$TOP/tests/net/lib/pair.sh"
. "$TOP/tests/net/lib/faults.sh"
. "$TOP/tests/net/lib/kept.sh"

files()
{
	find "$RUN/state-$1" -name "connections*" -type f | wc -l
}

PAIR_HA=$(jq -c '. + {start_delay: "3s"}' <<< "$PAIR_HA")
pair_ready 1 1 "$(service echo tcp 192.0.2.80:7 nat rr 10.10.0.11:7)"
echo_serve server1 tcp 10.10.0.11 7
wait_for 30 "the backup is synchronised" pair_synchronised b
hold_open 200 192.0.2.80:7

note "the active router ends while its peer is dead, and starts again alone"
pair_kill b
stays 1 "active "
pair_stop a
is "files of a" "$(files a)" -eq 1
pair_start a
is "files of a once it runs" "$(files a)" -eq 0
pair_becomes 10 a active
kept_round "after the restart of a" 200

note "the last one to end has the file, and goes first, though the primary starts with it"
pair_start b
pair_becomes 20 b backup
wait_for 30 "b is synchronised" pair_synchronised b
pair_stop a
pair_becomes 5 b active
ended()
{
	grep -q "the peer has ended in order" "$RUN/b.log"
}
wait_for 2 "b says that a ended" ended
! grep -q "the peer is not heard" "$RUN/b.log" || fail "b takes an orderly end for a crash"
is "files of a after a hand-over" "$(files a)" -eq 0
pair_stop b
is "files of b" "$(files b)" -eq 1
cp "$RUN/state-b/connections" "$RUN/old"
pair_start a b
pair_becomes 20 b active
pair_becomes 5 a backup
kept_round "after the restart of both" 200
wait_for 30 "a is synchronised" pair_synchronised a

note "a file is nothing against an active peer"
pair_kill a
pair_kill b
pair_start b
pair_becomes 10 b active
is "connections of b" "$(rpc status | jq .connections.live)" -eq 0
mv "$RUN/old" "$RUN/state-a/connections"
: > "$RUN/a.log"
pair_start a
grep -q "connections of before taken up" "$RUN/a.log" || fail "a did not read the file"
pair_becomes 10 a backup
wait_for 30 "a is synchronised" pair_synchronised a
holds_nothing()
{
	[ "$(rpc status | jq .connections.live)" -eq 0 ]
}
wait_for 5 "a holds what b does, not what the file did" holds_nothing
hold_close
