#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# set: full
# limit: 90
# The guide's configuration of an interface that Linux keeps, as it is but for what is of this machine: a
# veth has one queue for net_af_xdp. Then NAT64 and NAT46 with pools of both families, by the same
# interface.
PLVS_DRIVER=af_xdp
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/net/lib/health.sh
. "$TOP/tests/net/lib/health.sh"
# shellcheck source=tests/net/lib/sieve.sh
. "$TOP/tests/net/lib/sieve.sh"

switch_add public
ns_add dpdk
for end in 1 2; do
	ns_add server$end
	leg_add server$end public public 192.0.2.1$end/24
done
client_add 1
both_families dpdk client1 server1
leg_add dpdk eth1 public 192.0.2.10/24
ip -n "$NET-dpdk" address add 2001:db8:192:2::10/64 dev eth1 nodad
ip -n "$NET-client1" address add 2001:db8:192:2::101/64 dev eth0 nodad
ip -n "$NET-server1" address add 2001:db8:192:2::11/64 dev public nodad
sieve_device 0 eth1

guide=$TOP/config/guides/nic-of-linux.json
"$BUILD/src/plvs" -t -c "$guide" > "$RUN/valid" 2>&1 || fail "$(cat "$RUN/valid")"
sed 's,^\([^"]*\)//.*,\1,' "$guide" |
	jq --arg socket "$RUN/plvs.sock" --arg state "$RUN/kept" '.node.control.socket = $socket |
		.node.state_dir = $state | .node.workers.connections = 100000' > "$RUN/plvs.json"
plvs_start 2
for i in 1 2; do FAMILY=6 web_start server$i; done
wait_for 15 "the servers are up" all_up

note "--- the guide's service"
web_ask client1 192.0.2.80 200 > "$RUN/answers"
for i in 1 2; do is "answers of server $i" "$(answers_by "$RUN/answers" server$i)" -eq 100; done
is "interfaces that plvs made" "$(interfaces_made eth1)" -eq 0
on client1 ping -q -c 3 -i 0.2 -W 2 192.0.2.10 > /dev/null || fail "Linux's own address does not answer"
doors_add_up

note "--- NAT64 and NAT46"
jq '.shared.addresses += [{address: "2001:db8:192:2::200", kind: "pool", link: "eth1"}] | .shared.services += [
	{name: "web64", protocol: "tcp", listen: ["[2001:db8:192:2::80]:80"], servers: [{address: "192.0.2.12:80"}]},
	{name: "web46", protocol: "tcp", listen: ["192.0.2.81:80"], servers: [{address: "[2001:db8:192:2::11]:80"}]}]' \
	"$RUN/plvs.json" > "$RUN/plvs.json.new"
mv "$RUN/plvs.json.new" "$RUN/plvs.json"
ctl config apply > /dev/null
for vip in '[2001:db8:192:2::80] 2' '192.0.2.81 1'; do
	web_ask client1 "${vip% *}" 100 > "$RUN/answers"
	is "answers of ${vip% *}" "$(answers_by "$RUN/answers" "server${vip#* }")" -eq 100
done
web_ask client1 192.0.2.80 20 > "$RUN/answers"
is "answers of 192.0.2.80" "$(wc -l < "$RUN/answers")" -eq 20
on client1 curl -sS --max-time 20 -o "$RUN/big" -w '%{size_download}' "http://[2001:db8:192:2::80]/big" > "$RUN/size" ||
	fail "the download by NAT64"
is "bytes of a download by NAT64" "$(cat "$RUN/size")" -eq $((64 << 20))
on client1 ping -6 -q -c 3 -i 0.2 -W 2 2001:db8:192:2::10 > /dev/null || fail "Linux's own IPv6 address does not answer"
doors_add_up
plvs_stop
is "XDP programs after the end" "$(programs_attached)" -eq 0
