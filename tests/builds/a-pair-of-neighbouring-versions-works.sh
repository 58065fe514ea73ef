#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# set: full
# limit: 2400
# The promise of CHANGELOG.md: the last version and this one form a pair, take over from each other with
# traffic, and each one's plvsctl speaks to the other's router. The last version is the last tag, or
# while there is none the commit in last-version; it is built from the history of this clone.
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
if ! git -C "$top" rev-parse --git-dir > /dev/null 2>&1; then
	echo "skipped: no history here, so there is no last version to build"
	exit 0
fi
old=$(git -C "$top" describe --tags --abbrev=0 HEAD^ 2> /dev/null || grep -v '^#' "$top/tests/builds/last-version")
if ! git -C "$top" cat-file -e "$old^{commit}" 2> /dev/null; then
	echo "skipped: this clone is shallow and has no $old"
	exit 0
fi
commit=$(git -C "$top" rev-parse "$old^{commit}")
folder=${PLVS_BUILD:-$top/build}/last-version
if [ ! -e "$folder/$commit/build/src/cli/plvsctl" ]; then
	rm -rf "$folder"
	mkdir -p "$folder/$commit"
	git -C "$top" archive "$commit" | tar -x -C "$folder/$commit"
	(cd "$folder/$commit" && meson setup -Dtests=disabled build && ninja -C build src/plvs src/cli/plvsctl) \
		> "$folder/log" 2>&1 || { tail -20 "$folder/log"; exit 1; }
fi
old=$folder/$commit

. "$top/tests/net/lib.sh"
. "$TOP/tests/net/lib/pair.sh"
. "$TOP/tests/net/lib/faults.sh"
# Promises are of versions here, not of time: a busy machine is not to take over by itself.
PAIR_HA='{"keepalive": "200ms", "deadtime": "3s", "start_delay": "3s", "failback": "manual", "grace": "3s"}'
note "the last version: $(git -C "$TOP" log -1 --format='%h, %cs' "$commit"), $("$old/build/src/plvs" --version)"

# Configurations of the last version are valid, without a warning that it has not.
for file in "$old"/config/*.json "$old"/config/guides/*.json; do
	[ -e "$file" ] || continue
	"$BUILD/src/plvs" -- -t -c "$file" > "$RUN/said.new" 2>&1 || true
	"$old/build/src/plvs" -- -t -c "$file" > "$RUN/said.old" 2>&1 || true
	is "${file#"$old/"}" "$(sed 's/^[^ ]* plvs: //' "$RUN/said.new" | grep -v 'is valid\|on this host\|key_file: .*No such file' || true)" = \
		"$(sed 's/^[^ ]* plvs: //' "$RUN/said.old" | grep -v 'is valid\|on this host\|key_file: .*No such file' || true)"
done

# router_is ROUTER old|new: what the next start of it runs.
router_is()
{
	ROUTER_BUILD[$1]=$BUILD
	[ "$2" = new ] || ROUTER_BUILD[$1]=$old/build
}

# speaks BUILD ROUTER: every command that reads, and a change and back.
speaks()
{
	local words said
	for words in version status "service list" "port list" "connection list" "counters" "ha status" \
		"health list" "config show" "worker list"; do
		# shellcheck disable=SC2086 # words
		if said=$("$1/src/cli/plvsctl" --socket "$RUN/$2.sock" $words 2>&1); then continue; fi
		# A command that the older program or router has not, and says so.
		[[ $said == *"no such method"* || $said == *"is no command"* || $said == *"unknown"* ]] || fail "plvsctl $words: $said"
		note "plvsctl $words: $(tail -1 <<< "$said")"
	done
	for words in 3 1; do
		"$1/src/cli/plvsctl" --socket "$RUN/$2.sock" server edit tcp:192.0.2.80:80 10.10.0.11:8080 weight $words > /dev/null ||
			fail "server edit of $2"
		is "weight at $2" "$("$1/src/cli/plvsctl" --socket "$RUN/$2.sock" --json service list |
			jq '[.services[] | select(.name == "web") | .servers[0].weight][0]')" -eq $words
	done
}

# download_goes_on TO COMMAND...: the command makes TO active while a client downloads.
download_goes_on()
{
	local to=$1
	shift
	wait_for 60 "$to is synchronised" pair_synchronised "$to"
	on_background client2 download timeout 120 curl -sS --limit-rate 8M -o "$RUN/big" -w '%{size_download}' \
		http://192.0.2.80/big
	wait_for 30 "$to has the download" has_download "$to"
	"$@"
	pair_becomes 30 "$to" active
	background_wait download || fail "the download: $(cat "$RUN/download.log")"
	is "bytes of the download that $to took over" "$(cat "$RUN/download.log")" -eq $((64 << 20))
	rm -f "$RUN/big"
}

has_download()
{
	pair_at "$1"
	ctl --json connection list | grep 192.0.2.102
}

hand_over()
{
	pair_at "$1"
	ctl ha handover > "$RUN/said" || fail "handover: $(cat "$RUN/said")"
}

# Planned, from the last version to this one and back.
router_is a old
router_is b new
pair_ready 2 1 "$(service echo udp 192.0.2.80:7 nat rr 10.10.0.11:7)" \
	"$(service web tcp 192.0.2.80:80 nat rr 10.10.0.11:8080)"
web_start server1 8080
wait_for 10 "the web answers" pair_serves 192.0.2.80 3
download_goes_on b hand_over a
pair_becomes 40 a backup
for r in "$BUILD" "$old/build"; do
	speaks "$r" a
	speaks "$r" b
done
download_goes_on a hand_over b
pair_becomes 40 b backup

# By kill -9, both ways.
download_goes_on b pair_kill a
pair_start a
pair_becomes 20 a backup
download_goes_on a pair_kill b

# Kept connections of a router that was stopped alone are read by the next version.
pair_stop a
jq 'del(.node.ha, .shared.ha)' "$RUN/a.json" > "$RUN/a.json.new"
mv "$RUN/a.json.new" "$RUN/a.json"
pair_start a
wait_for 20 "the web answers" pair_serves 192.0.2.80 3
upgrade()
{
	pair_stop a
	router_is a new
	pair_start a
}
on_background client2 download timeout 120 curl -sS --limit-rate 8M -o "$RUN/big" -w '%{size_download}' http://192.0.2.80/big
wait_for 30 "the download runs" has_download a
upgrade
is "kept by the last version and taken up by this one" \
	"$(grep -c 'connections of before taken up' "$RUN/a.log")" -ge 1
background_wait download || fail "the download: $(cat "$RUN/download.log")"
is "bytes of the download over the upgrade" "$(cat "$RUN/download.log")" -eq $((64 << 20))
pair_at a
doors_add_up
