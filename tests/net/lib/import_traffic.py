#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Plays clients and real servers of any addresses around a running plvs.

usage: import_traffic.py SOCKET MARKS

The interfaces "public" and "private" of this namespace are the other ends of the router's ports. For each
service that the router has, a client opens a connection to each of its first listeners; the packet must
come out towards one of the service's servers, as the server's forwarding method says, and the server's
answer must come back as the VIP's where it passes the router. MARKS is JSON: {"MARK": "address"} to which
packets of that mark go. Exits with 1 and a line for each service that does not do so.
"""
import ipaddress
import json
import select
import socket
import struct
import sys
import time

MAC = b"\x02\x99\x00\x00\x00\x01"
LISTENERS = 3  # of each service
TCP, UDP, ICMP6 = 6, 17, 58
TUNNELS = (4, 41, 47)
# Persistence by `sip` wants a Call-ID.
MESSAGE = b"OPTIONS sip:test@example.org SIP/2.0\r\nCall-ID: test\r\n\r\n"


def rpc(method, **params):
    s = socket.socket(socket.AF_UNIX)
    s.connect(sys.argv[1])
    s.sendall(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode() + b"\n")
    with s.makefile() as f:
        for line in f:
            answer = json.loads(line)
            if answer.get("id") == 1:
                if "error" in answer:
                    raise SystemExit(f"{method}: {answer['error']}")
                return answer["result"]
    raise SystemExit(f"{method}: no answer")


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return struct.pack("!H", ~total & 0xFFFF)


def packet(src, sport, dst, dport, proto, flags):
    if proto == TCP:
        l4 = struct.pack("!HHIIBBHHH", sport, dport, 1000, 2000, 0x50, flags, 8192, 0, 0)
        at = 16
    else:
        l4 = struct.pack("!HHHH", sport, dport, 8 + len(MESSAGE), 0) + MESSAGE
        at = 6
    pseudo = src.packed + dst.packed + struct.pack("!II", len(l4), proto)
    l4 = l4[:at] + checksum(pseudo + l4) + l4[at + 2:]
    if src.version == 6:
        return b"\x86\xdd" + struct.pack("!IHBB", 6 << 28, len(l4), proto, 64) + src.packed + dst.packed + l4
    ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(l4), 0, 0x4000, 64, proto, 0) + src.packed + dst.packed
    return b"\x08\x00" + ip[:10] + checksum(ip) + ip[12:] + l4


def parsed(frame):
    """(proto, src, sport, dst, dport) of the outer header; None: no such packet."""
    if frame[12:14] == b"\x08\x00":
        at = 14 + (frame[14] & 15) * 4
        proto, src, dst = frame[23], frame[26:30], frame[30:34]
    elif frame[12:14] == b"\x86\xdd":
        at, proto, src, dst = 54, frame[20], frame[22:38], frame[38:54]
    else:
        return None
    ports = struct.unpack("!HH", frame[at:at + 4]) if proto in (TCP, UDP) else (0, 0)
    return proto, ipaddress.ip_address(src), ports[0], ipaddress.ip_address(dst), ports[1]


class Wires:
    def __init__(self):
        self.sides = {}
        for side in ("public", "private"):
            s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
            s.bind((side, 0))
            s.setsockopt(263, 23, 1)  # SOL_PACKET, PACKET_IGNORE_OUTGOING
            self.sides[side] = s
        self.router = {}

    def learn(self, side, frame):
        self.router[side] = frame[6:12]

    def send(self, side, data):
        self.sides[side].send(self.router[side] + MAC + data)

    def answers(self, side, frame):
        """True: it asked by ARP or ND, for whatever address, and was answered."""
        if frame[12:14] == b"\x08\x06":
            if frame[20:22] == b"\x00\x01" and frame[28:32] != frame[38:42]:
                self.learn(side, frame)
                self.sides[side].send(frame[6:12] + MAC + frame[12:20] + b"\x00\x02" + MAC + frame[38:42] +
                                      frame[22:32])
            return True
        if frame[12:14] == b"\x86\xdd" and frame[20] == ICMP6 and frame[54] == 135:
            if frame[22:38] != bytes(16):
                self.learn(side, frame)
                target, to = frame[62:78], frame[22:38]
                icmp = struct.pack("!BBHI", 136, 0, 0, 0x60000000) + target + b"\x02\x01" + MAC
                icmp = icmp[:2] + checksum(target + to + struct.pack("!II", len(icmp), ICMP6) + icmp) + icmp[4:]
                self.sides[side].send(frame[6:12] + MAC + b"\x86\xdd" +
                                      struct.pack("!IHBB", 6 << 28, len(icmp), ICMP6, 255) + target + to + icmp)
            return True
        return False

    def wait(self, wanted, seconds):
        """The first packet (side, parsed) of which wanted(side, p) is true, or None."""
        end = time.monotonic() + seconds
        names = {s: n for n, s in self.sides.items()}
        while time.monotonic() < end:
            for s in select.select(list(names), [], [], 0.1)[0]:
                frame = s.recv(65536)
                if self.answers(names[s], frame):
                    continue
                p = parsed(frame)
                if p and wanted(names[s], p):
                    return names[s], p
        return None


def endpoint(text):
    """An address with or without a port: 0."""
    try:
        return ipaddress.ip_address(text), 0
    except ValueError:
        address, _, port = text.rpartition(":")
        return ipaddress.ip_address(address.strip("[]")), int(port)


class Client:
    count = int(time.time() * 10) % 100000  # connections of an earlier run may be there still

    def __init__(self, version):
        Client.count += 1
        base = "198.18.0.0" if version == 4 else "2001:2:0:1::"
        self.addr = ipaddress.ip_address(base) + Client.count
        self.port = 20000 + Client.count % 30000


def reaches(wires, vip, port, proto, servers, one_packet):
    """None, or what is wrong."""
    homes = {endpoint(s["address"])[0]: s for s in servers}

    def at_server(side, p):
        return side == "private" and (p[3] in homes or p[3] == vip) and p[0] in (proto, UDP) + TUNNELS

    # The first one may wait for a next hop, or go to a server of the router itself.
    clients = []
    for _ in range(3):
        client = Client(vip.version)
        clients.append((client.addr, client.port))
        wires.send("public", packet(client.addr, client.port, vip, port, proto, 2))
        found = wires.wait(at_server, 3)
        if found:
            break
    else:
        return "nothing came out at the servers' side"
    outer, src, sport, dst, dport = found[1]
    if dst == vip and vip not in homes:
        return None if any(s["forward"] == "dr" for s in servers) else f"the VIP came out, and no server is by dr"
    server = homes[dst]
    if server["forward"] == "tunnel":
        return None if outer in TUNNELS or outer == UDP else f"protocol {outer} to a server by a tunnel"
    if server["forward"] not in ("nat", "fullnat"):
        return f"{dst} is by {server['forward']}"
    if (src, sport) not in clients and server["forward"] == "nat":
        return f"the server sees {src}:{sport}"
    if one_packet:  # the answer belongs to no connection
        return None
    wires.send("private", packet(dst, dport, src, sport, proto, 0x12))

    def at_client(side, p):
        return side == "public" and p[:3] == (proto, vip, port) and p[3:] in clients

    return None if wires.wait(at_client, 5) else "the answer did not come back as the VIP's"


def main():
    marks = json.loads(sys.argv[2])
    wires = Wires()
    bad = n = 0
    for row in rpc("health.list")["servers"]:
        rpc("health.force", service=row["service"], server=row["server"], state="up")
    # The router asks for its gateways when it is asked itself.
    for side, s in wires.sides.items():
        with open(f"/sys/class/net/{side}/address", encoding="ascii") as f:
            assert f.read()
        wires.router.setdefault(side, b"\xff" * 6)
    wires.wait(lambda *_: len(set(wires.router.values())) > 1 and b"\xff" * 6 not in wires.router.values(), 8)
    for service in rpc("service.list")["services"]:
        one_packet = rpc("service.get", service=service["key"])["config"].get("one_packet", False)
        servers = [s for s in service["servers"] if s["forward"] != "local" and s["weight"] > 0]
        if not servers:
            print(f"  {service['key']}: no server with a weight, passed over")
            continue
        if service.get("mark"):
            targets = [(ipaddress.ip_address(marks[str(service["mark"])]), 8080)]
        else:
            targets = [endpoint(text) for text in service["listen"][:LISTENERS]]
        for vip, port in targets:
            proto = UDP if service.get("protocol") == "udp" else TCP
            wrong = reaches(wires, vip, port or 8080, proto, servers, one_packet)
            n += 1
            if wrong:
                bad += 1
                print(f"  {service['key']} by {vip} port {port}: {wrong}")
    print(f"  {n} connections, {bad} wrong")
    sys.exit(1 if bad or n == 0 else 0)


main()
