#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 90
# set: full
. "$(dirname "$0")/lib.sh"

network_two_armed 1 1
plvs_config "$(service web tcp 192.0.2.80:80 nat rr 10.10.0.11:80)"
plvs_start
web_start server1

# bird_start NAMESPACE OWN PEER OWN-AS PEER-AS EXPORTED-PREFIX
bird_start()
{
	cat > "$RUN/bird-$1.conf" <<-END
		router id $2;
		protocol device { }
		protocol static { ipv4; route $6 blackhole; }
		protocol bgp peer {
			local $2 as $4;
			neighbor $3 as $5;
			hold time 9;
			connect delay time 1;
			ipv4 { import all; export where source = RTS_STATIC; };
		}
	END
	on_background "$1" "bird-$1" bird -f -c "$RUN/bird-$1.conf" -s "$RUN/bird-$1.ctl"
}
# Every router of a group announces the VIP to the one before it: here plvs to client1.
bird_start linux 192.0.2.10 192.0.2.101 64512 64513 192.0.2.80/32
bird_start client1 192.0.2.101 192.0.2.10 64513 64512 198.51.100.0/24

session_up()
{
	birdc -s "$RUN/bird-$1.ctl" show protocols peer | grep -q Established &&
		birdc -s "$RUN/bird-$1.ctl" show route "$2" | grep -q "$2"
}
wait_for 30 "the peer learns the VIP" session_up client1 192.0.2.80/32
wait_for 10 "the router learns a prefix" session_up linux 198.51.100.0/24
# Longer than the hold time, with the service in use.
for i in $(seq 24); do
	web_ask client1 192.0.2.80 20 > "$RUN/answers"
	is "answers in round $i" "$(wc -l < "$RUN/answers")" -eq 20
	pause 0.5
done
session_up client1 192.0.2.80/32 || fail "the session did not last"
doors_add_up
