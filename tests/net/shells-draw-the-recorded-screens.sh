#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 120
# set: full
# What a terminal of 80 x 24 shows of the local shell and of one by telnet, against tests/net/screens. With
# PLVS_RECORD=1 the files are written. Lines of `top` that differ from run to run are masked.
. "$(dirname "$0")/lib.sh"

PORT=2324
TELNETD=$BUILD/src/telnet/plvs-telnetd
SCREENS=$TOP/tests/net/screens

chmod 711 "$RUN"
mkdir "$RUN/bin"
cp "$BUILD/src/cli/plvsctl" "$RUN/bin/"
network_two_armed 1 2
plvs_config "$(service web tcp 192.0.2.80:80 nat wrr 10.10.0.11:8080/1 10.10.0.12:8080/3)" \
	"$(service dns udp 192.0.2.80:53 dr rr 10.10.0.11:53)"
if [ -x "$TELNETD" ]; then
	cp "$TELNETD" "$RUN/bin/"
	jq --arg bin "$RUN/bin" --arg listen "127.0.0.1:$PORT" --arg password "$(echo do-it | "$TELNETD" --hash)" \
		'.node.telnet = {listen: $listen, user: "nobody", program: ($bin + "/plvs-telnetd"), shell: ($bin + "/plvsctl"),
			users: [{name: "adam", password: $password, level: "change"}]}' "$RUN/plvs.json" > "$RUN/plvs.json.new"
	mv "$RUN/plvs.json.new" "$RUN/plvs.json"
fi
plvs_start

terminal()
{
	command ip netns exec "$NET-dpdk" tmux -L "$NET" "$@"
}

# terminal_open COMMAND...: in a terminal of 80 x 24.
terminal_open()
{
	HOME=$RUN TERM=xterm terminal -f /dev/null new-session -d -x 80 -y 24 -s shell "$@"
	terminal set-option -g status off
	terminal resize-window -t shell -x 80 -y 24
}

terminal_close()
{
	terminal kill-server 2> /dev/null || true
}

# keys TEXT-OR-KEY...
keys()
{
	terminal send-keys -t shell "$@"
}

shown()
{
	terminal capture-pane -p -t shell
}

masked()
{
	sed -E -e 's/^(router  ).*/\1.../; s/^(configuration  ).*/\1.../; s/^(digest  ).*/\1.../; s/^(packets  ).*/\1.../' \
		-e 's/ +$//'
}

holds()
{
	shown | grep -qF -- "$1"
}

equal()
{
	shown | masked > "$RUN/screen"
	cmp -s "$RUN/screen" "$SCREENS/$1"
}

# screen NAME: the terminal shows tests/net/screens/NAME, once it has been drawn.
screen()
{
	local end=$((SECONDS + 15))
	if [ -n "${PLVS_RECORD:-}" ]; then
		pause 1.5
		mkdir -p "$SCREENS"
		shown | masked > "$SCREENS/$1"
		return
	fi
	until equal "$1"; do
		[ $SECONDS -lt $end ] || fail "screen $1: $(diff "$SCREENS/$1" "$RUN/screen")"
		pause 0.1
	done
	note "screen $1"
}

# command TEXT: a command at the top of a cleared terminal.
command_at_top()
{
	keys C-u C-l
	keys -l "$1"
	keys Enter
}

screens()
{
	wait_for 15 "the prompt" holds 'lb1(active)>'
	keys C-l
	keys -l servi
	keys Tab
	keys -l list
	screen completed
	keys Enter
	screen service-list
	keys C-l
	keys -l 'service edit web '
	keys -l '?'
	screen help-of-keys
	command_at_top 'service chow'
	screen near-miss
	command_at_top 'service show webb'
	screen near-miss-of-a-name
	command_at_top 'server'
	screen half-typed
	command_at_top 'config show shared'
	wait_for 15 "the pager" holds '-- more'
	screen pager
	keys Space
	screen pager-second-page
	keys q
	command_at_top 'service delete dns'
	wait_for 15 "the question" holds '(y/N)'
	keys n Enter
	screen confirmation
	command_at_top 'top'
	wait_for 15 "top" holds 'sort by'
	screen top
	terminal resize-window -t shell -x 60 -y 12
	screen top-of-60-by-12
	keys q
	terminal resize-window -t shell -x 80 -y 24
	wait_for 15 "the prompt after top" holds 'lb1(active)>'
	keys C-u C-d
}

at_exit terminal_close
terminal_open "$RUN/bin/plvsctl" --socket "$RUN/plvs.sock"
screens
terminal_close
PLVS_RECORD= # what telnet shows is the same
if [ ! -x "$TELNETD" ]; then
	note "built without libtelnet: no screens by telnet"
	exit 0
fi
listening()
{
	on dpdk ss -Hltn "sport = :$PORT" | grep -q .
}
wait_for 20 "telnet listens" listening
terminal_open telnet 127.0.0.1 $PORT
wait_for 15 "login" holds 'login:'
keys adam Enter
wait_for 15 "password" holds 'password:'
keys do-it Enter
screens
doors_add_up
