#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 60
. "$(dirname "$0")/lib.sh"
. "$TOP/tests/net/lib/health.sh"

network_two_armed 2 2
health_config '[{"name": "open", "type": "tcp", "interval": "500ms", "timeout": "400ms"}]' \
	"$(service web tcp 192.0.2.80:80 nat rr 10.10.0.11:8080 10.10.0.12:8080 |
		jq -c '. + {check: "open"}')"
jq '.shared.ha.announce.refresh = "1s"' "$RUN/plvs.json" > "$RUN/new.json"
mv "$RUN/new.json" "$RUN/plvs.json"
plvs_start
for i in 1 2; do web_start server$i 8080; done

# doctor CODE: the findings are in $RUN/findings, and the exit code is CODE, at the latest in 20 s: on a busy machine
# a check can fail.
doctor()
{
	local code end=$((SECONDS + 20))
	while true; do
		code=0
		ctl doctor --json > "$RUN/findings" || code=$?
		if [ $code -eq "$1" ] || [ $SECONDS -ge $end ]; then break; fi
		pause 0.3
	done
	[ $code -eq "$1" ] || note "$(jq -c .findings "$RUN/findings")"
	is "exit code of doctor" $code -eq "$1"
}

# found ID: how many findings there are of it.
found()
{
	jq "[.findings[] | select(.id == \"$1\")] | length" "$RUN/findings"
}

all_healthy()
{
	[ "$(rpc health.list | jq '[.servers[].standing == "up"] | all')" = true ]
}

wait_for 10 "both servers are up" all_healthy
web_ask client1 192.0.2.80 4 > "$RUN/answers"
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

# shows ID: once doctor has found it.
shows()
{
	ctl doctor --json > "$RUN/findings" || true
	[ "$(found "$1")" -eq 1 ]
}

shows_not()
{
	! shows "$1"
}

# A host that has the VIP and asks by ARP in its name, as a real server of direct routing does that
# lacks arp_announce.
ip -n "$NET-client2" address add 192.0.2.80/32 dev lo
on client2 ping -c 1 -W 1 -I 192.0.2.80 192.0.2.200 > "$RUN/said" || true
wait_for 20 "a station that claims a VIP is found" shows vip-claimed
what=$(jq -r '.findings[] | select(.id == "vip-claimed") | .what' "$RUN/findings")
[[ $what == *"$(mac_of client2 eth0)"*"says by ARP or ND that it has 192.0.2.80 on public" ]] || fail "$what"
ip -n "$NET-client2" address delete 192.0.2.80/32 dev lo

# A host that has the VIP, answers for it, and says nothing of its own, as a real server of direct
# routing does that lacks arp_ignore: the router asks. The claim of before is forgotten.
plvs_stop
plvs_start
wait_for 10 "both servers are up again" all_healthy
web_ask client1 192.0.2.80 2 > "$RUN/answers"
doctor 0
ip -n "$NET-client2" address add 192.0.2.80/32 dev lo
doctor 2
is "a station that answers for a VIP" "$(found vip-claimed)" -eq 1
what=$(jq -r '.findings[] | select(.id == "vip-claimed") | .what' "$RUN/findings")
[[ $what == *"$(mac_of client2 eth0)"*"has 192.0.2.80 on public" ]] || fail "$what"
on client2 sysctl -qw net.ipv4.conf.all.arp_ignore=1
ip -n "$NET-client2" address delete 192.0.2.80/32 dev lo
questions=$(rpc ha.ask_addresses | jq .asked)
is "questions by ARP, of two addresses and links at most" "$questions" -ge 2
is "questions of two runs of doctor" "$questions" -le 8

# A server whose replies to clients go elsewhere; its checks come from its own network.
ip -n "$NET-server2" route replace blackhole default
# shellcheck disable=SC2016
on client1 sh -c 'for i in $(seq 60); do curl -s --max-time 0.3 http://192.0.2.80/ > /dev/null & done; wait'
wait_for 10 "a server without replies is found" shows nat-replies-missing
what=$(jq -r '.findings[] | select(.id == "nat-replies-missing") | .what' "$RUN/findings")
[[ $what == "10.10.0.12:8080 of tcp:192.0.2.80:80 is up, and "*" SYNs of clients have no answer" ]] || fail "$what"

# A server that no host has.
ctl server add web 10.10.0.99:8080 > "$RUN/said"
wait_for 20 "a next hop that does not answer is found" shows nexthop-unresolved
is "changes that are not saved" "$(found configuration-unsaved)" -eq 1
is "which one" "$(jq -r '.findings[] | select(.id == "nexthop-unresolved") | .what' "$RUN/findings")" = \
	"10.10.0.99 on private does not answer ARP or ND"
ctl config save > "$RUN/said"
wait_for 5 "nothing is unsaved" shows_not configuration-unsaved
code=0
"$BUILD/src/cli/plvsctl" --socket "$RUN/nowhere" doctor > "$RUN/said" 2>&1 || code=$?
is "exit code without a router" $code -eq 3
