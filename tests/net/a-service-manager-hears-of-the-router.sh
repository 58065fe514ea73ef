#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 60
# By the protocol of systemd: READY, the role, the watchdog while all loops move, RELOADING, STOPPING.
. "$(dirname "$0")/lib.sh"

# Its socket, a datagram a line. In a namespace of the test, so that it ends with the network.
manager()
{
	exec ip netns exec "$NET-client1" python3 -u - "$RUN/notify.sock" <<-'END'
		import socket, sys
		s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
		s.bind(sys.argv[1])
		print("listening")
		while True:
		    print(s.recv(4096).decode().replace("\n", " "))
	END
}

network_two_armed 1 1
plvs_config "$(service web tcp 192.0.2.80:80 nat rr 10.10.0.11:80)"
manager > "$RUN/said" 2>&1 &
manager_pid=$!
wait_for 10 "the manager listens" grep -qx listening "$RUN/said"
export NOTIFY_SOCKET=$RUN/notify.sock WATCHDOG_USEC=12000000
plvs_start
unset NOTIFY_SOCKET WATCHDOG_USEC
wait_for 10 "READY" grep -qx READY=1 "$RUN/said"
wait_for 10 "the role" grep -q '^STATUS=active: ' "$RUN/said"
wait_for 15 "the watchdog is fed" grep -qx WATCHDOG=1 "$RUN/said"
# A reload begins and ends, with a file that is taken and with a file that is refused.
times_ready()
{
	[ "$(grep -cx READY=1 "$RUN/said")" -eq "$1" ]
}
kill -HUP "$PLVS_PID"
wait_for 10 "the end of a reload" times_ready 2
echo '{' > "$RUN/plvs.json"
kill -HUP "$PLVS_PID"
wait_for 10 "the end of a reload that is refused" times_ready 3
is "RELOADING with its time" "$(grep -c '^RELOADING=1 MONOTONIC_USEC=[0-9]*$' "$RUN/said")" -eq 2
is "the first word" "$(sed -n 2p "$RUN/said")" = READY=1
doors_add_up
plvs_stop
wait_for 10 "STOPPING" grep -qx STOPPING=1 "$RUN/said"
kill "$manager_pid"
