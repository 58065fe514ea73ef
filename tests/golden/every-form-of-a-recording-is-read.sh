#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 60
# Forms of recordings that recorded/ has no example of: an edit that leaves thresholds out, a list
# of time-outs, persistence that ends under live connections, and a sysctl that plvs has nothing
# like, which is named and leaves the others alone.
set -eu
cd "$(dirname "$0")/../.."

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# recording NAME SERVICE EVENTS EXPECTED: jq programs; servers 10.10.0.1 and 10.10.0.2.
recording()
{
	jq -n --arg name "$1" '
		def server(n; o): {addr: "10.10.0.\(n)", port: 8080, weight: 1, fwd: "nat"} + o;
		def service(o): {proto: "tcp", vip: "10.1.0.100", port: 80, sched: "rr",
			servers: [server(1; {}), server(2; {})]} + o;
		def connect(n; o): {op: "connect", n: n, src: "192.168.1.1", sport: 1001,
			vip: "10.1.0.100", port: 80} + o;
		def sleep(s): {op: "sleep", s: s};
		def decided(client; n): {op: "connect", client: client, to: "10.1.0.100:80",
			server: "10.10.0.\(n):8080"};
		def refused(client): {op: "connect", client: client, to: "10.1.0.100:80",
			server: null, reply: "icmp 3/3"};
		{name: $name} + '"$2" > "$dir/$1.json"
}

# replayed WANTED: the exit code of a replay of all that is in the directory.
replayed()
{
	local rc=0
	tests/golden/replay "$dir" > "$dir/out" 2> "$dir/err" || rc=$?
	cat "$dir/out" "$dir/err"
	[ $rc -eq "$1" ] || {
		echo "exit $rc, wanted $1"
		exit 1
	}
}

# `ipvsadm -e` without -x and -y takes the thresholds away: the server that was full takes
# connections again, and a lower threshold does not stay behind above a new upper one.
recording edit_thresholds '{
	services: [service({servers: [server(1; {upper: 4, lower: 3})]})],
	events: [connect(5; {}),
		{op: "edit", server: server(1; {upper: 2})},
		connect(1; {sport: 2001}),
		{op: "edit", server: server(1; {})},
		connect(3; {sport: 3001})],
	expected: {decisions: [
		(range(1001; 1005) | decided("192.168.1.1:\(.)"; 1)), refused("192.168.1.1:1005"),
		refused("192.168.1.1:2001"),
		(range(3001; 3004) | decided("192.168.1.1:\(.)"; 1))]}}'
# ipvsadm --set 20 0 0: an established connection ends after 20 s. The last choice of lc is a tie
# only when the first connection is gone; the server that was added last has it then.
recording timeouts_list '{
	timeouts: [20, 0, 0],
	services: [service({sched: "lc"})],
	events: [connect(1; {}), sleep(15), connect(2; {sport: 1002}), sleep(7),
		connect(1; {sport: 1004})],
	expected: {decisions: [decided("192.168.1.1:1001"; 2), decided("192.168.1.1:1002"; 1),
		decided("192.168.1.1:1003"; 2), decided("192.168.1.1:1004"; 2)]}}'
# A template of 2 s whose connections last 10 s: 60 s more, and 60 s after that if one is left.
recording persist_extension '{
	services: [service({persist: 2})],
	events: [connect(2; {src_step: 1}), {op: "rst", src: "192.168.1.1", sport: 1001},
		{op: "rst", src: "192.168.1.2", sport: 1002}, sleep(16),
		connect(1; {src: "192.168.1.2", sport: 2001}),
		{op: "rst", src: "192.168.1.2", sport: 2001}, sleep(50),
		connect(1; {sport: 2002}), {op: "rst", src: "192.168.1.1", sport: 2002},
		connect(1; {src: "192.168.1.2", sport: 2003})],
	expected: {decisions: [decided("192.168.1.1:1001"; 2), decided("192.168.1.2:1002"; 1),
		decided("192.168.1.2:2001"; 1), decided("192.168.1.1:2002"; 2),
		decided("192.168.1.2:2003"; 1)]}}'
replayed 0

recording of_a_sysctl '{
	services: [service({})], sysctl: {"net.ipv4.vs.secure_tcp": 1}, events: [],
	expected: {decisions: []}}'
replayed 2
for name in edit_thresholds timeouts_list persist_extension; do
	grep -Eq "^$name +[0-9]+ +[0-9]+ +equal" "$dir/out"
done
[ "$(grep -c 'cannot run: the sysctl secure_tcp of IPVS' "$dir/out")" -eq 1 ]
