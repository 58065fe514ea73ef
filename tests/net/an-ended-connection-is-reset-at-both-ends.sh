#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 60
# families: 4 6
. "$(dirname "$0")/lib.sh"

HOLD=$TOP/tests/net/lib/holders.py

network_two_armed 1 2
server_add_direct 2 192.0.2.91
plvs_config "$(service nat tcp 192.0.2.90:80 nat rr 10.10.0.11:80)" \
	"$(service dr tcp 192.0.2.91:80 dr rr 192.0.2.12:80)"
plvs_start
on_background server1 nat-server python3 "$HOLD" serve 10.10.0.11 80
on_background server2 dr-server python3 "$HOLD" serve 192.0.2.91 80
wait_for 10 "the servers listen" port_listens server1 80
wait_for 10 "the servers listen" port_listens server2 80
on_background client1 nat-client python3 "$HOLD" connect 192.0.2.90 80 4 20001
on_background client1 dr-client python3 "$HOLD" connect 192.0.2.91 80 3 30001

# said LABEL WORD COUNT: so many lines begin with the word.
said()
{
	[ "$(grep -c "^$2 " "$RUN/$1.log")" -eq "$3" ]
}
wait_for 10 "the server has the connections by NAT" said nat-server open 4
wait_for 10 "the server has the connections by DR" said dr-server open 3

note "one connection is ended, the others go on"
ctl connection end tcp "$(inet 192.0.2.101:20002)" "$(inet 192.0.2.90:80)" > "$RUN/out"
grep -qx '1 connection ended' "$RUN/out" || fail "words: $(cat "$RUN/out")"
for end in client server; do
	wait_for 5 "the $end has a RST" said nat-$end reset 1
	grep -qx 'reset 20002' "$RUN/nat-$end.log" || fail "another one at the $end"
done
is "exit without such a connection" "$(ctl connection end tcp "$(inet 192.0.2.101:2)" "$(inet 192.0.2.90:80)" \
	> /dev/null 2>&1; echo $?)" -eq 4

note "those of a filter are ended: by direct routing the client is asked"
ctl connection end-all service dr client "$(inet 192.0.2.101/32)" > "$RUN/out"
grep -qx '3 connections ended' "$RUN/out" || fail "words: $(cat "$RUN/out")"
for end in client server; do
	wait_for 5 "the $end has all RSTs" said dr-$end reset 3
	is "RSTs by NAT at the $end" "$(grep -c '^reset' "$RUN/nat-$end.log")" -eq 1
done

note "the audit says who ended what"
ctl events last 20 once > "$RUN/events"
grep -q 'connection end_all dr client=.*: 3 connections$' "$RUN/events" ||
	fail "the audit: $(cat "$RUN/events")"
grep -q 'connection end protocol=tcp .*: 1 connection$' "$RUN/events" || fail "the audit: $(cat "$RUN/events")"
doors_add_up
