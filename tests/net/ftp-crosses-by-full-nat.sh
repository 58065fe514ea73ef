#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 90
# families: 4 6
# set6: full
# FTP by full NAT, active and passive: servers that have no route to the clients, and that take data
# connections from the address of the control connection alone.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib/ftp.sh"

network_two_armed 1 3
for i in 1 2 3; do ip -n "$NET-server$i" "-$FAMILY" route del default; done
# The address that PORT names grows with one address of the pool and shrinks with the other.
PLVS_ADDRESSES='[{"address": "10.10.0.200", "kind": "pool", "link": "private"},
	{"address": "10.10.0.9", "kind": "pool", "link": "private"}]'
plvs_config "$(service ftp tcp 192.0.2.80:21 fullnat rr 10.10.0.11:21 10.10.0.12:21 10.10.0.13:21 | jq -c '. + {ftp: true}')"
plvs_start 3
for i in 1 2 3; do ftp_start $i; done
head -c 3145728 /dev/urandom > "$RUN/mine"

# ftp_curl LABEL ARGUMENTS...: up and down in one session, which both go to one server.
ftp_curl()
{
	local label=$1
	shift
	on client1 curl -sS -m 30 "$@" -T "$RUN/mine" "ftp://192.0.2.80/upload/$label" \
		--next -sS -m 30 "$@" -o "$RUN/back" "ftp://192.0.2.80/upload/$label" ||
		fail "curl $label: exit code $?"
	cmp "$RUN/mine" "$RUN/back" || fail "$label: not what was sent up"
}

ftp_curl epsv
ftp_curl eprt -P -
if [ "$FAMILY" = 4 ]; then # PASV and PORT can name no other address
	ftp_curl pasv --disable-epsv
	ftp_curl port -P - --disable-eprt
fi
for i in 1 2 3; do on client1 "$TOP/tests/net/lib/ftp_session.py" 192.0.2.80 12 burst >> "$RUN/met"; done
is "servers that sessions by rr met" "$(sort -u "$RUN/met" | wc -l)" -eq 3
is "announcements that were refused" "$(counted '[.workers[].counters.ftp_refused] | add')" -eq 0
is "connections without a port" "$(drops no_local_port)" -eq 0
is "listed as" "$(ctl --json connection list | jq -r '[.. | .method? // empty] | unique | .[]')" = fullnat
doors_add_up
