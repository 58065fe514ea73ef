#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 60
# Whatever client 1 asks of 10.99.0.0/16 is marked and goes to caches by direct routing:
# lblcr keeps a destination with its cache, and nobody answers ARP for these addresses.
. "$(dirname "$0")/lib.sh"

network_two_armed 2 2
for i in 1 2; do
	server_add_direct $i 10.99.0.0
	ip -n "$NET-server$i" route add local 10.99.0.0/16 dev lo
done
plvs_config '{"name": "caches", "mark": 7, "scheduler": "lblcr", "forward": "dr",
	"servers": [{"address": "192.0.2.11"}, {"address": "192.0.2.12"}]}' \
	'{"name": "kept", "mark": 8, "scheduler": "rr", "forward": "dr",
	"persistence": {"timeout": 60},
	"servers": [{"address": "192.0.2.11"}, {"address": "192.0.2.12"}]}'
jq '.shared.marks = [
	{destination: "10.99.0.0/16", protocol: "tcp", mark: 7, comment: "caches"},
	{destination: "10.99.200.0/24", protocol: "tcp", source: "!192.0.2.101", mark: 8},
	{destination: "10.99.255.0/24", mark: 0}]' "$RUN/plvs.json" > "$RUN/marked.json"
mv "$RUN/marked.json" "$RUN/plvs.json"
plvs_start
for i in 1 2; do web_start server$i 80; done
for i in 1 2; do ip -n "$NET-client$i" route add 10.99.0.0/16 via 192.0.2.10; done

for round in 1 2; do
	for i in {1..20}; do web_ask client1 "10.99.$i.1" 1; done > "$RUN/answers$round"
	is "answers of round $round" "$(wc -l < "$RUN/answers$round")" -eq 20
done
cmp "$RUN/answers1" "$RUN/answers2" || fail "a destination went to another cache"
for i in 1 2; do
	is "destinations of server$i" "$(answers_by "$RUN/answers1" server$i)" -ge 5
done
is "answers for a client and a network that another rule marks" \
	"$(web_ask client2 10.99.200.1 20 | sort | uniq -c | awk '{print $1}')" -eq 20
is "templates of that client" \
	"$(ctl --json connection list | jq '[.rows[] | select(.template)] | length')" -eq 1
is "answers for what the last rule lets go" \
	"$(on client1 curl -s --max-time 1 http://10.99.255.1/ | wc -l)" -eq 0
ctl mark list
is "connections that the first rule decided about" \
	"$(ctl --json mark list | jq '.rows[0].connections')" -eq 40

# On the client's own link the addresses are nobody's.
ip -n "$NET-client2" route replace 10.99.0.0/16 dev eth0
is "answers without a router" "$(on client2 curl -s --max-time 2 http://10.99.1.1/ | wc -l)" -eq 0
is "neighbours for a marked address" \
	"$(ip -n "$NET-client2" neigh show 10.99.1.1 | grep -c lladdr || true)" -eq 0
doors_add_up
