#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# set: full
# limit: 120
# config/guides/three-tier.json: clients are answered by databases, through both tiers. Then
# config/guides/health.json: servers go down and come back, and the sorry server stands in.
PLVS_DRIVER=af_xdp
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/net/lib/guide.sh
. "$TOP/tests/net/lib/guide.sh"

network_two_armed 1 3
ns_add edge
leg_add edge public public 192.0.2.1/24

# The link to the web servers has the guide's name.
ip -n "$NET-dpdk" link set dev private down name web up
switch_add data
leg_add dpdk data data
for i in 1 2; do
	ns_add data$i
	leg_add data$i data data 10.20.0.1$i/16
	ip -n "$NET-data$i" route add default via 10.20.255.254
	web_start data$i 5432
	on_background server$i relay-$i socat TCP-LISTEN:80,fork,reuseaddr TCP:10.10.0.80:5432
done
guide three-tier public web data
balanced 192.0.2.80 client1 20 2
is "answers of a database" "$(answers_by "$RUN/answers" data1)" -ge 1
is "connections of the inner service" "$(rpc connection.count '{"service": "database"}' | jq .count)" -ge 20
on server3 curl -sS --max-time 5 http://10.10.0.80:5432/ > "$RUN/answers" || fail "a web server's own question"
end
for i in 1 2; do background_stop relay-$i || true; done

ip -n "$NET-dpdk" link set dev web down name private up
mail_start()
{
	on_background "server$1" "mail-$1" socat TCP-LISTEN:25,fork,reuseaddr SYSTEM:'echo 220 relay; cat'
}
greeting()
{
	# shellcheck disable=SC2016 # of the other shell
	on client1 timeout 5 bash -c 'read -r line < /dev/tcp/192.0.2.80/25 && echo "$line"'
}
# down_are N: servers of all services.
down_are()
{
	[ "$(rpc health.list | jq '[.. | .state? // empty | select(. == "down")] | length')" -eq "$1" ]
}
# web_of SERVER...: these servers answer, and no other.
web_of()
{
	web_ask client1 192.0.2.80 10 > "$RUN/answers"
	[ "$(sort -u "$RUN/answers" | paste -sd' ')" = "$*" ] && [ "$(wc -l < "$RUN/answers")" -eq 10 ]
}
for i in 1 2 3; do web_start server$i; done
for i in 1 2; do mail_start $i; done
guide health public private
wait_for 15 "both web servers answer, and the sorry server does not" web_of server1 server2
is "the greeting" "$(greeting)" = "220 relay"
background_stop web-server1 || true
wait_for 15 "one web server answers" web_of server2
background_stop web-server2 || true
wait_for 15 "the sorry server answers" web_of server3
web_start server1
wait_for 15 "a web server answers again" web_of server1
background_stop mail-1 || true
wait_for 15 "a mail server is down, beside a web server" down_are 2
is "the greeting of the other one" "$(greeting)" = "220 relay"
end
