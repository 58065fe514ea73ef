#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 60
# The folder of what plvs keeps, and that of its configuration, on a disk that is full or read-only:
# a sentence that names the remedy, traffic goes on, and no file is half written.
. "$(dirname "$0")/lib.sh"

mkdir "$RUN/state" "$RUN/etc"
disks_end()
{
	umount -l "$RUN/state" "$RUN/etc" 2> /dev/null || true
}
at_exit disks_end
mount -t tmpfs -o size=512k none "$RUN/state"
mount -t tmpfs -o size=64k none "$RUN/etc"
chmod 700 "$RUN/state"

# fill FOLDER: up to the last block.
fill()
{
	dd if=/dev/zero of="$1/ballast" bs=4k oflag=append conv=notrunc 2> /dev/null || true
}
warnings()
{
	rpc status | jq -r '.warnings[]'
}
warned()
{
	[[ $(warnings) == *"$1"* ]] || fail "status warns: $(warnings)"
	note "$(warnings | head -1)"
}
serves()
{
	web_ask client1 192.0.2.80 10 > "$RUN/answers"
	is "answers" "$(wc -l < "$RUN/answers")" -eq 10
}
# nothing_half FOLDER FILE...: the folder has these files alone.
nothing_half()
{
	local folder=$1
	shift
	is "files of $(basename "$folder")" "$(find "$folder" -mindepth 1 ! -name ballast -printf '%f\n' | sort | paste -sd' ')" = "$*"
}
start_from_etc()
{
	PLVS_CONFIG=$RUN/etc/plvs.json
	in_front ip netns exec "$NET-dpdk" "$BUILD/src/plvs" "${eal[@]}" -- -c "$PLVS_CONFIG" >> "$RUN/plvs.log" 2>&1 < /dev/null &
	PLVS_PID=$!
	echo $PLVS_PID > "$RUN/plvs.pid"
	wait_for 30 "plvs answers on its control socket" plvs_answers
}

network_two_armed 1 1
plvs_config "$(service web tcp 192.0.2.80:80 nat rr 10.10.0.11:80)"
jq --arg state "$RUN/state" '.node.state_dir = $state' "$RUN/plvs.json" > "$RUN/etc/plvs.json"
mapfile -t eal < <(plvs_eal 1)
web_start server1
start_from_etc
serves
is "warnings" "$(warnings | wc -l)" -eq 0
plvs_stop

# Full: a change is live, and is told not to outlive a restart; the stop keeps what was there.
fill "$RUN/state"
start_from_etc
fill "$RUN/state" # what was there has been read, and is gone
files=$(find "$RUN/state" -mindepth 1 ! -name ballast -printf '%f\n' | sort | paste -sd' ')
warned "the file system is full: free some of it"
serves
sed -i 's/"weight": 1/"weight": 3/' "$RUN/etc/plvs.json"
ctl config apply > "$RUN/said" 2>&1 || fail "a change on a full disk: $(cat "$RUN/said")"
wait_for 10 "the log tells of the version" grep -q 'not stored: .*No space left' "$RUN/plvs.log"
serves
plvs_stop
is "the log of the stop" "$(grep -c 'connections are not written: .*No space left' "$RUN/plvs.log")" -ge 1
# shellcheck disable=SC2086 # names
nothing_half "$RUN/state" $files

# The configuration's own folder is full: the file stays byte by byte.
fill "$RUN/etc"
rm "$RUN/state/ballast"
start_from_etc
ctl server edit tcp:192.0.2.80:80 10.10.0.11:80 weight 5 > /dev/null
sum=$(sha256sum < "$RUN/etc/plvs.json")
! ctl config save > "$RUN/said" 2>&1 || fail "config save on a full disk: $(cat "$RUN/said")"
grep -q 'No space left' "$RUN/said" || fail "config save says: $(cat "$RUN/said")"
note "$(tail -1 "$RUN/said")"
is "the file" "$(sha256sum < "$RUN/etc/plvs.json")" = "$sum"
nothing_half "$RUN/etc" plvs.json
rm "$RUN/etc/ballast"
ctl config save > /dev/null || fail "config save with room"
plvs_stop

# Read-only, both.
mount -o remount,ro "$RUN/state"
mount -o remount,ro "$RUN/etc"
start_from_etc
warned "the file system is read-only: mount it writable"
serves
ctl server edit tcp:192.0.2.80:80 10.10.0.11:80 weight 7 > /dev/null
! ctl config save > "$RUN/said" 2>&1 || fail "config save on a read-only disk: $(cat "$RUN/said")"
grep -q 'Read-only file system' "$RUN/said" || fail "config save says: $(cat "$RUN/said")"
note "$(tail -1 "$RUN/said")"
doors_add_up
plvs_stop

# A device, a key and a folder that are not there, at the start.
# refused SENTENCE ARGUMENT...: what a start says.
refused()
{
	local sentence=$1 said
	shift
	said=$(ip netns exec "$NET-dpdk" timeout 30 "$BUILD/src/plvs" --no-huge -m 256 --no-shconf --file-prefix "$NET" \
		--lcores "$(plvs_lcores 1)" "$@" 2>&1 || true)
	[[ $said == *"$sentence"* ]] || fail "a start says: $(tail -3 <<< "$said")"
	note "$(grep -F "$sentence" <<< "$said" | tail -1 | cut -c 1-150)"
}
jq '.node.ports[0].device = "0000:ff:1f.7"' "$RUN/etc/plvs.json" > "$RUN/wrong.json"
refused "no PCI device has the address 0000:ff:1f.7; \"plvs-host show\"" -a 0000:ff:1f.7 -- -c "$RUN/wrong.json"
jq '.node.ha = {role: "primary", key_file: "/nowhere/key", paths: [{name: "x", local: "10.10.0.2", peer: "10.10.0.3"}]}' \
	"$RUN/etc/plvs.json" > "$RUN/wrong.json"
refused "node.ha.key_file: /nowhere/key: No such file or directory: copy the peer's file, or make one for both: openssl rand" --no-pci -- -c "$RUN/wrong.json"
