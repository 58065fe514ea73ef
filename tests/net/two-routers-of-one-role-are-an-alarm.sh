#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 60
# families: 4 6
. "$(dirname "$0")/lib.sh"
. "$TOP/tests/net/lib/pair.sh"
. "$TOP/tests/net/lib/faults.sh"

# A single file for both, as an operator would copy it: the same role, the same priority.
pair_network 1 1
for r in a b; do
	pair_config $r "$(service web tcp 192.0.2.80:80 nat rr 10.10.0.11:8080)"
	jq '.node.ha.role = "primary" | .node.ha.priority = 100' "$RUN/$r.json" > "$RUN/new"
	mv "$RUN/new" "$RUN/$r.json"
done
web_start server1 8080
pair_start a b
one_active()
{
	roles=$(roles_seen)
	[ "$roles" = "active backup" ] || [ "$roles" = "backup active" ]
}
wait_for 20 "one is active" one_active
stays 1 "$roles"
pair_serves 192.0.2.80 3 || fail "the web does not answer"
for r in a b; do
	is "alarm of $r" "$(of $r .alarm | grep -c 'both routers are configured as primary')" -eq 1
	is "lines of $r's log" "$(grep -c 'ha: both routers are configured as primary' "$RUN/$r.log")" -eq 1
	pair_at $r
	is "ha status of $r" "$(ctl ha status | grep -c 'ALARM: both routers are configured as primary')" \
		-eq 1
done

note "a push leaves the node part of the other one as it is"
pair_at b
before=$(rpc config.get '{"part": "node"}' | jq -cS .)
grep -q "linux-b" <<< "$before" || fail "that is not the node part: $before"
pair_at a
ctl service add tcp:192.0.2.81:80 scheduler rr
ctl config push > "$RUN/said" || fail "push: $(cat "$RUN/said")"
pair_at b
is "services of b" "$(rpc status | jq .services)" -eq 2
is "node part of b" "$(rpc config.get '{"part": "node"}' | jq -cS .)" = "$before"

note "another role and a restart end it"
jq '.node.ha.role = "backup"' "$RUN/b.json" > "$RUN/new"
mv "$RUN/new" "$RUN/b.json"
pair_stop b
pair_start b
no_alarm()
{
	[ "$(of "$1" .alarm)" = null ]
}
for r in a b; do wait_for 10 "$r has no alarm" no_alarm $r; done
