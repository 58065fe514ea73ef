# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# A router without a peer that is killed with all its processes, as a service manager kills a unit,
# and starts again. Sourced after lib.sh.

KILLED_GROUP=
# The method of services that are not by DR.
KILLED_METHOD=nat

# A control group of the router's own, where the machine lets us have one.
killed_group()
{
	local mount
	mount=$(findmnt -nt cgroup2 -o TARGET | head -1)
	if [ -n "$mount" ] && mkdir "$mount/$NET" 2> /dev/null && [ -e "$mount/$NET/cgroup.kill" ]; then
		KILLED_GROUP=$mount/$NET
	else
		note "no control group of cgroup2 here: processes are killed by their ids"
	fi
}

# killed_start WORKERS: the shell is in the group while it starts the router.
killed_start()
{
	[ -z "$KILLED_GROUP" ] || echo $$ > "$KILLED_GROUP/cgroup.procs"
	plvs_start "$1"
	[ -z "$KILLED_GROUP" ] || echo $$ > "${KILLED_GROUP%/*}/cgroup.procs"
}

# Processes of the router, the spawner and its keeper included.
killed_processes()
{
	if [ -n "$KILLED_GROUP" ]; then
		cat "$KILLED_GROUP/cgroup.procs"
	else
		pgrep -f "$BUILD/src/plvs .* -c $RUN/plvs.json" || true
	fi
}

killed_all_gone()
{
	[ -z "$(killed_processes)" ]
}

killed_kill()
{
	local pid=$PLVS_PID
	PLVS_PID=
	rm -f "$RUN/plvs.pid"
	is "processes of the router" "$(killed_processes | wc -l)" -ge 2
	if [ -n "$KILLED_GROUP" ]; then
		echo 1 > "$KILLED_GROUP/cgroup.kill"
	else
		# shellcheck disable=SC2046
		kill -KILL $(killed_processes)
	fi
	wait "$pid" 2> /dev/null || true
	wait_for 20 "all processes of the router are gone" killed_all_gone
}

# A router of a test that failed may run still.
killed_group_end()
{
	local tries=100
	if [ -n "$KILLED_GROUP" ]; then
		echo 1 > "$KILLED_GROUP/cgroup.kill"
		while ! rmdir "$KILLED_GROUP" 2> /dev/null && [ $((tries -= 1)) -gt 0 ]; do sleep 0.1; done
	fi
	[ -z "${LEDGERS:-}" ] || rm -rf "$LEDGERS"
}

# Each connection and template, as listed; without fields that change by themselves.
killed_list()
{
	ctl --json connection list limit 100000 |
		jq -c '.. | objects | select(has("client")) |
			{protocol, client, virtual, server, template}' | sort
}

# killed_hold NAME VIP:PORT COUNT: connections that stay open, in $RUN/hold-NAME.
killed_hold()
{
	mkfifo "$RUN/ask-$1"
	on client1 "$PROBE" tcp-hold "$2" --count "$3" --rate 2000 < "$RUN/ask-$1" \
		> "$RUN/hold-$1" 2>&1 &
	# Written to later; a reader waits for the first writer.
	eval "exec {ASK_$1}> '$RUN/ask-$1'"
}

# killed_answered NAME ROUND COUNT
killed_answered()
{
	killed_reports()
	{
		[ "$(grep -c answered "$RUN/hold-$1")" -ge "$2" ]
	}
	wait_for 60 "$1: round $2 ends" killed_reports "$1" "$2"
	is "$1: connections that answer, round $2" "$(tail -1 "$RUN/hold-$1" | jq .answered)" -eq "$3"
}

# The router has lived for so long that its start counts as no failure (ledger.c): the header's
# count of starts is 0 again.
killed_lasts()
{
	[ "$(od -An -tu4 -j64 -N4 "$LEDGERS/ledger" | tr -d ' ')" -eq 0 ]
}

# killed_rounds COUNT WORKERS...: COUNT connections by KILLED_METHOD and as many by DR go on through a kill
# and a start with each number of workers.
killed_rounds()
{
	local count=$1 i workers round=1
	shift
	killed_group
	LEDGERS=$(mktemp -d /dev/shm/plvs-killed.XXXXXX)
	at_exit killed_group_end
	network_two_armed 1 2
	for i in 1 2; do server_add_direct $i 192.0.2.81; done
	plvs_config "$(service nat tcp 192.0.2.80:7 $KILLED_METHOD rr 10.10.0.11:7 10.10.0.12:7)" \
		"$(service dr tcp 192.0.2.81:7 dr rr 192.0.2.11:7 192.0.2.12:7)" \
		"$(service ask udp 192.0.2.80:9 $KILLED_METHOD rr 10.10.0.11:9 10.10.0.12:9)" \
		"$(service client tcp 192.0.2.80:8 $KILLED_METHOD rr 10.10.0.11:7 10.10.0.12:7 |
			jq '.persistence = {timeout: 300}')"
	jq --arg path "$LEDGERS/ledger" '.node.ledger = {enabled: true, path: $path}' \
		"$RUN/plvs.json" > "$RUN/plvs.json.new"
	mv "$RUN/plvs.json.new" "$RUN/plvs.json"
	killed_start 2
	for i in 1 2; do
		echo_serve server$i tcp 10.10.0.1$i 7
		on_background server$i echo-dr-$i "$PROBE" tcp-echo "$(inet 192.0.2.81:7)"
		echo_serve server$i udp 10.10.0.1$i 9
	done
	killed_hold nat 192.0.2.80:7 "$count"
	killed_hold dr 192.0.2.81:7 "$count"
	killed_hold client 192.0.2.80:8 20
	for i in nat:$count dr:$count client:20; do killed_answered "${i%:*}" 1 "${i#*:}"; done
	on client1 "$PROBE" udp-ask 192.0.2.80:9 --flows 50 --count 100 --rate 500 > "$RUN/udp"
	is "datagrams answered" "$(jq .received "$RUN/udp")" -eq 100
	killed_list > "$RUN/before"
	is "connections and templates listed" "$(wc -l < "$RUN/before")" -eq $((2 * count + 20 + 50 + 1))

	for workers; do
		round=$((round + 1))
		[ "$round" -le 4 ] || wait_for 20 "the start counts as one that lasts" killed_lasts
		on_background client1 beat "$PROBE" tcp-knock 192.0.2.80:7 --count 100000 --rate 200
		killed_kill
		is "file of the ledger" "$(stat -c %a "$LEDGERS/ledger")" = 600
		killed_start "$workers"
		rpc status | jq -c .kept > "$RUN/kept.json"
		note "with $workers workers: $(cat "$RUN/kept.json")"
		killed_list > "$RUN/after"
		is "connections and templates of before that are missing" \
			"$(comm -23 "$RUN/before" "$RUN/after" | wc -l)" -eq 0
		is "taken up" "$(jq .connections "$RUN/kept.json")" -ge "$(wc -l < "$RUN/before")"
		for kind in nat dr client; do eval "echo ask >&\$ASK_$kind"; done
		for i in nat:$count dr:$count client:20; do
			killed_answered "${i%:*}" $round "${i#*:}"
		done
		background_stop beat INT || true
		jq -r '.longest_gap_ms // empty' "$RUN/beat.log" >> "$RUN/restart.gaps"
	done
	note "gaps of new connections in ms, the start of the process included:" \
		"$(tr '\n' ' ' < "$RUN/restart.gaps")"
	is "warnings of the ledger" "$(rpc status | jq -r .kept.ledger.fault)" = null
	doors_add_up
}
