#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 60
. "$(dirname "$0")/lib.sh"

network_two_armed 1 2
plvs_config "$(service web tcp 192.0.2.80:80 nat rr 10.10.0.11:8080 10.10.0.12:8080)"
plvs_start
for i in 1 2; do web_start server$i 8080; done
web_ask client1 192.0.2.80 4 > "$RUN/answers"

# doctor CODE: the findings are in $RUN/findings, and the exit code is CODE.
doctor()
{
	local code=0
	ctl doctor --json > "$RUN/findings" || code=$?
	is "exit code of doctor" $code -eq "$1"
}

# found ID: how many findings there are of it.
found()
{
	jq "[.findings[] | select(.id == \"$1\")] | length" "$RUN/findings"
}

doctor 0
is "findings of a healthy router" "$(jq '.findings | length' "$RUN/findings")" -eq 0
is "in words" "$(ctl doctor)" = "nothing is wrong"

ctl health force web 10.10.0.11:8080 down reason "a test" > "$RUN/said"
doctor 1
is "a forced server" "$(found server-forced)" -eq 1
is "services without servers" "$(found service-without-servers)" -eq 0
ctl health force web 10.10.0.12:8080 down > "$RUN/said"
doctor 2
is "a service without servers" "$(found service-without-servers)" -eq 1
for i in 1 2; do ctl health force web "10.10.0.1$i:8080" auto > "$RUN/said"; done
doctor 0

# A server that no host has.
ctl server add web 10.10.0.99:8080 > "$RUN/said"
unresolved()
{
	ctl doctor --json > "$RUN/findings" || true
	[ "$(found nexthop-unresolved)" -eq 1 ]
}

wait_for 20 "a next hop that does not answer is found" unresolved
is "which one" "$(jq -r '.findings[] | select(.id == "nexthop-unresolved") | .what' "$RUN/findings")" = \
	"10.10.0.99 on private does not answer ARP or ND"
code=0
"$BUILD/src/cli/plvsctl" --socket "$RUN/nowhere" doctor > "$RUN/said" 2>&1 || code=$?
is "exit code without a router" $code -eq 3
