#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 120
# families: 4 6
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib/ftp.sh"

# The address that a 227 answer names grows by a character with one VIP and shrinks with the
# other: 10,10,0,1x becomes 192,0,2,180 or 192,0,2,8.
network_two_armed 2 3
plvs_config \
	"$(service long tcp 192.0.2.180:21 nat rr 10.10.0.11:21 10.10.0.12:21 10.10.0.13:21 |
		jq -c '. + {ftp: true}')" \
	"$(service short tcp 192.0.2.8:21 nat rr 10.10.0.11:21 10.10.0.12:21 10.10.0.13:21 |
		jq -c '. + {ftp: true, persistence: {timeout: "5m"}}')"
for i in 1 2 3; do ftp_start $i; done
head -c 3145728 /dev/urandom > "$RUN/mine"

# ftp_curl LABEL ARGUMENTS...: up and down in one session, which both go to one server.
ftp_curl()
{
	local label=$1
	shift
	on client1 curl -sS -m 60 "$@" -T "$RUN/mine" "ftp://192.0.2.180/upload/$label" \
		--next -sS -m 60 "$@" -o "$RUN/back" "ftp://192.0.2.180/upload/$label" \
		--next -sS -m 60 "$@" -o "$RUN/big" ftp://192.0.2.180/big ||
		fail "curl $label: exit code $?"
	cmp "$RUN/mine" "$RUN/back" || fail "$label: not what was sent up"
	is "$label: bytes of a download" "$(stat -c %s "$RUN/big")" -eq 4194304
}

for workers in 1 3; do
	plvs_start $workers
	ftp_curl "epsv-$workers"
	ftp_curl "eprt-$workers" -P -
	if [ "$FAMILY" = 4 ]; then # PASV and PORT can name no other address
		ftp_curl "pasv-$workers" --disable-epsv
		ftp_curl "port-$workers" -P - --disable-eprt
	fi
	: > "$RUN/met"
	for i in 1 2 3; do
		on client1 "$TOP/tests/net/lib/ftp_session.py" 192.0.2.180 20 >> "$RUN/met"
	done
	is "servers that sessions by rr met" "$(sort -u "$RUN/met" | wc -l)" -eq 3
	# Persistence: whatever else comes, a client's sessions meet one server.
	: > "$RUN/met"
	for i in 1 2 3; do
		on client1 "$TOP/tests/net/lib/ftp_session.py" 192.0.2.8 12 >> "$RUN/met"
		on client2 curl -sS -m 60 ftp://192.0.2.8/who >> "$RUN/other"
	done
	is "servers that a persistent client met" "$(sort -u "$RUN/met" | wc -l)" -eq 1
	is "announcements that were refused" "$(counted '[.workers[].counters.ftp_refused] | add')" -eq 0
	doors_add_up
	plvs_stop
done
