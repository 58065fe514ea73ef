#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# set: full
# limit: 2400
# Members of a fleet one version apart: lb1 of the last version and lb2 of this one choose the same server for a
# flow, show the same digest, and push configurations to each other; then lb1 is upgraded under load. The last
# version is the last tag, or while there is none with fleets the commit below; it is built from the history of
# this clone.
set -euo pipefail
FIRST_WITH_FLEETS=924c0ef477675e4b12624ea12e1032c7b91a71d8
top=$(cd "$(dirname "$0")/../.." && pwd)
if ! git -C "$top" rev-parse --git-dir > /dev/null 2>&1; then
	echo "skipped: no history here, so there is no last version to build"
	exit 0
fi
old=$(git -C "$top" describe --tags --abbrev=0 HEAD^ 2> /dev/null || echo $FIRST_WITH_FLEETS)
git -C "$top" cat-file -e "$old:src/control/fleet_wire.c" 2> /dev/null || old=$FIRST_WITH_FLEETS
if ! git -C "$top" cat-file -e "$old^{commit}" 2> /dev/null; then
	echo "skipped: this clone is shallow and has no $old"
	exit 0
fi
commit=$(git -C "$top" rev-parse "$old^{commit}")
folder=${PLVS_BUILD:-$top/build}/last-version-with-fleets
if [ ! -e "$folder/$commit/build/src/cli/plvsctl" ]; then
	rm -rf "$folder"
	mkdir -p "$folder/$commit"
	git -C "$top" archive "$commit" | tar -x -C "$folder/$commit"
	(cd "$folder/$commit" && meson setup -Dtests=disabled build && ninja -C build src/plvs src/cli/plvsctl) \
		> "$folder/log" 2>&1 || { tail -20 "$folder/log"; exit 1; }
fi
old=$folder/$commit/build

. "$top/tests/net/lib.sh"
. "$TOP/tests/net/lib/fleet.sh"
note "the last version: $(git -C "$TOP" log -1 --format='%h, %cs' "$commit"), $("$old/src/plvs" --version)"

VIP=198.51.100.80
N=500
FLEET_BFD=60
FLEET_MEMBERS=true
ROUTER_BUILD=([lb1]=$old)
fleet_ready 2 3

# of_fleet BUILD MEMBER WORDS...: plvsctl of a version, by the socket of a member.
of_fleet()
{
	"$1/src/cli/plvsctl" --socket "$RUN/lb$2.sock" --json "${@:3}"
}

# adopts_both_ways: the flows of each come to the other, and back.
adopts_both_ways()
{
	local i
	hold_open $N $VIP:7
	for i in 1 2; do
		fleet_at $i
		ctl fleet drain > "$RUN/said"
		fleet_becomes 10 $VIP $((3 - i))
		is "connections that answer, lb$i drained" "$(hold_answered)" -eq $N
		fleet_at $i
		ctl fleet undrain > "$RUN/said"
		fleet_becomes 10 $VIP "1 2"
	done
	is "connections that answer, both back" "$(hold_answered)" -eq $N
}

adopts_both_ways
for build in "$old" "$BUILD"; do
	for i in 1 2; do
		of_fleet "$build" $i fleet status > "$RUN/status" || fail "fleet status of lb$i: $(cat "$RUN/status")"
		is "digests, seen from lb$i" "$(jq -r '[.members[].digest] | unique | length' "$RUN/status")" -eq 1
	done
done

# Each pushes to the other: a third and a fourth service.
for i in 1 2; do
	build=$([ $i = 1 ] && echo "$old" || echo "$BUILD")
	of_fleet "$build" $i config show > "$RUN/shown"
	jq --arg name "more$i" --arg listen "$VIP:9$i" '{shared: (.config.shared // .shared)} |
		.shared.services += [.shared.services[0] | .name = $name | .listen = [$listen]]' "$RUN/shown" > "$RUN/new.json"
	of_fleet "$build" $i fleet push "$RUN/new.json" pause 100ms > "$RUN/push" || fail "push from lb$i: $(cat "$RUN/push")"
	is "members that applied what lb$i pushed" "$(jq '[.members[] | select(.result == "applied")] | length' "$RUN/push")" -eq 2
done
is "connections that answer, pushed" "$(hold_answered)" -eq $N

# The upgrade, under load.
probe_start ask client2 16
fleet_at 1
ctl fleet push save pause 100ms > "$RUN/said" || fail "save: $(cat "$RUN/said")"
ctl fleet drain > "$RUN/said"
fleet_becomes 10 $VIP "2"
fleet_stop 1
ROUTER_BUILD=()
fleet_start 1
fleet_becomes 60 $VIP "1 2"
probe_end ask > /dev/null
note "the upgrade: $(jq -c . "$RUN/ask.log")"
is "datagrams lost by the upgrade" "$(jq .lost "$RUN/ask.log")" -eq 0
is "connections that answer, upgraded" "$(hold_answered)" -eq $N
is "services after the upgrade" "$(fleet_at 1 && rpc status | jq .services)" -eq 4
hold_close
doors_add_up
