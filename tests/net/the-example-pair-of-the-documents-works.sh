#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 90
. "$(dirname "$0")/lib.sh"
. "$TOP/tests/net/lib/pair.sh"
. "$TOP/tests/net/lib/faults.sh"

# config/pair-*.json as they are, but for what is of this machine: devices, namespace, files.
# plvs reads them with their comments first; jq wants none.
example()
{
	local config
	# The test machine need not have the key file.
	config=$("$BUILD/src/plvs" --test -c "$TOP/config/pair-$2.json" 2>&1) ||
		! grep -qv 'node.ha.key_file: .*No such file\|the configuration is valid, but' <<< "$config" ||
		fail "config/pair-$2.json: $config"
	sed 's,^\([^"]*\)//.*,\1,' "$TOP/config/pair-$2.json" |
		jq --arg netns "$NET-linux-$1" --arg socket "$RUN/$1.sock" --arg key "$RUN/ha.key" \
			--arg state "$RUN/state-$1" --arg driver "$PLVS_DRIVER" \
			'.node.linux.netns = $netns | .node.control.socket = $socket |
			.node.state_dir = $state | .node.ha.key_file = $key |
			.node.workers.connections = 100000 |
			.node.ports |= [to_entries[] | .value.device = "net_\($driver)\(.key)" | .value]' \
			> "$RUN/$1.json"
}

pair_network 1 2
# The gateways, which are witnesses as well.
ns_add gateways
leg_add gateways eth0 public 192.0.2.1/24
ip -n "$NET-gateways" address add 192.0.2.2/24 dev eth0
example a primary
example b backup
is "differences of what is shared" \
	"$(diff <(jq -S .shared "$RUN/a.json") <(jq -S .shared "$RUN/b.json") | wc -l)" -eq 0
for i in 1 2; do web_start server$i 8080; done
pair_start a
pair_becomes 20 a active
pair_start b
pair_becomes 20 b backup
wait_for 10 "the web answers" pair_serves 192.0.2.80 4
is "witnesses that answer b" "$(of b '[.witnesses[].answering] | add')" -eq 4
is "configurations differ" "$(of a .peer.configuration_differs)" = false
wait_for 10 "b is synchronised" pair_synchronised b
pair_at a
ctl ha status
pair_kill a
pair_becomes 5 b active
wait_for 10 "the web answers by b" pair_serves 192.0.2.80 4
pair_start a
pair_becomes 20 a backup
pair_at b
doors_add_up
