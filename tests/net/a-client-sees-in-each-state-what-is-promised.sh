#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 150
. "$(dirname "$0")/lib.sh"
. "$TOP/tests/net/lib/pair.sh"
. "$TOP/tests/net/lib/faults.sh"

# Clients see of router a in each state what the table of docs/high-availability.md
# says, cell by cell. The client's frames go to router a whatever happens.
DOC=$TOP/docs/high-availability.md

# client_says COMMAND...: what look.py answers.
client_says()
{
	local lines
	lines=$(wc -l < "$RUN/look.log")
	echo "$*" >&7
	said()
	{
		[ "$(wc -l < "$RUN/look.log")" -gt "$lines" ]
	}
	wait_for 15 "the client's word" said
	tail -1 "$RUN/look.log"
}

# promised NAME: the cells of that row of the document.
promised()
{
	awk -F ' *[|] *' -v name="$1" '$2 == name && NF == 11 { $1 = $2 = ""; print; exit }' "$DOC" | xargs
}

# still STATE TIME: a is in STATE, or was at that time: what it is now began later.
still()
{
	local now state ms
	read -r state ms < <(of a '"\(.state) \(.state_ms)"')
	now=$(date +%s%3N)
	[ "$state" = "$1" ] || [ $((now - ms)) -gt "$2" ] ||
		fail "a had left $1: it is $state for $ms ms, the look ended $((now - $2)) ms ago"
}

# row NAME [STATE]: router a is in STATE before and after; without one it does not tell.
row()
{
	local name=$1 state=${2:-} seen cells end
	cells=$(promised "$name")
	[ "$(wc -w <<< "$cells")" -eq 8 ] || fail "$DOC has no row \"$name\" of eight cells"
	[ -z "$state" ] || pair_becomes 10 a "$state"
	# shellcheck disable=SC2086
	read -r end seen < <(client_says look $cells)
	printf '  %-22s %s\n' "$name" "$seen"
	[ "$seen" = "$cells" ] || fail "$name: promised is   $cells"
	[ -z "$state" ] || still "$state" "$end"
	echo "$name" >> "$RUN/rows"
}

# timers KEEPALIVE DEADTIME ROUTER...: from now on.
timers()
{
	local r keepalive=$1 deadtime=$2
	shift 2
	for r in "$@"; do
		pair_at "$r"
		jq --arg keepalive "$keepalive" --arg deadtime "$deadtime" \
			'.shared.ha += {keepalive: $keepalive, deadtime: $deadtime}' "$RUN/$r.json" \
			> "$RUN/$r.timers"
		ctl config apply "$RUN/$r.timers" > /dev/null
	done
}

# States have to last for a look, however busy the machine is. Witnesses are asked less often than
# heartbeats are sent, to a peer that is not there yet: a takeover must not depend on either.
PAIR_HA=$(jq -c '. + {keepalive: "100ms", deadtime: "1200ms", start_delay: "2s",
	grace: "4s", witnesses: [{link: "private", addresses: ["10.10.0.11"]}]}' <<< "$PAIR_HA")
services=("$(service echo-tcp tcp 192.0.2.80:7 nat rr 10.10.0.11:7)"
	"$(service echo-udp udp 192.0.2.80:7 nat rr 10.10.0.11:7)")
pair_network 1 1
pair_config a "${services[@]}"
pair_config b "${services[@]}"
for protocol in tcp udp; do echo_serve server1 $protocol 10.10.0.11 7; done
mkfifo "$RUN/look.in"
ip netns exec "$NET-client1" timeout 140 python3 "$TOP/tests/net/lib/look.py" eth0 \
	"$(mac_of dpdk-a public)" 192.0.2.80 192.0.2.10 192.0.2.150 \
	< "$RUN/look.in" > "$RUN/look.log" 2>&1 &
exec 7> "$RUN/look.in"
wait_for 10 "the client looks" grep -q ready "$RUN/look.log"

pair_start a
row "starting" init
pair_becomes 10 a active
is "the client's connection" "$(client_says open)" = opened
row "active, in grace" active
pair_start b
pair_becomes 10 b backup
wait_for 10 "b is synchronised" pair_synchronised b
over()
{
	[ "$(of a .grace)" = false ]
}
wait_for 10 "grace is over" over
row "active" active
jq '.shared.services[0].servers[0].weight = 2' "$RUN/a.json" > "$RUN/a.weight"
pair_at a
(for _ in 1 2 3 4 5; do ctl config apply "$RUN/a.weight" && ctl config apply "$RUN/a.json"; done) \
	> "$RUN/reloads" &
reloads=$!
row "active, reloading" active
wait "$reloads" || fail "a configuration was not applied: $(cat "$RUN/reloads")"

timers 2s 7s a b
pair_at a
# The last step waits for a commit that does not come.
for path in public private; do heartbeat_loss a $path tx "9"; done
ctl ha handover > /dev/null
frozen()
{
	[ "$(of a .frozen)" = true ]
}
wait_for 5 "a makes no new connections" frozen
row "handing over, frozen" handover
loss_end
row "handed over, relaying" relay
row "backup" backup
pair_at a
ctl ha handover > /dev/null
pair_becomes 10 a active
pair_becomes 10 b backup
wait_for 10 "b is synchronised" pair_synchronised b

# Of b only STOP comes through.
for path in public private; do heartbeat_loss b $path tx "!= 3"; done
pair_at b
ctl ha force > /dev/null
row "fenced" fenced
loss_end
pair_becomes 10 a backup
pair_kill b
pair_at a
ctl ha force > /dev/null
row "taking over" takeover
pair_becomes 10 a active
timers 100ms 1200ms a
rpc ha.maintenance '{"mode": "on", "force": true}' > /dev/null
row "maintenance" maintenance
loss a private rx "arp saddr ip 10.10.0.11"
pair_at a
ctl ha maintenance off > /dev/null
row "deaf" fault
loss_end
pair_becomes 10 a active

pair_start b
pair_becomes 10 b backup
wait_for 10 "b is synchronised" pair_synchronised b
pair_freeze a
row "standing still"
pair_becomes 10 b active
row "standing still, replaced"
pair_thaw a
row "thawed"
pair_becomes 10 a backup
pair_at a
ctl ha force > /dev/null
row "active, took over" active
pair_kill b
pair_kill a
row "crashed"
pair_start a
row "starting" init
pair_becomes 20 a active
pair_stop a
row "stopped"
sed -n '/^| router a /,/^$/p' "$DOC" | awk -F ' *[|] *' 'NR > 2 && NF { print $2 }' | sort > "$RUN/promised"
sort -u "$RUN/rows" > "$RUN/held"
cmp "$RUN/promised" "$RUN/held" || fail "rows that the document has and nobody looked at"
