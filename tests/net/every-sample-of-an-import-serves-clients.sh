#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 400
# set: full
# Each sample of tests/import that the import takes, or of the folders in PLVS_IMPORTS, is imported, tested by
# `plvs -t`, applied, and carries connections to its servers. The machine's own part stands in for `node`.
. "$(dirname "$0")/lib.sh"

switch_add public
switch_add private
ns_add linux
ns_add dpdk
ns_add outside
# No address of a sample is on these networks.
for side in public private; do
	leg_add outside $side $side
	leg_add dpdk $side $side
done
plvs_port public '{"addresses": ["100.64.1.2/24", "fd00:1::2/64"],
	"routes": ["198.18.0.0/15 via 100.64.1.1", "2001:2::/48 via fd00:1::1"]}'
plvs_port private '{"addresses": ["100.64.2.2/24", "fd00:2::2/64"],
	"routes": ["default via 100.64.2.1", "::/0 via fd00:2::1"]}'
PLVS_ADDRESSES='[]'
plvs_config
plvs_start

# The document that an import wrote, in this network: no names of others' interfaces, no pair, and a rule for
# each mark, which the import leaves to be written by hand; where --force left the pool of full NAT out, one of here.
# shellcheck disable=SC2016
HERE='def prefix6: .family == "ipv6";
	.[0] * {shared: .[1].shared} | del(.shared.ha) |
	.shared.addresses = (.shared.addresses // []) |
	(if [.shared | .. | objects | select(.forward? == "fullnat")] != [] and all(.shared.addresses[]; .kind != "pool")
	 then .shared.addresses += [{address: "100.64.2.200", kind: "pool", link: "private"}] else . end) |
	.shared.addresses |= map(if has("link") then .link = (if .kind == "vip" then "public" else "private" end) else . end) |
	.shared.marks = [.shared.services[]? | select(.mark) |
		{mark, destination: (if prefix6 then "2001:2:0:9::\(.mark % 1000)/128" else "203.0.113.\(.mark % 250 + 1)/32" end)}]'
samples=0
for file in $(find "${PLVS_IMPORTS:-$TOP/tests/import}" -name '*.conf' | sort); do
	[ -z "${PLVS_ONLY:-}" ] || [[ $file == *$PLVS_ONLY* ]] || continue
	name=$(basename "$(dirname "$file")")/$(basename "$file" .conf)
	read -ra options <<< "${PLVS_IMPORT_OPTIONS:-}"
	for option in id role; do
		value=$(sed -n "s/^option $option //p" "${file%.conf}.expect" 2> /dev/null || true)
		[ -z "$value" ] || options+=("--$option" "$value")
	done
	rc=0
	ctl import "${options[@]}" "$file" > "$RUN/imported" 2> "$RUN/report" || rc=$?
	# What lacks a part of the file is refused, and is written all the same.
	if [ $rc -ne 0 ] && ctl import --force "${options[@]}" "$file" > "$RUN/imported" 2> "$RUN/report"; then
		name="$name (--force)"
		rc=0
	fi
	if [ $rc -ne 0 ]; then
		note "$name: refused: $(grep -m 1 'error' "$RUN/report" || tail -1 "$RUN/report")"
		continue
	fi
	sed '/^[[:space:]]*\/\//d' "$RUN/imported" > "$RUN/imported.json"
	# The file as it is: nothing but what this machine lacks may be wrong.
	"$BUILD/src/plvs" -t -c "$RUN/imported" > "$RUN/tested" 2>&1 || true
	grep -q 'the configuration is valid' "$RUN/tested" || fail "$name: plvs -t says: $(cat "$RUN/tested")"
	jq -s "$HERE" "$RUN/plvs.json" "$RUN/imported.json" > "$RUN/here.json"
	if [ "$(jq '.shared.services | length' "$RUN/here.json")" -eq 0 ]; then
		note "$name: no services"
		continue
	fi
	ctl config apply "$RUN/here.json" > "$RUN/said" 2>&1 || fail "$name: $(cat "$RUN/said")"
	marks=$(jq -c '[.shared.marks[] | {key: (.mark | tostring), value: (.destination | split("/")[0])}] | from_entries' "$RUN/here.json")
	on outside timeout 120 "$TOP/tests/net/lib/import_traffic.py" "$RUN/plvs.sock" "$marks" > "$RUN/traffic" 2>&1 ||
		fail "$name: $(cat "$RUN/traffic")"
	note "$name:$(tail -1 "$RUN/traffic")"
	samples=$((samples + 1))
	ctl config apply "$RUN/plvs.json" > "$RUN/said" 2>&1 || fail "the empty configuration: $(cat "$RUN/said")"
done
is "samples that served clients" $samples -ge 1
# Counts stay with servers that went under connections.
wait_for 10 "the doors add up" doors_balanced
plvs_stop
