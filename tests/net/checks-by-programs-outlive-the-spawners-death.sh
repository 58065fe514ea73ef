#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 60
# kill -9 of the processes that run programs, while checks by programs go on.
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/net/lib/health.sh
. "$TOP/tests/net/lib/health.sh"

A=10.10.0.11:7000
network_two_armed 1 1
# Its exit code is what the file says; each run is a line.
cat > "$RUN/ask" <<-END
	#!/bin/sh
	echo run >> "$RUN/runs"
	exit "\$(cat "$RUN/code")"
END
chmod 755 "$RUN/ask" "$RUN"
echo 0 > "$RUN/code"
touch "$RUN/runs"
health_config "[{\"name\": \"program\", \"type\": \"exec\", \"interval\": \"200ms\",
	\"timeout\": \"2s\", \"rise\": 1, \"fall\": 2, \"exec\": {\"argv\": [\"$RUN/ask\"], \"user\": \"root\"}}]" \
	"$(service web tcp 192.0.2.80:80 nat rr $A | jq -c '.check = "program"')"
plvs_start
wait_for 10 "the server is up" all_up

# helper NAME: the process of this router with that name.
helper()
{
	local pid
	for pid in $(pgrep -x "$1"); do
		if [ "$(ip netns identify "$pid")" = "$NET-dpdk" ]; then echo "$pid"; fi
	done
}
check_state()
{
	[ "$(health_of web $A '.checks[0].state')" = "$1" ]
}
warned()
{
	rpc status | jq -e --arg text "$1" '.warnings | any(contains($text))'
}

# Killed: started again, and checks find what is the matter with the server.
before=$(helper plvs-spawner)
kill -KILL "$before"
echo 1 > "$RUN/code"
server_becomes 5 web $A down
is "another spawner" "$(helper plvs-spawner)" != "$before"
wait_for 2 "status warns of the restart" warned "was started again, 1 times"
is "the log says" "$(grep -c 'the spawner has ended and is started again' "$RUN/plvs.log")" -eq 1
is "the log says later" "$(grep -c 'the spawner runs again' "$RUN/plvs.log")" -eq 1
echo 0 > "$RUN/code"
server_becomes 5 web $A up

# The keeper is killed: the spawner takes its place.
keeper=$(helper plvs-keeper)
kill -KILL "$keeper"
wait_for 5 "a second restart" warned "was started again, 2 times"
echo 1 > "$RUN/code"
server_becomes 5 web $A down
echo 0 > "$RUN/code"
server_becomes 5 web $A up

# Both at once: nobody is left. The check is unknown, the server stays up, status says why.
both=("$(helper plvs-keeper)" "$(helper plvs-spawner)")
kill -STOP "${both[@]}"
kill -KILL "${both[@]}"
wait_for 10 "the check is unknown" check_state unknown
is "the server is" "$(health_of web $A .state)" = up
note "reason: $(health_of web $A '.checks[0].reason')"
warned "until plvs is started again" > /dev/null || fail "no warning: $(rpc status | jq -c .warnings)"
warned "1 checks cannot be made" > /dev/null || fail "no warning: $(rpc status | jq -c .warnings)"
doors_add_up
