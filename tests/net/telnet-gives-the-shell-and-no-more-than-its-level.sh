#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 180
. "$(dirname "$0")/lib.sh"

PORT=2323
TELNETD=$BUILD/src/telnet/plvs-telnetd
[ -x "$TELNETD" ] || { echo "SKIP: built without libtelnet"; exit 77; }

# Programs and sockets are reached by another user.
chmod 711 "$RUN"
mkdir "$RUN/bin"
cp "$TELNETD" "$BUILD/src/cli/plvsctl" "$RUN/bin/"

network_two_armed 1 2
plvs_config "$(service web tcp 192.0.2.80:80 nat rr 10.10.0.11:8080 10.10.0.12:8080)"
see=$(echo see-it | "$TELNETD" --hash)
do_it=$(echo do-it | "$TELNETD" --hash)
is "the method of a hash" "${see:1:1}" = y

# telnet_config JQ: node.telnet with these changes.
telnet_config()
{
	jq --arg see "$see" --arg doing "$do_it" --arg bin "$RUN/bin" --arg listen "127.0.0.1:$PORT" \
		'.node.telnet = {listen: $listen, user: "nobody", sessions: 2, idle: "20s",
			program: ($bin + "/plvs-telnetd"), shell: ($bin + "/plvsctl"),
			users: [{name: "eve", password: $see}, {name: "adam", password: $doing, level: "change"}]} |
		.shared.checks = [{name: "page", type: "http", interval: "1s",
			http: {headers: ["Authorization: Basic c2VjcmV0"]}}] |
		.shared.services[0].check = "page" | '"$1" \
		"$RUN/plvs.json" > "$RUN/plvs.json.new"
	mv "$RUN/plvs.json.new" "$RUN/plvs.json"
}

telnet_config .
cp "$RUN/plvs.json" "$RUN/good.json"
plvs_start
for i in 1 2; do web_start server$i 8080; done

listening()
{
	on dpdk ss -Hltn "sport = :$PORT" | grep -q .
}
wait_for 20 "telnet listens" listening

# --- whom it runs as ---------------------------------------------------------------------

pid=$(on dpdk ss -Hltnp "sport = :$PORT" | sed 's/.*pid=\([0-9]*\).*/\1/')
is "user of plvs-telnetd" "$(ps -o user= -p "$pid")" = nobody
"$TOP/tests/net/lib/inside.py" telnet "$pid" || fail "an attacker inside of plvs-telnetd"
is "no new privileges" "$(grep NoNewPrivs "/proc/$pid/status" | tr -dc 0-9)" -eq 1
is "capabilities" "$(grep -E 'Cap(Prm|Eff|Amb)' "/proc/$pid/status" | grep -vc 0000000000000000 || true)" -eq 0

# --- a real telnet client, by expect ------------------------------------------------------

# session NAME: an expect script on standard input runs with a telnet client of 100 x 30.
session()
{
	cat - > "$RUN/$1.exp"
	# shellcheck disable=SC2016  # expect's own variables
	on dpdk timeout 60 env TERM=xterm expect -c 'set timeout 15
		log_file -noappend "'"$RUN/$1.log"'"
		proc want {text} { expect -ex $text {} timeout { puts "MISSING: $text"; exit 1 } eof { puts "ENDED before: $text"; exit 1 } }
		set stty_init "rows 30 columns 100"
		spawn -noecho telnet 127.0.0.1 '"$PORT"'
		source "'"$RUN/$1.exp"'"' > "$RUN/$1.out" 2>&1 ||
		{ tail -30 "$RUN/$1.out" >&2; fail "session $1"; }
}

session read <<'END'
want "login: "
send "eve\r"
want "password: "
send "see-it\r"
want "lb1(active)> "
send "servi"
send "\t"
send "list\r"
want "10.10.0.11:8080"
want "lb1(active)> "
send "server edit web 10.10.0.11:8080 weight 7\r"
want "server.edit needs the socket node.control.change: this connection has the level read"
want "lb1(active)> "
send "config show shared\r"
want "Authorization: (hidden)"
want "-- more"
send "q"
want "lb1(active)> "
send "config plan /etc/passwd\r"
want "config plan works with files of this machine"
want "lb1(active)> "
send "import /etc/passwd\r"
want "import works with files of this machine"
want "lb1(active)> "
send "config save /tmp/plvs-telnet-was-here\r"
want "too much here"
want "lb1(active)> "
send "capture tcp -w /tmp/plvs-telnet-was-here\r"
want "capture works with files of this machine"
want "lb1(active)> "
send "connection end tcp 192.0.2.101:1 192.0.2.80:80\r"
want "connection.end needs the socket node.control.change"
want "lb1(active)> "
send "events\r"
want "logged in"
send "\003"
want "lb1(active)> "
send "version\r"
want "up for"
want "lb1(active)> "
send "quit\r"
expect eof
END
[ ! -e /tmp/plvs-telnet-was-here ] || fail "a session wrote a file"
is "a password or a header in the session" "$(grep -c 'c2VjcmV0\|j9T' "$RUN/read.log" || true)" -eq 0
is "weight" "$(rpc service.list | jq '.services[0].servers[] | select(.address == "10.10.0.11:8080") | .weight')" -eq 1

session change <<'END'
want "login: "
send "adam\r"
want "password: "
send "do-it\r"
want "lb1(active)> "
send "server edit web 10.10.0.11:8080 weight 7\r"
want "edited (generation"
want "lb1(active)> "
send "server delete web 10.10.0.12:8080\r"
want "this can cut traffic. Go on? (y/N) "
send "n\r"
want "nothing was changed"
want "lb1(active)> "
send "config show\r"
want "-- more"
send "q"
want "lb1(active)> "
send "?"
want "connection"
send "\025"
send "quit\r"
expect eof
END
is "weight after the change" "$(rpc service.list | jq '.services[0].servers[] | select(.address == "10.10.0.11:8080") | .weight')" -eq 7
is "servers after an answer of no" "$(rpc service.list | jq '.services[0].servers | length')" -eq 2
is "who it was, in the log" "$(grep -c 'audit: adam@127.0.0.1:[0-9]* by nobody (uid [0-9]*.*server edit web 10.10.0.11:8080 weight=7 (generation [0-9]*, live in' "$RUN/plvs.log")" -eq 1

# --- a session that has been taken over ----------------------------------------------------

# The session's processes have the user that may open both sockets of the router, and can open none.
on_background dpdk eve python3 -c 'import socket, sys, time
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
s.sendall(b"eve\r\nsee-it\r\n")
s.settimeout(4)
while True: # types on, since idle sessions are closed
    try:
        if not s.recv(4096):
            break
    except TimeoutError:
        s.sendall(b"\r\n")' "$PORT"
# Sets monitor, session and shell: the listener's child that has a grandchild, and these.
eve_runs()
{
	for monitor in $(pgrep -P "$pid"); do
		for session in $(pgrep -P "$monitor"); do
			shell=$(pgrep -P "$session" plvsctl) && return
		done
	done
	return 1
}
wait_for 20 "the session runs plvsctl" eve_runs
eve_runs
is "the command line of plvsctl" "$(tr '\0' ' ' < "/proc/$shell/cmdline")" = "plvsctl --restricted --socket monitor:3 "
is "hashes in the memory of the session" "$("$TOP/tests/net/lib/memory.py" "$session" "${do_it#\$y\$}")" -eq 0
is "hashes in the memory of the monitor" "$("$TOP/tests/net/lib/memory.py" "$monitor" "${do_it#\$y\$}")" -ge 1
is "sessions that their own user may trace" "$(for p in $session $shell; do
	setpriv --reuid nobody --clear-groups cat "/proc/$p/mem" 2> "$RUN/said" > /dev/null || grep -c denied "$RUN/said" || true
	done | grep -c 1)" -eq 2
for who in session shell; do
	"$TOP/tests/net/lib/inside.py" session "${!who}" || fail "an attacker inside of the $who"
done
background_stop eve || true

# --- the window ---------------------------------------------------------------------------

session window <<'END'
want "login: "
send "eve\r"
want "password: "
send "see-it\r"
want "lb1(active)> "
send "top\r"
want "sort by"
stty rows 12 columns 60 < $spawn_out(slave,name)
send "p"
sleep 1.5
send "q"
want "lb1(active)> "
send "quit\r"
expect eof
END
python3 - "$RUN/window.log" <<'END' || fail "the window's size did not reach top"
import re, sys
text = open(sys.argv[1], "rb").read().decode("utf-8", "replace")
pictures = text.split("\033[H")[1:]
last = [p for p in pictures if "sort by" in p][-1].split("\033[J")[0]
rows = last.split("\r\n")
sys.exit(0 if len(rows) <= 12 and pictures[0].count("\r\n") > 12 or len(rows) <= 12 else 1)
END
note "top follows the window"

# --- netcat, scripts, garbage --------------------------------------------------------------

on dpdk timeout 20 bash -c "printf 'eve\nsee-it\nversion\nquit\n' | nc -N 127.0.0.1 $PORT" > "$RUN/nc.out"
is "netcat sees the version" "$(grep -ac '> plvs *[0-9]' "$RUN/nc.out")" -ge 1
is "lines that come back, sent by a client that shows them itself" "$(grep -ac '^version' "$RUN/nc.out" || true)" -eq 0

# A storm of options, a half of one, binary garbage, an endless name: the connection may end, the
# listener and the router stay.
on dpdk timeout 60 python3 - "$PORT" <<'END' || fail "garbage"
import os, socket, sys, time
def talk(data, wait=0.5):
    s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
    s.settimeout(wait)
    try:
        s.sendall(data)
        while s.recv(65536):
            pass
    except OSError:
        pass
    s.close()
talk(b"\xff\xfd\x01\xff\xfe\x01\xff\xfb\x18\xff\xfc\x18" * 50000)
talk(b"\xff\xfa\x18" + b"A" * 1000000)
talk(b"\xff\xfa\x1f\xff\xff\xff\xff\xff\xff\xff\xff\xff\xf0")
talk(os.urandom(300000))
talk(b"x" * 1000000 + b"\r\n" + b"y" * 1000000 + b"\r\n", 2)
talk(b"\xff")
held = [socket.create_connection(("127.0.0.1", int(sys.argv[1]))) for _ in range(100)]
time.sleep(1)
closed = 0
for s in held:
    s.setblocking(False)
    try:
        text = b""
        while True:
            more = s.recv(4096)
            if not more:
                closed += 1
                break
            text += more
    except BlockingIOError:
        pass
    except OSError:
        closed += 1
print("closed of a hundred:", closed)
sys.exit(0 if closed >= 60 else 1)
END
is "the same plvs-telnetd" "$(on dpdk ss -Hltnp "sport = :$PORT" | sed 's/.*pid=\([0-9]*\).*/\1/')" -eq "$pid"
is "answers of the router meanwhile" "$(rpc version | jq -r .version | wc -l)" -eq 1

# --- failures, limits, time -----------------------------------------------------------------

from=$(date +%s%3N)
session wrong <<'END'
want "login: "
send "adam\r"
want "password: "
send "guess\r"
want "login incorrect"
want "login: "
send "nobody-at-all\033\[2J\r"
want "password: "
send "guess\r"
want "login incorrect"
want "login: "
send "adam\r"
want "password: "
send "do-it-not\r"
want "login incorrect"
expect eof
END
is "milliseconds that three failures took" "$(($(date +%s%3N) - from))" -ge 3000
is "failures in the log" "$(grep -c 'telnet: adam from 127.0.0.1:[0-9]* failed to log in' "$RUN/plvs.log")" -eq 2
is "control characters in the log" "$(grep -c $'\033' "$RUN/plvs.log" || true)" -eq 0
is "passwords in the log" "$(grep -c 'guess\|do-it' "$RUN/plvs.log" || true)" -eq 0

# Two sessions are allowed; the third is told so. The first does nothing, the second leaves a pager open: both are
# closed.
for i in 1 2; do
	on_background dpdk "idle$i" python3 -c 'import socket, sys, time
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
s.sendall(b"eve\r\nsee-it\r\n" + (b"config show shared\r\n" if sys.argv[2] == "2" else b""))
while True:
    more = s.recv(4096)
    if not more: break
    sys.stdout.write(more.decode("utf-8", "replace")); sys.stdout.flush()' "$PORT" "$i"
done
prompted()
{
	[ "$(cat "$RUN"/idle?.log | grep -ac 'lb1(active)>')" -eq 2 ]
}
wait_for 20 "two sessions" prompted
session third <<'END'
want "login: "
send "eve\r"
want "password: "
send "see-it\r"
want "as many sessions as are allowed exist"
expect eof
END
closed()
{
	[ "$(cat "$RUN"/idle?.log | grep -ac 'nothing was typed for 20s: closed')" -eq 2 ]
}
wait_for 40 "idle sessions are closed" closed
is "pagers that were left open" "$(grep -ac -- '-- more' "$RUN/idle2.log")" -ge 1

# --- the events ------------------------------------------------------------------------------

ctl events kind change last 5 once --json > "$RUN/events"
is "the change as an event" "$(jq -r 'select(.session | startswith("adam@")) | .method' "$RUN/events")" = server.edit
is "logins as events" "$(ctl events kind session last 500 once | grep -c 'adam from .* logged in')" -ge 1
is "refused methods as events" "$(ctl events kind session last 500 once | grep -c 'server.edit was refused')" -eq 1

# --- sockets -----------------------------------------------------------------------------------

# ask SOCKET METHOD PARAMS: the whole answer.
ask()
{
	printf '{"jsonrpc":"2.0","id":1,"method":"%s","params":%s}\n' "$2" "$3" |
		timeout 20 socat -t 5 - "UNIX-CONNECT:$RUN/plvs.sock$1" | head -1
}
is "owner of the read socket" "$(stat -c '%U %a' "$RUN/plvs.sock.read")" = "nobody 600"
is "owner of the change socket" "$(stat -c '%U %a' "$RUN/plvs.sock.change")" = "nobody 600"
is "a change by the read socket" "$(ask .read service.delete '{"service":"web"}' | jq .error.code)" -eq 6
is "a configuration by the change socket" "$(ask .change config.apply '{"text":"{}"}' | jq .error.code)" -eq 6
is "a path by the change socket" "$(ask .change config.save '{"path":"/tmp/x"}' | jq .error.code)" -eq 6
is "a file read by the read socket" "$(ask .read config.check '{"path":"/etc/shadow"}' | jq .error.code)" -eq 6
is "a session named by the control socket" "$(ask '' session.name '{"name":"root"}' | jq .error.code)" -eq 6

# --- supervision and changes of the configuration ---------------------------------------------

kill -KILL "$pid"
wait_for 20 "plvs-telnetd is started again" listening
[ "$(on dpdk ss -Hltnp "sport = :$PORT" | sed 's/.*pid=\([0-9]*\).*/\1/')" != "$pid" ] || fail "the old one listens"
telnet_config 'del(.node.telnet.users)'
ctl config apply "$RUN/plvs.json" > "$RUN/said"
open_to_read()
{
	on dpdk timeout 10 bash -c "printf 'version\nquit\n' | nc -N 127.0.0.1 $PORT" | grep -aq '> plvs *[0-9]'
}
wait_for 20 "loopback without users is read without a password" open_to_read
jq '.node.telnet.listen = "0.0.0.0:2323"' "$RUN/plvs.json" > "$RUN/open.json"
! ctl config check "$RUN/open.json" 2> "$RUN/said" || fail "every address without a password"
is "the refusal" "$(grep -c 'nobody would be asked for a password' "$RUN/said")" -eq 1
jq '.node.telnet.listen = "0.0.0.0:2323"' "$RUN/good.json" > "$RUN/open.json"
is "the warning" "$(ctl config check "$RUN/open.json" 2>&1 | grep -c 'telnet is clear text')" -eq 1
telnet_config 'del(.node.telnet)'
ctl config apply "$RUN/plvs.json" > "$RUN/said"
not_listening()
{
	! listening
}
wait_for 10 "telnet is off" not_listening
doors_add_up
