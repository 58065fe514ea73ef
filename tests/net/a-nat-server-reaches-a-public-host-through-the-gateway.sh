#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 60
. "$(dirname "$0")/lib.sh"

network_two_armed 2 1
plvs_config "$(service web tcp 192.0.2.80:80 nat rr 10.10.0.11:80)"
plvs_start
on linux nft -f - <<'END'
table ip nat {
	chain postrouting {
		type nat hook postrouting priority 100;
		oifname "public" masquerade
	}
}
END
web_start server1
web_start client2 8000

is "the public host answers" \
	"$(on server1 curl -sS --max-time 5 http://192.0.2.102:8000/)" = client2
is "it saw the router's own address" \
	"$(grep -c '^192\.0\.2\.10 ' "$RUN/web-client2/access.log")" -eq 1
echo_serve client2 udp 192.0.2.102 53
on server1 "$PROBE" udp-ask 192.0.2.102:53 --count 200 --rate 200 > "$RUN/report"
is "questions over UDP without an answer" "$(jq .lost "$RUN/report")" -eq 0
is "pings answered" "$(on server1 ping -q -c 10 -i 0.05 192.0.2.102 |
	sed -n 's/.* \([0-9]*\) received.*/\1/p')" -eq 10
is "the service of the same server still answers" \
	"$(on client1 curl -sS --max-time 5 http://192.0.2.80/)" = server1
doors_add_up
