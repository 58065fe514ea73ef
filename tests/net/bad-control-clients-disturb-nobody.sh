#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 90
PLVS_FRAMES=16384
. "$(dirname "$0")/lib.sh"

network_two_armed 1 1
plvs_config "$(service web tcp 192.0.2.80:80 nat rr 10.10.0.11:80)" \
	"$(service numbers udp 192.0.2.80:7000 nat rr 10.10.0.11:7000)"
plvs_start
web_start server1
echo_serve server1 udp 10.10.0.11 7000
socket=UNIX-CONNECT:$RUN/plvs.sock
# The next hops are known before packets are counted.
is "the service answers" "$(on client1 curl -sS --max-time 10 http://192.0.2.80/)" = server1
on_background client1 numbers "$PROBE" udp-ask 192.0.2.80:7000 --count 20000 --rate 2000 \
	--linger 5000

# Answers of the control socket to what a client should not send.
say()
{
	timeout 10 socat -t 5 - "$socket"
}
is "not JSON" "$(echo 'hello?' | say | jq -c .error.code)" -eq -32700
is "no such method" "$(echo '{"jsonrpc":"2.0","id":1,"method":"fly"}' | say |
	jq -c .error.code)" -eq -32601
is "wrong parameters" "$(echo '{"jsonrpc":"2.0","id":1,"method":"server.add","params":{"wings":2}}' |
	say | jq -c .error.code)" -eq -32602
head -c 1000000 /dev/urandom | say > /dev/null 2>&1 || true
printf '[%.0s' $(seq 20000) | say > /dev/null 2>&1 || true

# Clients that hang: half a request, nothing at all, and never reading a long answer.
for i in $(seq 20); do
	(printf '{"jsonrpc":"2.0",'; exec sleep 60) 2> /dev/null |
		socat -u - "$socket" > /dev/null 2>&1 &
	socat -u "EXEC:sleep 60" "$socket" > /dev/null 2>&1 &
done
for i in $(seq 200); do echo '{"jsonrpc":"2.0","id":1,"method":"config.schema"}'; done |
	socat -t 60 -u - "$socket" > /dev/null 2>&1 &

# A file that is wrong changes nothing and says where it is wrong.
generation=$(rpc status | jq .generation)
cp "$RUN/plvs.json" "$RUN/good.json"
sed 's/"rr"/"rrr"/' "$RUN/good.json" > "$RUN/plvs.json"
ctl config apply > "$RUN/apply" 2>&1 && fail "a wrong file was applied"
grep -q 'did you mean "rr"' "$RUN/apply" || fail "no hint: $(cat "$RUN/apply")"
head -c 300 "$RUN/good.json" > "$RUN/plvs.json"
ctl config apply > "$RUN/apply" 2>&1 && fail "half a file was applied"
kill -HUP "$PLVS_PID"
cp "$RUN/good.json" "$RUN/plvs.json"
is "generation" "$(rpc status | jq .generation)" -eq "$generation"

is "a good client is answered" "$(ctl --json status | jq -r .services)" -eq 2
is "the service answers" "$(on client1 curl -sS --max-time 5 http://192.0.2.80/)" = server1
background_wait numbers
note "$(cat "$RUN/numbers.log")"
note "drops: $(rpc counter.list | jq -c '[.drops[] | select(.count > 0) | {(.name): .count}] | add')"
is "packets lost meanwhile" "$(jq .lost "$RUN/numbers.log")" -eq 0
doors_add_up
# shellcheck disable=SC2046
kill $(jobs -p) 2> /dev/null || true
