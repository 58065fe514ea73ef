#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 120
. "$(dirname "$0")/lib.sh"
. "$TOP/tests/net/lib/pair.sh"
. "$TOP/tests/net/lib/faults.sh"

# refused_with WORDS COMMAND...: plvsctl fails and says so.
refused_with()
{
	local words=$1
	shift
	if ctl "$@" > "$RUN/said" 2>&1; then fail "plvsctl $* succeeds: $(cat "$RUN/said")"; fi
	grep -q "$words" "$RUN/said" || fail "plvsctl $* says: $(cat "$RUN/said")"
	note "plvsctl $*: $(cat "$RUN/said")"
}

PAIR_HA=$(jq -c '. + {witnesses: [{link: "private", addresses: ["10.10.0.11", "10.10.0.12"]}]}' \
	<<< "$PAIR_HA")
PAIR_NOTIFY='{"ha": ["'$RUN'/notified.sh"]}'
# Each router's Linux side is a namespace of its own: that tells whose program it is.
cat > "$RUN/notified.sh" <<END
#!/bin/sh
{ cat; echo; } >> $RUN/notified.\$(ip netns identify | sed 's/.*-//')
END
chmod 755 "$RUN" "$RUN/notified.sh"
pair_ready 1 2 "$(service web tcp 192.0.2.80:80 nat rr 10.10.0.11:8080 10.10.0.12:8080)"
for i in 1 2; do web_start server$i 8080; done
wait_for 10 "the web answers" pair_serves 192.0.2.80 3

note "maintenance of the backup: it takes nothing over"
pair_at b
ctl ha maintenance on
pair_becomes 5 b maintenance
pair_at a
refused_with "maintenance\|ready" ha handover
pair_freeze a
sleep 1
is "b while nobody is active" "$(pair_state b)" = maintenance
pair_thaw a
stays 1 "active maintenance"
pair_at b
ctl ha maintenance off
pair_becomes 5 b backup

note "force: active whatever the peer says"
pair_at b
ctl ha force
pair_becomes 5 b active
pair_becomes 5 a backup
wait_for 10 "the web answers by b" pair_serves 192.0.2.80 3
stays 1 "backup active"

note "reset: at both routers"
pair_at b
ctl ha reset
stays 1 "backup active"

note "a backup that hears fewer witnesses is refused"
# a's questions to server2 get no answer, and b's heartbeats (type 1) do not come to a.
loss a private rx "arp saddr ip 10.10.0.12"
one_witness()
{
	[ "$(of a '[.witnesses[].answering] | add')" -eq 1 ]
}
wait_for 5 "one witness answers a" one_witness
for path in public private; do
	heartbeat_loss b $path tx "1"
done
refused()
{
	[ "$(of b .refused_stops)" -ge 2 ]
}
wait_for 10 "b refuses STOP" refused
is "b" "$(pair_state b)" = active
told()
{
	[ "$(of a '.transitions.refused // 0')" -ge 1 ]
}
wait_for 5 "a is told" told
pair_serves 192.0.2.80 5 || fail "the web does not answer"
# Heartbeats first: with all witnesses before it hears b, a would rightly take over.
for path in public private; do loss_end_of b $path tx; done
pair_becomes 5 a backup
loss_end
stays 1 "backup active"

note "force with a dead peer; a hand-over to nobody is refused"
pair_kill b
pair_becomes 5 a active
pair_at a
refused_with . ha handover
is "a" "$(pair_state a)" = active

note "programs were told of every change of role, with the reason"
for r in a b; do
	pair_told()
	{
		[ "$(jq -c . "$RUN/notified.$r" | wc -l)" -eq "$(pair_changes "$r")" ]
	}
	wait_for 5 "as many notes as role changes of $r ($(pair_changes "$r"))" pair_told
	jq -r 'select(.event == "ha") | "\(.state), was \(.was): \(.reason)"' "$RUN/notified.$r" \
		> "$RUN/told"
	grep -o ' ha: [a-z]*, was .*' "$RUN/$r.log" | sed 's/^ ha: //' > "$RUN/logged"
	cmp "$RUN/told" "$RUN/logged" || fail "log and notes of $r differ"
	note "$r: $(wc -l < "$RUN/told") notes"
done
