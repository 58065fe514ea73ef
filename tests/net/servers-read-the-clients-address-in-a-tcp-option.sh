#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 60
# families: 4 6
# set6: full
# client_address toa: the ACK that ends each handshake of real clients has the option that the
# modules of LVS and DPVS read on servers, and segments behind the server's first answer have none.
. "$(dirname "$0")/lib.sh"

network_two_armed 1 1
PLVS_ADDRESSES='[{"address": "10.10.0.200", "kind": "pool", "link": "private"}]'
plvs_config "$(service web tcp 192.0.2.80:80 fullnat rr 10.10.0.11:80 | jq -c '.client_address = "toa"')"
plvs_start 2
web_start server1
on_background server1 dump tcpdump -i private --immediate-mode -U -w "$RUN/seen.pcap" tcp port 80
wait_for 10 "tcpdump listens" grep -q "listening on" "$RUN/dump.log"

for ((i = 0; i < 20; i++)); do
	on client1 curl -sS --max-time 5 -o /dev/null -w '%{local_ip} %{local_port} %{http_code}\n' \
		http://192.0.2.80/
done > "$RUN/clients"
is "requests that were answered" "$(grep -c ' 200$' "$RUN/clients")" -eq 20
# The client acknowledges a long answer again and again: its later segments have no option.
on client1 curl -sS --max-time 20 -o /dev/null -r 0-2000000 http://192.0.2.80/big
background_stop dump INT || fail "tcpdump: $(cat "$RUN/dump.log")"

python3 - "$RUN/seen.pcap" "$RUN/clients" <<'END' || fail "the options are not as they should be"
import ipaddress, struct, sys

def options(raw):
    at = 0
    while at < len(raw) and raw[at] != 0:
        size = 1 if raw[at] == 1 else raw[at + 1]
        yield raw[at], raw[at:at + size]
        at += size

def segments(file):
    data = open(file, "rb").read()
    at = 24
    while at < len(data):
        size = struct.unpack_from("<I", data, at + 8)[0]
        frame, at = data[at + 16:at + 16 + size], at + 16 + size
        ip = frame[14:]
        v6 = ip[0] >> 4 == 6
        tcp = ip[40:] if v6 else ip[(ip[0] & 15) * 4:]
        source, dest, flags = *struct.unpack_from("!HH", tcp), tcp[13]
        told = [o for kind, o in options(tcp[20:(tcp[12] >> 4) * 4]) if kind == 254]
        yield v6, source, dest, flags, told

SYN, ACK = 2, 16
told, answered, later = {}, set(), 0
for v6, source, dest, flags, found in segments(sys.argv[1]):
    if dest != 80: # the server's own
        assert not found
        if not flags & SYN:
            answered.add(dest)
    elif flags & SYN:
        assert not found
    elif source not in told:
        # struct toa_data of the modules: opcode, opsize, port, ip.
        assert flags & ACK and len(found) == 1, (source, flags, found)
        kind, size, port = struct.unpack_from("!BBH", found[0])
        assert (kind, size) == (254, 20 if v6 else 8), found
        told[source] = str(ipaddress.ip_address(found[0][4:])), port
    elif source in answered:
        later += bool(not found)
        # The answer may have been on its way when the segment passed the router.
clients = [line.split() for line in open(sys.argv[2])]
want = {(str(ipaddress.ip_address(address)), int(port)) for address, port, _ in clients}
assert want <= set(told.values()), (want, told)
assert len(told) == len(clients) + 1, told
assert later > 40, later
END
is "listed as" "$(ctl --json connection list | jq -r '[.. | .client_address? // empty] | unique | join(" ")')" = toa
doors_add_up
