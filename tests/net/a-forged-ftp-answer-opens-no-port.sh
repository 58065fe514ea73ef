#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 60
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib/ftp.sh"

# A single switch for all hosts, so that no link tells the server from its clients. The server has a
# port that only the router's inside is meant to see; its client forges the answer to a PASV
# that names the port.
switch_add public
for ns in linux dpdk server1 client1; do ns_add $ns; done
leg_add server1 public public 192.0.2.11/24
ip -n "$NET-server1" route add default via 192.0.2.254
on server1 sysctl -qw net.ipv4.conf.all.accept_redirects=0
leg_add client1 eth0 public 198.51.100.101/24
leg_add dpdk public public
plvs_port public '{"addresses": ["192.0.2.10/24", "198.51.100.1/24"]}'
ip -n "$NET-client1" route add default via 198.51.100.1
# shellcheck disable=SC2034
PLVS_ADDRESSES='[{"address": "192.0.2.254/24", "kind": "gateway", "link": "public"}]'
plvs_config "$(service ftp tcp 198.51.100.80:21 nat rr 192.0.2.11:21 | jq -c '.ftp = true')"
ftp_start 1
web_start server1 3306
plvs_start

refused_total()
{
	counted '[.workers[].counters.ftp_refused] | add'
}

is "the inner port, from the router's inside" \
	"$(on server1 curl -sS --max-time 5 http://192.0.2.11:3306/)" = server1
is "a file before" "$(on client1 curl -sS -m 20 ftp://198.51.100.80/who)" = server1
is "announcements refused before" "$(refused_total)" -eq 0
on client1 "$TOP/tests/net/lib/ftp_forger.py" eth0 198.51.100.80 192.0.2.10 \
	"$(on linux cat /sys/class/net/public/address)" 192.0.2.11 "$(mac_of server1 public)" 3306 \
	"$NET-server1" > "$RUN/cases"
while read -r name verdict; do
	is "the inner port after an answer $name" "$verdict" = closed
done < "$RUN/cases"
is "cases" "$(wc -l < "$RUN/cases")" -eq 4
is "announcements refused" "$(refused_total)" -ge 4
# The server's own answers are believed as before, those of PASV, EPSV, PORT and EPRT.
for how in --disable-epsv --ftp-pasv "-P - --disable-eprt" "-P -"; do
	# shellcheck disable=SC2086
	is "a file by $how" "$(on client1 curl -sS -m 20 $how ftp://198.51.100.80/who)" = server1
done
doors_add_up
