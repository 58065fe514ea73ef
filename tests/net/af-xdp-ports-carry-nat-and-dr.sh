#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 60
PLVS_DRIVER=af_xdp
. "$(dirname "$0")/lib.sh"

network_two_armed 1 2
for i in 1 2; do server_add_direct $i 192.0.2.90; done
ip -n "$NET-dpdk" link add name wide numrxqueues 2 numtxqueues 2 type veth peer name wide-peer
for name in wide wide-peer; do ip -n "$NET-dpdk" link set dev $name up; done
plvs_port wide '{"addresses": ["198.18.9.10/24"]}'
plvs_config "$(service nat tcp 192.0.2.80:80 nat rr 10.10.0.11:80 10.10.0.12:80)" \
	"$(service dr tcp 192.0.2.90:80 dr rr 192.0.2.11:80 192.0.2.12:80)"
plvs_start 2
for i in 1 2; do web_start server$i; done
for vip in 192.0.2.80 192.0.2.90; do
	web_ask client1 $vip 100 > "$RUN/answers"
	is "answers of $vip" "$(wc -l < "$RUN/answers")" -eq 100
	is "servers" "$(sort -u "$RUN/answers" | wc -l)" -eq 2
done
doors_add_up

# Two receive queues of which plvs reads one: Linux takes the frames of the other, and plvs says so.
warning=$(ctl --json port list | jq -r '.ports[] | "\(.name): \(.warnings[])"')
[[ $warning == "wide: reads 1 of the 2 receive queues of wide; "* ]] || fail "the warnings are: $warning"
