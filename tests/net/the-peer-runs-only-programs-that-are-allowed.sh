#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 90
# Checks by programs in a configuration that goes to the peer: the peer runs a program only from a
# directory that its own node part allows, only if no other user can change the program, and as the
# user that its node part names.
. "$(dirname "$0")/lib.sh"
. "$TOP/tests/net/lib/pair.sh"

chmod 755 "$RUN"
mkdir -m 755 "$RUN/programs" "$RUN/elsewhere"
mkdir -m 1777 "$RUN/ran"
# Each run leaves the name of its user and of its network namespace.
cat > "$RUN/programs/good" <<-END
	#!/bin/sh
	: > "$RUN/ran/\$(basename "\$0")-\$(id -un)-\$(stat -Lc %i /proc/self/ns/net)"
END
chmod 755 "$RUN/programs/good"
cp -p "$RUN/programs/good" "$RUN/programs/loose"
chmod 777 "$RUN/programs/loose"
cp -p "$RUN/programs/good" "$RUN/elsewhere/good"
cp -p "$RUN/programs/good" "$RUN/elsewhere/other"
ln -s ../elsewhere/other "$RUN/programs/link"

pair_network 1 1
for r in a b; do
	pair_config $r "$(service web tcp 192.0.2.80:80 nat rr 10.10.0.11:8080)"
	[ $r = a ] || jq --arg d "$RUN/programs" \
		'.node.programs = {directories: [$d], user: "daemon"}' "$RUN/b.json" > "$RUN/new"
done
mv "$RUN/new" "$RUN/b.json"
pair_start a b
pair_becomes 20 a active
pair_becomes 20 b backup

# asked PROGRAM USER: by a configuration that a applies; the answer is in $RUN/said.
asked()
{
	pair_at a
	jq --arg program "$1" --arg user "$2" '.shared.checks = [{name: "program", type: "exec",
		interval: "200ms", timeout: "2s",
		exec: ({argv: [$program]} + (if $user == "" then {} else {user: $user} end))}] |
		.shared.services[0].check = "program"' "$RUN/a.json" > "$RUN/asked.json"
	rpc config.apply "$(jq -cn --arg path "$RUN/asked.json" '{path: $path}')" > "$RUN/said"
}

# refused PROGRAM USER WORDS
refused()
{
	asked "$1" "$2"
	is "stored at b" "$(jq .stored.peer "$RUN/said")" = false
	grep -q "$3" "$RUN/said" || fail "the answer does not say \"$3\": $(cat "$RUN/said")"
	pair_at b
	is "checks of b" "$(rpc config.get '{"part": "shared"}' | jq '.config.shared.checks | length')" \
		-eq "$checks"
}

# ran PROGRAM USER ROUTER
ran()
{
	[ -e "$RUN/ran/$1-$2-$(on "linux-$3" stat -Lc %i /proc/self/ns/net)" ]
}

checks=0
note "a program in no directory that b allows, by its own name and by a link"
refused "$RUN/elsewhere/good" "" "in no directory of node.programs.directories"
wait_for 5 "a runs what its own operator asked for" ran good nobody a
refused "$RUN/programs/link" "" "in no directory of node.programs.directories"

note "a program that others may change"
refused "$RUN/programs/loose" "" "others may write to it"

note "another user than the one that b names"
refused "$RUN/programs/good" root "is not the user of node.programs.user"
refused "$RUN/programs/good" nobody "is not the user of node.programs.user"

note "what is allowed runs at b as the user that b names"
asked "$RUN/programs/good" ""
is "stored" "$(jq -c .stored "$RUN/said")" = '{"here":true,"peer":true}'
wait_for 5 "b runs the program" ran good daemon b
rm -f "$RUN/ran/"*
wait_for 5 "a runs the program" ran good nobody a
wait_for 5 "b runs the program again" ran good daemon b
is "runs as another user at b, and of other programs" \
	"$(find "$RUN/ran" -type f ! -name 'good-nobody-*' ! -name 'good-daemon-*' | wc -l)" -eq 0
! ran good nobody b || fail "b runs the program as nobody"
! ran good root b || fail "b runs the program as root"

note "the active router is asked by the backup, and allows no more than its own node part"
pair_at b
rpc config.get '{"part": "all"}' | jq --arg program "$RUN/programs/loose" \
	'.config | .shared.checks += [{name: "more", type: "exec", exec: {argv: [$program]}}]' \
	> "$RUN/asked.json"
! ctl config apply "$RUN/asked.json" > "$RUN/said" 2>&1 ||
	fail "a takes any program from its peer"
grep -q "node.programs.directories" "$RUN/said" || fail "$(cat "$RUN/said")"
