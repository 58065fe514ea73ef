#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 120
# families: 4 6
# set6: full
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/net/lib/health.sh
. "$TOP/tests/net/lib/health.sh"

# A server of one service for each kind; the port says which. Ports below 7006 are server1's.
A=10.10.0.11 B=10.10.0.12
TCP=$A:7000 TALK=$A:7001 TLS=$A:7002 AGENT=$A:7003 UDP=$A:7004 DNS=$A:53
ICMP=$B:7006 EXEC=$B:7007 LOAD=$B:7008 EVIL=$B:7009

dns_start()
{
	cat > "$RUN/hosts" <<< "$1 www.example.test"
	chmod 644 "$RUN/hosts"
	on_background server1 dns dnsmasq --keep-in-foreground --conf-file=/dev/null --no-resolv \
		--no-hosts --addn-hosts="$RUN/hosts" --user=root --pid-file= --port=53 \
		--listen-address=$A --bind-interfaces
	wait_for 10 "dnsmasq listens" port_listens server1 53 udp
}

programs()
{
	cat > "$RUN/program" <<-'END'
		#!/bin/bash
		# program ADDRESS PORT VIP FILE: connects, says what the file says, and goes by it.
		exec 3<> "/dev/tcp/$1/$2" || exit 9
		[ "$1" = "$PLVS_SERVER_ADDRESS" ] || exit 8
		read -r code words < "$4"
		echo "$words, $2 of $1 for $3 by $(id -un)"
		exit "$code"
	END
	cat > "$RUN/load" <<-END
		#!/bin/sh
		cat "$RUN/load-average"
	END
	# Children in sessions of their own, that ignore SIGTERM and hold the output open; and
	# more output than anybody reads.
	cat > "$RUN/evil" <<-END
		#!/bin/sh
		trap '' TERM HUP INT
		i=0
		while [ \$i -lt 60 ]; do
			setsid sleep 97$$ &
			i=\$((i + 1))
		done
		yes
	END
	chmod 755 "$RUN" "$RUN/program" "$RUN/load" "$RUN/evil"
	echo "0 all is well" > "$RUN/program.in"
	echo "0.20 0.30 0.40 1/100 1234" > "$RUN/load-average"
}

# checks JSON-OBJECT...: each with the times of this test.
checks()
{
	printf '%s\n' "$@" | jq -sc 'map({interval: "200ms", timeout: "800ms", rise: 2, fall: 2} + .)'
}

weight_of()
{
	health_of kinds "$1" .effective_weight
}

weight_is()
{
	[ "$(weight_of "$1")" -eq "$2" ]
}

says()
{
	[ "$(health_of kinds "$1" "$2")" = "$3" ]
}

# echoes_ignore 0|1: server2 answers no echo requests.
echoes_ignore()
{
	if [ "$FAMILY" = 4 ]; then
		on server2 sysctl -qw "net.ipv4.icmp_echo_ignore_all=$1"
	else
		on server2 sysctl -qw "net.ipv6.icmp.echo_ignore_all=$1"
	fi
}

evil_left()
{
	pgrep -fxc "sleep 97$$" || true
}

none_left()
{
	[ "$(evil_left)" -eq 0 ]
}

network_two_armed 1 2
programs
mkdir "$RUN/talker"
echo well > "$RUN/talker/talk"
echo "50%" > "$RUN/talker/agent"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
	-subj "/CN=plvs" -addext "subjectAltName=IP:$(inet $A)" -keyout "$RUN/tls.key" -out "$RUN/tls.pem" \
	2> /dev/null
health_config "$(checks '{"name": "tcp", "type": "tcp"}' \
	'{"name": "talk", "type": "script", "steps": [{"expect_prefix": "220 "},
	  {"send": "HELO plvs\\r\\n"}, {"expect_pattern": "^250[ -][a-z]+[.]example"},
	  {"expect": "250 \\x01ok"}, {"send": "QUIT\\r\\n"}, {"expect": "221 "}]}' \
	'{"name": "talk-tls", "type": "script", "steps": [{"expect_prefix": "220 "},
	  {"send": "QUIT\\r\\n"}, {"expect": "221 "}],
	  "tls": {"on": true, "verify": true, "ca_file": "'"$RUN"'/tls.pem"}}' \
	'{"name": "agent", "type": "agent", "weight": true}' \
	'{"name": "share", "type": "agent", "weight": true, "port": 7003}' \
	'{"name": "udp", "type": "udp", "steps": [{"send": "are you there?"}, {"expect": "there"}]}' \
	'{"name": "dns", "type": "dns", "dns": {"name": "www.example.test", "expect": "203.0.113.7"}}' \
	'{"name": "icmp", "type": "icmp"}' \
	'{"name": "exec", "type": "exec", "timeout": "1s", "exec": {"output": "well",
	  "argv": ["'"$RUN"'/program", "%h", "%p", "%v", "'"$RUN"'/program.in"]}}' \
	'{"name": "load", "type": "exec", "timeout": "1s", "weight": true,
	  "exec": {"argv": ["'"$RUN"'/load"], "load": true}}' \
	'{"name": "evil", "type": "exec", "timeout": "300ms", "exec": {"argv": ["'"$RUN"'/evil"]}}')" \
	"$(service kinds tcp 192.0.2.80:80 nat wlc $TCP $TALK $TLS $AGENT/10 $UDP $DNS $ICMP $EXEC \
		$LOAD/10 | jq -c '[.servers, ["tcp", "talk", "talk-tls", "agent", "udp", "dns", "icmp",
			"exec", "load"]] as [$s, $c] | .servers =
			[range($c | length) | $s[.] + {check: $c[.]}]')" \
	"$(service share tcp 192.0.2.82:80 nat wrr $A:80/10 $B:80/10 |
		jq -c '.servers[0].check = "share"')" \
	"$(service evil tcp 192.0.2.81:80 nat wlc $EVIL | jq -c '.check = "evil"')"
on_background server1 talker python3 "$TOP/tests/net/lib/talker.py" $A 7001 7002 7003 \
	"$RUN/tls.pem" "$RUN/tls.key" "$RUN/talker"
on_background server1 tcp "$PROBE" tcp-echo $TCP
on_background server2 exec "$PROBE" tcp-echo $EXEC
on_background server1 udp "$PROBE" udp-echo $UDP
for i in 1 2; do web_start server$i; done
dns_start 203.0.113.7
wait_for 10 "the talker listens" grep -q ready "$RUN/talker.log"
plvs_start

# Up, and why.
for s in $TCP $TALK $TLS $UDP $DNS $ICMP $EXEC $LOAD; do server_becomes 10 kinds "$s" up; done
reason_says kinds $TALK "^4 answers as expected from $TALK"
reason_says kinds $EXEC "all is well, 7007 of $B for 192.0.2.80 by nobody"
wait_for 5 "the agent's half" weight_is $AGENT 5
is "its source" "$(health_of kinds $AGENT .weight_source)" = agent
web_ask client1 192.0.2.82 30 > "$RUN/answers"
is "answers of the one with half of its weight" "$(answers_by "$RUN/answers" server1)" -eq 10
# Piranha: below a load of 1 the weight rises, here by half of it times the cube root of 0.8.
wait_for 10 "the load raises the weight" says $LOAD .weight_source load
is "the weight by the load" "$(weight_of $LOAD)" -gt 10

# Programs that do not want to end: in bounded time, with all that they started.
server_becomes 5 evil $EVIL down
reason_says evil $EVIL "evil was not done within 300 ?ms"
rpc service.delete '{"service": "evil"}' > "$RUN/deleted"
wait_for 5 "nothing is left of it" none_left
note "others meanwhile: $(rpc health.counters | jq -c '{late_p50_us, late_p99_us, late_max_us}')"
is "others' lateness meanwhile, p99 in microseconds" \
	"$(rpc health.counters | jq .late_p99_us)" -lt 200000
is "edges of others meanwhile" "$(rpc health.show "{\"service\": \"kinds\", \"server\": \"$TCP\"}" |
	jq '.history | length')" -eq 1

# All broken, each in its way.
background_stop tcp || true
echo bad > "$RUN/talker/talk"
background_stop udp || true
cat > "$RUN/hosts" <<< "203.0.113.8 www.example.test"
kill -HUP "$(cat "$RUN/dns.pid")"
echoes_ignore 1
echo "3 not today" > "$RUN/program.in"
echo "down #disk full" > "$RUN/talker/agent"
for s in $TCP $TALK $TLS $UDP $DNS $ICMP $EXEC $AGENT; do server_becomes 5 kinds "$s" down; done
reason_says kinds $TCP "$TCP refused the connection.*2nd of 2"
reason_says kinds $TALK "no answer in step 3 of 6 of the script from $TALK within 800 ?ms"
reason_says kinds $UDP "$UDP is closed: refused by ICMP"
reason_says kinds $DNS "DNS NOERROR for www.example.test without 203[.]0[.]113[.]7 from $DNS"
reason_says kinds $ICMP "no echo reply from $B within 800 ?ms"
reason_says kinds $EXEC 'exit code 3 of program: "not today'
reason_says kinds $AGENT "agent $AGENT says \"down #disk full\""

# Servers that hold the line open without end do not hold the check.
for how in mute slow endless; do
	echo $how > "$RUN/talker/talk"
	sleep 1.2
	note "$how: $(health_of kinds $TALK .reason); $(health_of kinds $TLS .reason)"
	is "state" "$(health_of kinds $TALK .state) $(health_of kinds $TLS .state)" = "down down"
done

# Restored.
echo well > "$RUN/talker/talk"
on_background server1 tcp "$PROBE" tcp-echo $TCP
on_background server1 udp "$PROBE" udp-echo $UDP
cat > "$RUN/hosts" <<< "203.0.113.7 www.example.test"
kill -HUP "$(cat "$RUN/dns.pid")"
echoes_ignore 0
echo "0 all is well" > "$RUN/program.in"
echo "up ready 100%" > "$RUN/talker/agent"
for s in $TCP $TALK $TLS $UDP $DNS $ICMP $EXEC $AGENT; do server_becomes 5 kinds "$s" up; done

# An agent's other words.
wait_for 5 "all of its weight" weight_is $AGENT 10
echo drain > "$RUN/talker/agent"
wait_for 5 "it drains" weight_is $AGENT 0
is "the drained one may still be chosen by persistence" "$(health_of kinds $AGENT .chosen)" = true
echo maint > "$RUN/talker/agent"
wait_for 5 "in maintenance nobody chooses it" says $AGENT .chosen false
echo ready > "$RUN/talker/agent"
wait_for 5 "it is ready" says $AGENT .chosen true
is "its weight" "$(weight_of $AGENT)" -eq 10
echo 1.5 > "$RUN/load-average"
before=$(weight_of $LOAD)
load_fell()
{
	[ "$(weight_of $LOAD)" -lt "$before" ]
}
wait_for 5 "the load lowers the weight again" load_fell
is "never below its own" "$(weight_of $LOAD)" -ge 10

# All replies have their punt class, ICMP as well.
punted()
{
	counted "[.punts[] | select(.name == \"$1\") | .count] | add // 0"
}
icmp=$(punted icmp) checks=$(punted check) echoes=$(health_of kinds $ICMP .checks[0].probes)
sleep 1
is "echoes" "$(($(health_of kinds $ICMP .checks[0].probes) - echoes))" -ge 3
is "replies punted in the class of checks" "$(($(punted check) - checks))" -ge 50
is "in the class of ICMP" "$(($(punted icmp) - icmp))" -eq 0
note "$(rpc health.counters | jq -c .)"
doors_add_up
