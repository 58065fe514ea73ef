# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Checks, what they say, and clients that go on all the time. Sourced by tests of health.

# health_config CHECKS-JSON SERVICE-JSON...: plvs_config with checks.
health_config()
{
	local checks=$1
	shift
	plvs_config "$@"
	jq --argjson checks "$checks" '.shared.checks = $checks' "$RUN/plvs.json" \
		> "$RUN/plvs.json.new"
	mv "$RUN/plvs.json.new" "$RUN/plvs.json"
}

# health_of SERVICE SERVER JQ-PATH: of health.show.
health_of()
{
	rpc health.show "{\"service\": \"$1\", \"server\": \"$2\"}" | jq -r "$3"
}

health_is()
{
	[ "$(health_of "$1" "$2" .state)" = "$3" ]
}

# server_becomes SECONDS SERVICE SERVER STATE: waits for it and says why it is so.
server_becomes()
{
	wait_for "$1" "$3 of $2 is $4" health_is "$2" "$3" "$4"
	note "$3 of $2 is $4: $(health_of "$2" "$3" '.history[0].reason')"
}

# Every server of every service is up.
all_up()
{
	rpc health.list | jq -e '.servers | length > 0 and all(.state == "up")'
}

# reason_says SERVICE SERVER PATTERN: why its state changed last, in words.
reason_says()
{
	local reason pattern
	reason=$(health_of "$1" "$2" '.history[0].reason')
	# Brackets around an address are none of the pattern's.
	pattern=$(inet "$3" | sed -E 's/\[(2001:[0-9a-f:]+)\]/\\[\1\\]/g')
	grep -Eq "$pattern" <<< "$reason" || fail "$2 of $1: the reason is \"$reason\", not $pattern"
}

# Changes of state so far: of one server, or of all.
edges()
{
	rpc health.counters | jq .edges
}

# chosen SERVICE: the servers that may be chosen, by address.
chosen()
{
	rpc health.list | jq -r --arg service "$1" '[.servers[] |
		select(.name == $service and .chosen) | .server] | sort | join(" ")'
}

# block NAMESPACE MATCH: nftables drops what comes in and matches, until unblock NAMESPACE.
block()
{
	on "$1" nft "add table inet block;
		add chain inet block in { type filter hook input priority 0; };
		add rule inet block in $2 drop"
}

unblock()
{
	on "$1" nft delete table inet block
}

# ask_loop NAMESPACE LABEL ADDRESS[:PORT]: a new request as soon as the last one has ended, by
# a line each: when it began, when it ended (seconds since 1970), curl's exit code, the answer.
ask_loop()
{
	# shellcheck disable=SC2016
	on_background "$1" "$2" bash -c 'trap "exit 0" TERM
		while :; do
			began=$EPOCHREALTIME code=0
			answer=$(curl -s --max-time 2 "$0") || code=$?
			echo "$began $EPOCHREALTIME $code $answer"
		done' "http://$3/"
}

# answers_between LABEL FROM-MS TO-MS: the lines of requests that began between.
answers_between()
{
	awk -v from="$2" -v to="$3" 'NF >= 3 && $1 * 1000 >= from && $1 * 1000 < to' "$RUN/$1.log"
}

# now_ms: as health says times.
now_ms()
{
	echo "${EPOCHREALTIME%???}" | tr -d '.,'
}

# From a verdict on nothing more may reach the server: this much later in milliseconds it is
# published and taken up, on a machine that does other things as well.
SWAP_MS=50

# served_without LABEL SERVER FROM-MS TO-MS: all requests of that time succeeded, and not by
# that server.
served_without()
{
	local n
	answers_between "$1" "$(($3 + SWAP_MS))" "$4" > "$RUN/between"
	n=$(wc -l < "$RUN/between")
	is "requests while $2 was down" "$n" -ge 5
	is "of them failed" "$(awk '$3 != 0' "$RUN/between" | wc -l)" -eq 0
	is "of them answered by $2" "$(awk -v who="$2" '$4 == who' "$RUN/between" | wc -l)" -eq 0
}
