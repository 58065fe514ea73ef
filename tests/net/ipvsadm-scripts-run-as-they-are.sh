#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 60
. "$(dirname "$0")/lib.sh"

network_two_armed 1 2
plvs_config
plvs_start
for i in 1 2; do web_start server$i; done
for name in ipvsadm ipvsadm-save ipvsadm-restore; do ln -s "$BUILD/src/cli/plvsctl" "$RUN/$name"; done
export PLVS_SOCKET=$RUN/plvs.sock PATH=$RUN:$PATH

ipvsadm -A -t 192.0.2.80:80 -s rr
ipvsadm -a -t 192.0.2.80:80 -r 10.10.0.11:80 -m
ipvsadm -a -t 192.0.2.80:80 -r 10.10.0.12:80 -m -w 2

# The router answers for the address from the moment somebody adds it.
is "implied addresses" "$(rpc address.list | jq '[.addresses[] | select(.implied)] | length')" -eq 0
on client1 curl -s --max-time 1 http://192.0.2.80/ > "$RUN/unanswered" &&
	fail "an address that nobody added is answered for"
on linux ip addr add 192.0.2.80/32 dev public
served()
{
	web_ask client1 192.0.2.80 1 | grep -q server
}
wait_for 10 "the web answers once the address is on the TAP" served
web_ask client1 192.0.2.80 20 > "$RUN/answers"
is "answers" "$(wc -l < "$RUN/answers")" -eq 20
is "servers that answered" "$(sort -u "$RUN/answers" | wc -l)" -eq 2

counts()
{
	ipvsadm -Ln --stats --exact | awk '$1 == "TCP" {print $3}'
}
is "connections counted" "$(counts)" -ge 21
ipvsadm -Z
is "connections counted after -Z" "$(counts)" -eq 0
is "columns of -Lnc" "$(ipvsadm -Lnc | awk '$1 == "TCP" {print NF}' | sort -u)" -eq 6

# A clear and a load are one change: a connection that runs sees nothing of it.
# shellcheck disable=SC2016
on_background client1 download sh -c \
	'code=0; n=$(curl -s -w "%{size_download}" -o /dev/null http://192.0.2.80/slow) || code=$?; echo "$code $n"'
active()
{
	ipvsadm -Ln | awk '$1 == "->" && $5 == 1 {n++} END {exit n != 1}'
}
wait_for 5 "the download is an active connection" active
ipvsadm-save -n > "$RUN/saved"
generation=$(rpc status | jq .generation)
ipvsadm-restore < "$RUN/saved"
is "changes by a restore of what is there" "$(($(rpc status | jq .generation) - generation))" -eq 0
sed -i 's/-w 2/-w 3/' "$RUN/saved"
ipvsadm-restore < "$RUN/saved"
is "changes by a restore of another weight" "$(($(rpc status | jq .generation) - generation))" -eq 1
background_wait download || fail "the download broke"
read -r code bytes < "$RUN/download.log"
is "curl's exit code" "$code" -eq 0
is "bytes" "$bytes" -eq "$WEB_SLOW"
is "what was saved" "$(ipvsadm-save -n)" = "$(cat "$RUN/saved")"

# An address in the list of plvs is the router's own to answer for.
on linux ip addr del 192.0.2.80/32 dev public
ctl address add 192.0.2.80 kind vip
wait_for 10 "the web answers for the address of the list" served

doors_add_up
plvs_stop
code=0
ipvsadm -Ln 2> "$RUN/gone" || code=$?
is "exit code without a router" "$code" -eq 2
grep -q "^Can't initialize ipvs: Protocol not available$" "$RUN/gone" || fail "$(cat "$RUN/gone")"
