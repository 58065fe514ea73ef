#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 60
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/net/lib/health.sh
. "$TOP/tests/net/lib/health.sh"

A=10.10.0.11:7000 B=10.10.0.12:7000
network_two_armed 1 2
cat > "$RUN/told" <<-END
	#!/bin/sh
	# A line each: for how many changes it stands, and the document.
	echo "\$((\${PLVS_SKIPPED:-0} + 1)) \$(cat)" >> "$RUN/told.log"
END
chmod 755 "$RUN/told"
touch "$RUN/told.log"
health_config '[{"name": "tcp", "type": "tcp", "interval": "100ms", "timeout": "400ms",
	"rise": 2, "fall": 2}]' \
	"$(service web tcp 192.0.2.80:80 nat rr $A $B | jq -c '.check = "tcp"')"
jq --arg told "$RUN/told" '.node.notify = {health: [$told]}' "$RUN/plvs.json" > "$RUN/notify.json"
mv "$RUN/notify.json" "$RUN/plvs.json"
for i in 1 2; do on_background server$i tcp$i "$PROBE" tcp-echo 10.10.0.1$i:7000; done
plvs_start
wait_for 10 "both are up" all_up

# told COUNT: so many lines at least.
told()
{
	[ "$(wc -l < "$RUN/told.log")" -ge "$1" ]
}

# Down and up again, a document each; that they came up at the start was no news.
background_stop tcp1 || true
server_becomes 5 web $A down
wait_for 5 "a program was told" told 1
cut -d ' ' -f 2- "$RUN/told.log" > "$RUN/document"
note "told: $(cat "$RUN/document")"
jq -e --arg a $A '.event == "health" and .router == "lb1" and .service == "tcp:192.0.2.80:80" and
	.server == $a and .state == "down" and .admin == "none" and .chosen == false and
	(.at_ms | type == "number") and
	(.reason | startswith($a + " refused the connection"))' "$RUN/document" > /dev/null ||
	fail "that is not the document"
on_background server1 tcp1 "$PROBE" tcp-echo $A
server_becomes 5 web $A up
wait_for 5 "a program was told again" told 2
sleep 0.3
is "documents" "$(wc -l < "$RUN/told.log")" -eq 2
is "the second one says" "$(tail -1 "$RUN/told.log" | cut -d ' ' -f 2- | jq -r .state)" = up

# Both down: the quorum is news of its own.
for i in 1 2; do background_stop tcp$i || true; done
server_becomes 5 web $A down
server_becomes 5 web $B down
wait_for 5 "three more documents" told 5
for i in 1 2; do on_background server$i tcp$i "$PROBE" tcp-echo 10.10.0.1$i:7000; done
server_becomes 5 web $A up
server_becomes 5 web $B up
wait_for 5 "three more documents" told 8
is "of the quorum" "$(cut -d ' ' -f 2- "$RUN/told.log" | jq -r \
	'select(.event == "quorum") | .service + " " + .quorum' | tr '\n' ' ')" \
	= "tcp:192.0.2.80:80 lost tcp:192.0.2.80:80 held "

# Many changes in a moment: fewer programs than changes, the last one says how it is.
for i in {1..30}; do
	for state in down none; do
		printf '{"jsonrpc":"2.0","id":%d,"method":"health.force","params":{"service":"web","server":"%s","state":"%s"}}\n' \
			"$i" $B $state
	done
done | timeout 20 socat -t 5 - "UNIX-CONNECT:$RUN/plvs.sock" > "$RUN/forced"
is "changes made" "$(jq -s 'map(select(.result)) | length' "$RUN/forced")" -eq 60
all_told()
{
	[ "$(awk '{ n += $1 } END { print n }' "$RUN/told.log")" -eq 68 ]
}
wait_for 10 "programs were told of all of them" all_told
is "programs for them" "$(($(wc -l < "$RUN/told.log") - 8))" -le 30
is "the last one says" \
	"$(tail -1 "$RUN/told.log" | cut -d ' ' -f 2- | jq -r '.admin + " " + .state')" = "none up"
is "lines of the log about $B" "$(grep -c "server $B" "$RUN/plvs.log")" -eq 63
doors_add_up
