#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 60
# plvs -t with what is not there, plvs without root, and the directory of what it keeps.
. "$(dirname "$0")/lib.sh"

network_two_armed 1 1
plvs_config "$(service web tcp 192.0.2.80:80 nat rr 10.10.0.11:80)"
printf '1 hex:00112233445566778899aabbccddeeff\n' > "$RUN/key"
chmod 600 "$RUN/key"
jq --arg key "$RUN/key" --arg state "$RUN/state" '.node.state_dir = $state |
	.node.ha = {role: "primary", key_file: $key, paths: [
		{name: "private", local: "10.10.0.2", peer: "10.10.0.3"}]} |
	.node.notify = {health: ["true"], user: "nobody"} |
	.shared.checks = [{name: "program", type: "exec", exec: {argv: ["/bin/true"]}}] |
	.shared.defaults.check = "program"' "$RUN/plvs.json" > "$RUN/good.json"

# tested [JQ-FILTER]: what plvs -t says of the configuration, and its exit status at the end.
tested()
{
	local status=0
	jq "${1:-.}" "$RUN/good.json" > "$RUN/tested.json"
	"$BUILD/src/plvs" -- -t -c "$RUN/tested.json" 2>&1 || status=$?
	echo "exit $status"
}
# refused FILTER SENTENCE
refused()
{
	local said
	said=$(tested "$1")
	[[ $said == *"$2"*"exit 1" ]] || fail "$1: plvs -t says: $said"
	note "$(head -1 <<< "$said" | cut -d : -f 3-)"
}

is "a good one" "$(tested | tail -1)" = "exit 0"
refused '.node.ha.key_file = "/nowhere/key"' "node.ha.key_file: /nowhere/key: No such file"
# What is missing on the host does not hide the rest.
said=$(tested '.shared.checks[0].exec.argv = ["/nowhere/check"] | .node.ha.key_file = "/nowhere/key" | .node.notify.user = "no-such-user"')
for what in 'node.ha.key_file' 'node.notify.user' 'shared.checks[0].exec.argv[0]' \
	'the configuration is valid, but this host lacks what is named above'; do
	[[ $said == *"$what"*"exit 1" ]] || fail "without \"$what\": $said"
done
refused '.shared.checks[0].exec.argv = ["/nowhere/check"] | .node.eal = ["--no-pci"] | .node.ports[0].device = "0000:01:00.0"' \
	'port public: --no-pci of the EAL arguments keeps 0000:01:00.0 out'
chmod 644 "$RUN/key"
refused . "is open to everyone"
chmod 600 "$RUN/key"
chown 65534 "$RUN/key"
refused . "belongs to another user"
chown 0 "$RUN/key"
refused '.node.notify.health = ["/nowhere/told"]' 'node.notify.health[0]: "/nowhere/told" cannot be executed'
refused '.node.telnet = {listen: "127.0.0.1:2323", program: "/nowhere/plvs-telnetd"}' \
	'node.telnet.program: "/nowhere/plvs-telnetd" cannot be executed'
refused '.node.notify.user = "no-such-user"' 'node.notify.user: the user "no-such-user" does not exist'
refused '.shared.checks[0].exec.argv = ["/nowhere/check"]' \
	'shared.checks[0].exec.argv[0]: "/nowhere/check" cannot be executed'
refused '.shared.checks[0].exec.user = "no-such-user"' 'shared.checks[0].exec.user: the user'
# EAL's arguments: that they make a port's device is the file's own matter, what is there is the host's.
refused '.node.eal = ["--no-huge", "--no-pci", "--vdev", "net_af_packet0,iface=lo"]' \
	'port private: no --vdev of the EAL arguments makes net_af_packet1'
refused '.node.eal = ["--no-pci"] | .node.ports[0].device = "0000:01:00.0"' \
	'port public: --no-pci of the EAL arguments keeps 0000:01:00.0 out'
vdevs='.node.eal = ["--no-huge", "--no-pci", "--vdev", "net_af_packet0,iface=nowhere", "--vdev", "net_af_packet1,iface=lo"]'
said=$(tested "$vdevs")
[[ $said == *"warning: on this host plvs does not start: there is no interface nowhere"*"exit 0" ]] ||
	fail "a missing interface: plvs -t says: $said"
queues='.node.ports[0].device = "net_af_xdp0" | .node.eal = ["--no-huge", "--no-pci", "--vdev", "net_af_xdp0,iface=lo,queue_count=2",
	"--vdev", "net_af_packet1,iface=lo"]'
said=$(tested "$queues")
[[ $said == *"lo has 1 combined queue, fewer than queue_count=2 asks for: \"ethtool -L lo combined 2\""*"exit 0" ]] ||
	fail "two queues of a device that has one: plvs -t says: $said"
note "$(head -1 <<< "$said" | cut -d : -f 3-)"
said=$("$BUILD/src/plvs" -- -t 2>&1 || true)
[ -e /etc/plvs/plvs.json ] || [[ $said == *"/etc/plvs/plvs.json"* ]] ||
	fail "without -c plvs -t says: $said"

# A misspelt argument of EAL is named at the end, below EAL's usage text.
said=$(script -qec "timeout 20 $BUILD/src/plvs --no-hugg -- -c $RUN/plvs.json" /dev/null 2>&1 | tail -1 || true)
[[ $said == *"plvs: EAL does not take one of its arguments: "*"--no-hugg"* ]] || fail "$said"
said=$("$BUILD/src/plvs" --no-hugg -- -c "$RUN/plvs.json" 2>&1 | tail -1 || true)
[[ $said == *"plvs: EAL does not take one of its arguments: "* ]] || fail "into a pipe: $said"

# Without rights: said before EAL says something else.
said=$(setpriv --bounding-set -all --inh-caps -all "$BUILD/src/plvs" --no-huge -- -c "$RUN/plvs.json" 2>&1 || true)
case $said in
*"plvs: needs root"*) note "without rights: $said" ;;
*) said=$(setpriv --reuid 65534 --clear-groups "$BUILD/src/plvs" --no-huge -- -c "$RUN/plvs.json" 2>&1 || true)
	[[ $said == "plvs: needs root"* ]] || fail "without rights plvs says: $said" ;;
esac

# The directory is made; one that others may write to, or that goes away, is a warning.
warnings()
{
	rpc status | jq -r '.warnings[]'
}
jq --arg state "$RUN/state" '.node.state_dir = $state' "$RUN/plvs.json" > "$RUN/plvs.json.new"
mv "$RUN/plvs.json.new" "$RUN/plvs.json"
plvs_start
is "the directory's mode" "$(stat -c %a "$RUN/state")" = 700
is "warnings" "$(warnings | wc -l)" -eq 0
rm -r "$RUN/state"
[[ $(warnings) == "node.state_dir: $RUN/state: No such file"* ]] || fail "status warns: $(warnings)"
plvs_stop
rm -rf "$RUN/state" && mkdir -m 777 "$RUN/state"
plvs_start
[[ $(warnings) == *"others may write there"* ]] || fail "status warns: $(warnings)"
is "in the log" "$(grep -c 'warning: main: node.state_dir: .*others may write there' "$RUN/plvs.log")" -eq 1

# The mode of the control socket is what the file says.
jq '.node.control.mode = "0660"' "$RUN/plvs.json" > "$RUN/plvs.json.new"
mv "$RUN/plvs.json.new" "$RUN/plvs.json"
plvs_stop
plvs_start
is "the control socket's mode" "$(stat -c %a "$RUN/plvs.sock")" = 660
doors_add_up
plvs_stop

# EAL's arguments in the file: one line starts a router. Started twice, the second says so.
mapfile -t eal < <(plvs_eal 1 | grep -vx -e --no-shconf)
jq '.node.eal = $ARGS.positional' "$RUN/plvs.json" --args -- "${eal[@]}" > "$RUN/one-line.json"
in_front ip netns exec "$NET-dpdk" "$BUILD/src/plvs" -- -c "$RUN/one-line.json" >> "$RUN/plvs.log" 2>&1 < /dev/null &
PLVS_PID=$!
echo $PLVS_PID > "$RUN/plvs.pid"
wait_for 30 "a router with EAL's arguments in its file answers" plvs_answers
said=$(ip netns exec "$NET-dpdk" "$BUILD/src/plvs" -- -c "$RUN/one-line.json" 2>&1 || true)
[[ $said == *"EAL does not start: process $PLVS_PID runs"*"was started twice"* ]] ||
	fail "a second router says: $said"
note "$(tail -1 <<< "$said")"
is "the first one's version" "$(rpc version | jq -r .version)" != ""
plvs_stop
# The command line's arguments are the ones that count.
said=$(ip netns exec "$NET-dpdk" "$BUILD/src/plvs" --no-huge -m 64 --no-pci --no-shconf --vdev net_af_packet0,iface=nowhere \
	-l 0,1 -- -c "$RUN/one-line.json" 2>&1 || true)
[[ $said == *"there is no interface nowhere in this network namespace"* ]] || fail "another command line: $said"
note "$(tail -1 <<< "$said")"
