#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 300
# set: full
# The page of the metrics listener in a headless Chromium, as wide as a screen and as a phone: services, servers,
# health with its reason, workers, role; the browser asks nobody but the router.
. "$(dirname "$0")/lib.sh"

command -v chromium > /dev/null || { echo "SKIP: no chromium (tools/setup full)"; exit 77; }
network_two_armed 1 2
plvs_config "$(service web tcp 192.0.2.80:80 nat wrr 10.10.0.11:8080/1 10.10.0.12:8080/3)"
jq '.node.metrics = {listen: "127.0.0.1:9469"} |
	.shared.checks = [{name: "open", type: "tcp", interval: "500ms", rise: 1}] |
	.shared.services[0].check = "open"' "$RUN/plvs.json" > "$RUN/plvs.json.new"
mv "$RUN/plvs.json.new" "$RUN/plvs.json"
plvs_start 2
web_start server1 8080 # and none on the other one

# told WIDTH HEIGHT: the page shows why the other server is down.
told()
{
	on dpdk timeout 120 "$TOP/tests/net/lib/browser.py" "$RUN" http://127.0.0.1:9469/ 'refused' "$1" "$2" > "$RUN/page" ||
		fail "$(cat "$RUN/page")"
	is "pixels at width $1" "$(jq -r '"\(.width) \(.height)"' "$RUN/page")" = "$1 $2"
	is "bytes of the picture" "$(jq .bytes "$RUN/page")" -ge 5000
	is "wider than the window" "$(jq .too_wide "$RUN/page")" = false
	is "addresses of others" "$(jq '.foreign | length' "$RUN/page")" -eq 0
	is "plots" "$(jq .plots "$RUN/page")" -ge 5
	for word in lb1 web 192.0.2.80:80 10.10.0.11:8080 10.10.0.12:8080 '1 of 2 servers up' down 'worker 0' 'worker 1'; do
		jq -r .text "$RUN/page" | grep -qF -- "$word" || fail "no \"$word\": $(jq -r .text "$RUN/page")"
	done
}
told 1280 900
told 390 844
told 360 740
doors_add_up
