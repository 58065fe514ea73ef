#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 60
. "$(dirname "$0")/lib.sh"

# The router in front of proxy caches: whatever clients ask for in the prefix is marked, and
# each destination is one cache's. The caches take any address of the prefix as theirs.
PREFIX=198.18.0.0/16

# ask ROUNDS: prints "SERVER DESTINATION" for each answer. An odd number of destinations: one
# that takes turns would give a destination to another cache in each round.
ask()
{
	local i
	for ((i = 0; i < $1; i++)); do
		on client1 curl -sS --max-time 5 -H 'Connection: close' -w '%{remote_ip}\n' \
			"http://198.18.[1-3].[1-13]/" || fail "curl: $?"
	done | paste -d ' ' - -
}

# Packets that the rule of the mark decided about.
decided()
{
	ctl --json mark list | jq '[.. | objects | select(.mark == 7) | .connections] | add'
}

# arp_answers ADDRESS: to two questions.
arp_answers()
{
	on client1 arping -c 2 -w 2 -I eth0 "$1" | sed -n 's/Received \([0-9]*\) response.*/\1/p'
}

network_two_armed 1 2
ip -n "$NET-client1" route add $PREFIX via 192.0.2.10
for i in 1 2; do
	server_add_direct $i 198.18.0.1
	ip -n "$NET-server$i" route add local $PREFIX dev lo
done
plvs_config '{"name": "caches", "mark": 7, "scheduler": "lblcr", "forward": "dr", "servers": [
	{"address": "192.0.2.11:80", "weight": 100}, {"address": "192.0.2.12:80", "weight": 100}]}'
jq --arg prefix $PREFIX '.shared.marks = [{destination: $prefix, protocol: "tcp",
	destination_port: 80, mark: 7}]' "$RUN/plvs.json" > "$RUN/plvs.json.new"
mv "$RUN/plvs.json.new" "$RUN/plvs.json"
plvs_start 2
for i in 1 2; do web_start server$i; done

ask 5 > "$RUN/answers"
is "answers" "$(wc -l < "$RUN/answers")" -eq 195
is "destinations that answered" "$(awk '{ print $2 }' "$RUN/answers" | sort -u | wc -l)" -eq 39
is "pairs of a server and a destination" "$(sort -u "$RUN/answers" | wc -l)" -eq 39
for i in 1 2; do
	is "destinations of server$i" "$(sort -u "$RUN/answers" | grep -c "^server$i ")" -ge 10
done
is "connections that the rule decided about" "$(decided)" -eq 195

# No station answers ARP for them; for the router's own address Linux does.
ip -n "$NET-client1" route replace $PREFIX dev eth0
is "ARP answers for the router" "$(arp_answers 192.0.2.10)" -eq 2
for address in 198.18.1.1 198.18.3.13 198.18.77.77; do
	is "ARP answers for $address" "$(arp_answers $address)" -eq 0
done
doors_add_up
