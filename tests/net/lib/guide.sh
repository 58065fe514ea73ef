# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# A router by a file of config/guides. Sourced by the tests of the guides.

# shellcheck source=tests/net/lib/health.sh
. "$TOP/tests/net/lib/health.sh"

# guide NAME PORT...: starts plvs with the file, its devices on the veth ends of these names.
guide()
{
	local name=$1 port
	shift
	note "--- $name"
	# shellcheck disable=SC2034 # of plvs.sh
	PLVS_VDEVS=() PLVS_PORTS='[]'
	for port; do plvs_port "$port"; done
	"$BUILD/src/plvs" -t -c "$TOP/config/guides/$name.json" > "$RUN/valid" 2>&1 || fail "$(cat "$RUN/valid")"
	sed 's,^\([^"]*\)//.*,\1,' "$TOP/config/guides/$name.json" |
		jq --arg netns "$NET-linux" --arg socket "$RUN/plvs.sock" --arg state "$RUN/kept" --arg driver "$PLVS_DRIVER" \
			'.node.linux.netns = $netns | .node.control.socket = $socket | .node.state_dir = $state |
			.node.workers.connections = 100000 | .node.ports |= [to_entries[] |
				.value.device = "net_\($driver)\(.key)" | .value.linux.routes = [.value.linux.routes[]? |
					select(startswith("default") | not)] | .value]' > "$RUN/plvs.json"
	plvs_start 1
	wait_for 15 "the servers are up" all_up
}

# balanced WHERE CLIENT COUNT SERVERS
balanced()
{
	web_ask "$2" "$1" "$3" > "$RUN/answers"
	is "answers of $1" "$(wc -l < "$RUN/answers")" -eq "$3"
	is "servers that answered" "$(sort -u "$RUN/answers" | wc -l)" -eq "$4"
}

# loopback SERVER VIP: the servers' side of direct routing and tunnels, on Linux.
loopback()
{
	on "$1" sysctl -qw net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2
	ip -n "$NET-$1" address add "$2/32" dev lo
}

end()
{
	doors_add_up
	plvs_stop
}
