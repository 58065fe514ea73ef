#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 120
# With --user every thread runs as that user, with few capabilities and behind the filter of
# system calls; what a router does at run time works all the same.
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/net/lib/health.sh
. "$TOP/tests/net/lib/health.sh"

USER=daemon
A=10.10.0.11:80 B=10.10.0.12:80
network_two_armed 1 2
for i in 1 2; do web_start server$i; done
chown $USER "$RUN"
chmod 755 "$RUN"
cat > "$RUN/told" <<-END
	#!/bin/sh
	id -u >> "$RUN/told.log"
END
chmod 755 "$RUN/told"
install -o $USER -m 644 /dev/null "$RUN/told.log"
mkdir -m 700 "$RUN/state"

# tries KIND PID: what an attacker inside of the process would, thread by thread; all is refused.
tries()
{
	"$TOP/tests/net/lib/inside.py" "$1" "$2" > "$RUN/tried" || fail "$(cat "$RUN/tried")"
	note "$(cat "$RUN/tried")"
}

# configure DRIVER
configure()
{
	PLVS_DRIVER=$1 PLVS_VDEVS=() PLVS_PORTS='[]'
	plvs_port public '{"addresses": ["192.0.2.10/24"]}'
	plvs_port private '{"addresses": ["10.10.0.2/16"]}'
	health_config '[{"name": "program", "type": "exec", "interval": "500ms", "timeout": "400ms", "rise": 1, "fall": 1,
		"exec": {"argv": ["/bin/sh", "-c", "test ! -e '"$RUN"'/fails"]}}]' \
		"$(service web tcp 192.0.2.80:80 nat rr $A $B | jq -c '.check = "program"')"
	jq --arg told "$RUN/told" --arg state "$RUN/state" '.node.state_dir = $state |
		.node.notify = {health: [$told]}' "$RUN/plvs.json" > "$RUN/plvs.json.new"
	mv "$RUN/plvs.json.new" "$RUN/plvs.json"
	chown $USER "$RUN/plvs.json"
}

# threads FIELD: its values over all threads of the router.
threads()
{
	sed -n "s/^$1:[[:space:]]*//p" /proc/"$PLVS_PID"/task/*/status | sort -u | paste -sd ' '
}

serves()
{
	web_ask client1 192.0.2.80 5 > "$RUN/answers" && [ "$(wc -l < "$RUN/answers")" -eq 5 ]
}

port_is()
{
	rpc port.list | jq -e ".ports[] | select(.name == \"$1\") | $2"
}

told()
{
	[ -s "$RUN/told.log" ]
}

works_at_run_time()
{
	local port said
	wait_for 20 "the web answers" serves
	wait_for 10 "programs of checks run" all_up
	for port in public private; do
		ip -n "$NET-dpdk" link delete "$port"
		wait_for 3 "$port is down" port_is $port '.link_up == false'
		leg_add dpdk "$port" "$port"
		wait_for 5 "$port is up" port_is $port '.link_up and .state == "works"'
	done
	on linux ip link delete public
	wait_for 5 "the TAP is made again" on linux ip link show dev public
	wait_for 20 "the web answers after ports were opened again" serves
	is "arp_announce of the TAP" "$(on linux sysctl -n net.ipv4.conf.public.arp_announce)" -eq 2
	! grep "no queue for urgent frames" "$RUN/plvs.log" || fail "a TAP that is made again has one queue"
	# The configuration is saved and read again.
	ctl server edit tcp:192.0.2.80:80 $A weight 7 > /dev/null
	ctl config save > /dev/null
	is "owner of the saved file" "$(stat -c %U "$RUN/plvs.json")" = $USER
	is "weight in the saved file" "$(jq '.shared.services[0].servers[0].weight' "$RUN/plvs.json")" -eq 7
	kill -HUP "$PLVS_PID"
	wait_for 5 "the file is read again" grep -q 'the configuration is read again' "$RUN/plvs.log"
	wait_for 10 "the web answers" serves
	# Programs that are told run as the user, and none runs as root, whatever a request asks for.
	: > "$RUN/told.log"
	touch "$RUN/fails"
	wait_for 10 "a program is told" told
	rm "$RUN/fails"
	wait_for 10 "both are up" all_up
	is "programs ran as" "$(sort -u "$RUN/told.log")" = "$(id -u $USER)"
	jq '.shared.checks[0].exec.user = "root"' "$RUN/plvs.json" > "$RUN/root.json"
	ctl config apply "$RUN/root.json" > /dev/null
	wait_for 10 "a check as root does not run" eval 'rpc health.list | grep -F "user or group cannot be taken on"'
	# Neither does a program of a user whom the configuration did not name at the start.
	jq '.shared.checks[0].exec.user = "games"' "$RUN/plvs.json" > "$RUN/games.json"
	ctl config apply "$RUN/games.json" > "$RUN/said"
	grep -q 'did not name the user "games" when plvs was started' "$RUN/said" || fail "config apply says: $(cat "$RUN/said")"
	said=$(ctl health try tcp:192.0.2.80:80 $A 2>&1 || true)
	[[ $said == *"user or group cannot be taken on"* ]] || fail "a check as another user says: $said"
}

PLVS_OPTIONS=(--user "$USER")
for driver in af_packet af_xdp; do
	note "--- $driver"
	configure $driver
	plvs_start 2
	is "threads" "$(find /proc/"$PLVS_PID"/task -mindepth 1 -maxdepth 1 | wc -l)" -ge 8
	is "their users" "$(threads Uid)" = "$(id -u $USER)	$(id -u $USER)	$(id -u $USER)	$(id -u $USER)"
	is "no new privileges" "$(threads NoNewPrivs)" = 1
	is "filter" "$(threads Seccomp)" = 2
	# NET_BIND_SERVICE, NET_ADMIN, NET_RAW, IPC_LOCK, SYS_NICE, BPF; for AF_XDP SYS_ADMIN, PERFMON.
	[ $driver = af_packet ] && kept=0000008000807400 || kept=000000c000a07400
	is "capabilities" "$(threads CapPrm)" = "$kept"
	is "usable" "$(threads CapEff)" = "$kept"
	is "threads under SCHED_FIFO" "$(ps -L -o cls= -p "$PLVS_PID" | grep -c FF)" -ge 1
	tries router "$PLVS_PID"
	for pid in $(pgrep -x 'plvs-(keeper|spawner)'); do
		grep -q "$RUN" "/proc/$pid/cmdline" || continue
		tries spawner "$pid"
		is "capabilities of $(cat "/proc/$pid/comm")" "$(sed -n 's/^CapPrm:\t//p' "/proc/$pid/status")" = 00000000002000e0
	done
	works_at_run_time
	doors_add_up
	plvs_stop
	is "XDP programs left" "$(ip -n "$NET-dpdk" -j -d link show | jq '[.[] | select(.xdp)] | length')" -eq 0
	is "control sockets left" "$(find "$RUN" -name plvs.sock | wc -l)" -eq 0
done
