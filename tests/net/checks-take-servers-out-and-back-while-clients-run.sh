#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 120
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/net/lib/health.sh
. "$TOP/tests/net/lib/health.sh"

CA=$RUN/ca
S1=10.10.0.11 S2=10.10.0.12 S3=10.10.0.13

# cert NAME: a certificate for it, from the test's own authority.
cert()
{
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
		-CA "$CA.pem" -CAkey "$CA.key" -subj "/CN=$1" -addext "subjectAltName=DNS:$1" \
		-keyout "$RUN/$1.key" -out "$RUN/$1.pem" 2> /dev/null
}

# tls_start NAMESPACE CERTIFICATE: who does not ask for www.example.test gets no handshake.
tls_start()
{
	local dir=$RUN/tls-$1
	mkdir -p "$dir"
	cat > "$dir/nginx.conf" <<-END
		daemon off;
		user root;
		pid $dir/nginx.pid;
		events { }
		http {
			access_log off;
			client_body_temp_path $dir/body;
			proxy_temp_path $dir/proxy;
			fastcgi_temp_path $dir/fastcgi;
			uwsgi_temp_path $dir/uwsgi;
			scgi_temp_path $dir/scgi;
			server { listen 443 ssl default_server; ssl_reject_handshake on; }
			server {
				listen 443 ssl;
				server_name www.example.test;
				ssl_certificate $RUN/$2.pem;
				ssl_certificate_key $RUN/$2.key;
				location = / { return 200 "$1\n"; }
				location = /health { return 200 "well\n"; }
			}
		}
	END
	on_background "$1" "tls-$1" nginx -p "$dir" -e "$dir/error.log" -c "$dir/nginx.conf"
	wait_for 10 "nginx speaks TLS in $1" port_listens "$1" 443
}

# tls_certificate NAMESPACE CERTIFICATE: nginx takes another one without a moment in which it refuses.
tls_certificate()
{
	sed -i "s,\(ssl_certificate[_key]* $RUN/\).*\(\.[a-z]*;\),\1$2\2," "$RUN/tls-$1/nginx.conf"
	kill -HUP "$(cat "$RUN/tls-$1/nginx.pid")"
}

web_up()
{
	web_start "$1"
	echo well > "$RUN/web-$1/www/health"
}

# configure WEIGHT: of the first web server.
configure()
{
	health_config '[
		{"name": "web", "type": "http", "interval": "200ms", "fast_interval": "100ms",
		 "timeout": "800ms", "rise": 2, "fall": 2,
		 "http": {"path": "/health", "status": "200", "body_pattern": "^well$"}},
		{"name": "tls", "type": "http", "interval": "200ms", "timeout": "800ms",
		 "rise": 2, "fall": 2, "http": {"path": "/health", "host": "www.example.test"},
		 "tls": {"on": true, "verify": true, "ca_file": "'"$CA"'.pem", "sni": "www.example.test"}},
		{"name": "nameless", "type": "http", "interval": "200ms", "timeout": "800ms",
		 "tls": {"on": true}}]' \
		"$(service web tcp 192.0.2.80:80 nat wrr "$S1:80/$1" $S2:80 $S3:80 |
			jq -c '.check = "web"')" \
		"$(service sorry tcp 192.0.2.81:80 nat rr $S2:80 $S3:80 192.0.2.10:80 |
			jq -c '.check = "web" | .servers[2] += {forward: "local", sorry: true}')" \
		"$(service keep tcp 192.0.2.82:80 nat rr $S1:80 $S2:80 $S3:80 |
			jq -c '.check = "web" | .all_down = "keep_last"')" \
		"$(service secure tcp 192.0.2.83:443 nat rr $S1:443 $S2:443 | jq -c '.check = "tls"')" \
		"$(service nameless tcp 192.0.2.84:443 nat rr $S1:443 | jq -c '.check = "nameless"')"
}

network_two_armed 2 3
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
	-subj "/CN=an authority" -keyout "$CA.key" -out "$CA.pem" 2> /dev/null
cert www.example.test
cert www.example.com
for i in 1 2 3; do web_up server$i; done
for i in 1 2; do tls_start server$i www.example.test; done
configure 1
plvs_start
web_up linux

for i in $S1 $S2 $S3; do server_becomes 10 web "$i:80" up; done
reason_says web $S1:80 "^HTTP 200 and the expected body from $S1:80/health after [0-9.]+ ?(us|ms)"
server_becomes 5 sorry 192.0.2.10:80 up
is "chosen while servers are up" "$(chosen sorry)" = "$S2:80 $S3:80"
for i in $S1 $S2; do server_becomes 5 secure "$i:443" up; done
server_becomes 5 nameless $S1:443 down
reason_says nameless $S1:443 "TLS handshake with $S1:443: .*unrecognized name"
for i in 1 2; do ask_loop client$i loop$i 192.0.2.80; done
ask_loop client1 loop3 192.0.2.81

# Stopped: the kernel refuses. What is down stays down over reloads, and is asked on time.
background_stop web-server1
server_becomes 5 web $S1:80 down
reason_says web $S1:80 "^$S1:80 refused the connection.*2nd of 2"
since=$(health_of web $S1:80 .since_ms) edges=$(edges)
probes=$(health_of web $S1:80 .checks[0].probes) began=$(now_ms)
configure 2
ctl config apply "$RUN/plvs.json" > /dev/null
is "weight after config apply" "$(health_of web $S1:80 .weight)" -eq 2
is "its state" "$(health_of web $S1:80 .state)" = down
configure 3
kill -HUP "$PLVS_PID"
reloaded()
{
	[ "$(health_of web $S1:80 .weight)" -eq 3 ]
}
wait_for 5 "SIGHUP has taken effect" reloaded
sleep 1
is "its state after SIGHUP" "$(health_of web $S1:80 .state)" = down
is "it is so since" "$(health_of web $S1:80 .since_ms)" -eq "$since"
is "changes of state by two reloads" "$(($(edges) - edges))" -eq 0
probes=$(($(health_of web $S1:80 .checks[0].probes) - probes)) took=$(($(now_ms) - began))
note "probes in $took ms with two reloads: $probes"
is "fewer than five a second" "$probes" -ge $((took / 250 - 2))
is "more than five a second" "$probes" -le $((took / 180 + 3))
served_without loop1 server1 "$since" "$(now_ms)"
served_without loop2 server1 "$since" "$(now_ms)"

# Frozen: it accepts connections and says nothing. The check has to give up.
kill -STOP "$(cat "$RUN/web-server2.pid")"
server_becomes 5 web $S2:80 down
reason_says web $S2:80 "^no answer to the request from $S2:80 within 800 ?ms"
since=$(health_of web $S2:80 .since_ms)
sleep 0.7
served_without loop1 server2 "$since" "$(now_ms)"

# Behind a firewall, the last one: nobody is left. The sorry server stands in.
block server3 'tcp dport 80'
server_becomes 5 web $S3:80 down
reason_says web $S3:80 "^no SYN-ACK from $S3:80 within 800 ?ms"
is "chosen of those that refuse" "$(chosen web)" = ""
is "chosen of those that keep the last" "$(chosen keep)" = "$S3:80"
is "chosen with a sorry server" "$(chosen sorry)" = "192.0.2.10:80"
web_ask client2 192.0.2.81 5 > "$RUN/answers"
is "answers of the sorry server" "$(answers_by "$RUN/answers" linux)" -eq 5
code=0
on client2 curl -s --max-time 2 http://192.0.2.80/ || code=$?
is "curl's exit code without any server (7: refused)" "$code" -eq 7
unblock server3
web_ask client2 192.0.2.82 1 > "$RUN/answers"
is "the kept one answers as soon as it can" "$(answers_by "$RUN/answers" server3)" -eq 1

# Back, one after the other.
server_becomes 5 web $S3:80 up
is "chosen with the sorry server no more" "$(chosen sorry)" = "$S3:80"
kill -CONT "$(cat "$RUN/web-server2.pid")"
web_up server1
server_becomes 5 web $S2:80 up
server_becomes 5 web $S1:80 up
back=$(now_ms)
answered()
{
	answers_between loop1 "$back" "$(now_ms)" | grep -q "$1\$"
}
for i in 1 2 3; do wait_for 5 "server$i answers clients again" answered server$i; done
is "requests that failed since" \
	"$(answers_between loop1 "$back" "$(now_ms)" | awk '$3 != 0' | wc -l)" -eq 0

# The server answers, but says no: the content of an answer counts.
rm "$RUN/web-server1/www/health"
server_becomes 5 web $S1:80 down
reason_says web $S1:80 "^HTTP 404 from $S1:80/health"

# TLS with the certificate of another name.
tls_certificate server2 www.example.com
server_becomes 5 secure $S2:443 down
reason_says secure $S2:443 "certificate: .*mismatch"
tls_certificate server2 www.example.test
server_becomes 5 secure $S2:443 up
is "answers by TLS" "$(on client1 curl -sS --cacert "$CA.pem" --connect-to ::192.0.2.83 \
	https://www.example.test/ | grep -c '^server[12]$')" -eq 1

for i in 1 2 3; do background_stop loop$i; done
note "verdicts published: $(rpc health.counters | jq -c '{swaps, swap_last_us, swap_max_us, late_p99_us}')"
is "errors of checks" "$(rpc health.counters | jq .errors)" -eq 0
doors_add_up
