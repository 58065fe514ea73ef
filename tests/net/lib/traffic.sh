# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Clients and servers of the tests: web, bulk TCP, numbered UDP, captures. Sourced by lib.sh.

# port_listens NAMESPACE PORT [tcp|udp]
port_listens()
{
	[ -n "$(on "$1" ss -Hln "--${3:-tcp}" "sport = :$2")" ]
}

# The bytes of a web server's /slow, which take 8 s.
WEB_SLOW=$((32 << 20))

# web_start NAMESPACE [PORT]: nginx that answers / with the namespace's name, /big with
# 64 MiB at once and /slow at 4 MiB/s.
web_start()
{
	local ns=$1 port=${2:-80} dir=$RUN/web-$1 any='' both=''
	if [ "$FAMILY" = 6 ]; then any='[::]:' both=' ipv6only=off'; fi
	mkdir -p "$dir/www"
	truncate -s 64M "$dir/www/big"
	truncate -s $WEB_SLOW "$dir/www/slow"
	cat > "$dir/nginx.conf" <<-END
		daemon off;
		master_process off;
		pid $dir/nginx.pid;
		error_log $dir/error.log;
		worker_rlimit_nofile 20000;
		events { worker_connections 15000; }
		http {
			access_log $dir/access.log;
			client_body_temp_path $dir/body;
			proxy_temp_path $dir/proxy;
			fastcgi_temp_path $dir/fastcgi;
			uwsgi_temp_path $dir/uwsgi;
			scgi_temp_path $dir/scgi;
			server {
				listen $any$port backlog=4096$both;
				root $dir/www;
				location = / { return 200 "$ns\n"; }
				location = /slow { limit_rate 4m; }
			}
		}
	END
	chmod 755 "$RUN"
	on_background "$ns" "web-$ns" nginx -p "$dir" -e "$dir/error.log" -c "$dir/nginx.conf"
	wait_for 10 "nginx listens in $ns" port_listens "$ns" "$port"
}

# web_ask NAMESPACE ADDRESS[:PORT] COUNT: that many requests, a new connection each; prints
# one line an answer.
web_ask()
{
	on "$1" curl -sS --max-time 5 -H 'Connection: close' "http://$2/?[1-$3]" || true
}

# answers_by FILE WHO: how many lines of the file are that answer.
answers_by()
{
	grep -cxF "$2" "$1" || true
}

# bulk_serve NAMESPACE [PORT]: an iperf3 server.
bulk_serve()
{
	on_background "$1" "iperf3-$1" iperf3 -s -p "${2:-5201}"
	wait_for 10 "iperf3 listens in $1" port_listens "$1" "${2:-5201}"
}

# bulk NAMESPACE ADDRESS SECONDS [IPERF3-OPTION...]: prints the Mbit/s that arrived. The
# server takes one client at a time and may still be busy with the last one.
bulk()
{
	local ns=$1 address=$2 seconds=$3 end=$((SECONDS + 10))
	shift 3
	until on "$ns" timeout $((seconds + 15)) iperf3 -c "$address" -t "$seconds" -J "$@" \
		> "$RUN/iperf3.json" &&
		jq -e '.end.sum_received.bits_per_second / 1e6 | floor' "$RUN/iperf3.json" \
			2> /dev/null; do
		if [ $SECONDS -ge $end ] || ! grep -q busy "$RUN/iperf3.json"; then
			fail "iperf3: $(jq -c '.error // .end' "$RUN/iperf3.json")"
		fi
		pause 0.2
	done
}

# capture_start NAMESPACE INTERFACE LABEL FILTER
capture_start()
{
	on_background "$1" "$3" tcpdump --immediate-mode -U -n -p -s 128 -B 16384 -i "$2" -w "$RUN/$3.pcap" "$4"
	wait_for 10 "tcpdump listens on $2 of $1" grep -q 'listening on' "$RUN/$3.log"
}

# capture_stop LABEL: afterwards `capture LABEL` prints what was seen.
capture_stop()
{
	background_stop "$1" INT || fail "tcpdump: $(cat "$RUN/$1.log")"
}

capture()
{
	tcpdump -n -e -r "$RUN/$1.pcap" 2> /dev/null
}

# A counter of the namespace's TCP/IP stack, since its creation.
stack_counter()
{
	on "$1" nstat -asz "$2" | awk -v name="$2" '$1 == name { print $2 }'
}

# echo_serve NAMESPACE udp|tcp ADDRESS PORT: gives back what it gets.
echo_serve()
{
	on_background "$1" "echo-$1-$2" "$PROBE" "$2-echo" "$3:$4"
	wait_for 10 "the $2 echo server of $1 listens" port_listens "$1" "$4" "$2"
}
