#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Plays rows of packets against a running plvs and says where they differ.

usage: rows.py play STAND < ROWS      rows.py arp STAND

STAND is a JSON file: client and server ([namespace, interface] of the wires' ends), macs of
plvs's ports on these sides, socket (plvs's control socket). `arp` answers every ARP request
on both wires until it is ended: address A is at the MAC 02:01:A.

A row is a line in the notation of tests/golden/recorded/behaviours.md:

  client sends  tcp 192.168.1.1:1001>10.1.0.100:80 [S] ttl 64 csum ok   (a remark)
  -> at server: tcp 192.168.1.1:1001>10.10.0.1:8080 [S] ttl 63 csum ok dmac 02:01:0a:0a:00:01
  -> nothing
  entry: TCP 00:59 SYN_RECV 192.168.1.1:1001 10.1.0.100:80 10.10.0.1:8080
  no entry: 192.168.1.1:1001 10.1.0.100:80

What follows a packet sent is all that may come of it, in any order. More words than there:
`ipcsum bad`, `df`, `id N`, `seq N`, `ack N` (of a packet sent), `mtu N` (of ICMP 3/4), and `-> whole at server: udp ... len N`, the
datagram that the fragments seen since the last such line make. All fragments are of one
datagram with 1492 bytes of data. An entry's time may be 2 s off.
"""
import ctypes
import json
import os
import re
import select
import signal
import socket
import struct
import sys
import time

SIDES = ("client", "server")
FLAGS = {"F": 1, "S": 2, "R": 4, "P": 8, "A": 16}
WHOLE = 1500  # bytes of the fragmented datagram, UDP header and data
ETH_P_IP, ETH_P_ARP = 0x0800, 0x0806
PACKET_MR_PROMISC, SOL_PACKET = 1, 263
PACKET_ADD_MEMBERSHIP, PACKET_IGNORE_OUTGOING = 1, 23
ANSWER_S = 3.0  # whatever a packet leads to has come by then
EXTRA_S = 0.03  # after all that was expected: is there more?
SILENCE_S = 0.3  # for "-> nothing"


class Bad(Exception):
    """A row that differs, or that cannot be read."""


# --- the wires --------------------------------------------------------------------------


def wire_open(netns, interface):
    libc = ctypes.CDLL(None, use_errno=True)
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    there = os.open("/run/netns/" + netns, os.O_RDONLY)
    if libc.setns(there, 0):
        raise Bad(f"setns {netns}: {os.strerror(ctypes.get_errno())}")
    try:
        s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        index = socket.if_nametoindex(interface)
        s.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
        s.setsockopt(SOL_PACKET, PACKET_ADD_MEMBERSHIP,
                     struct.pack("iHH8s", index, PACKET_MR_PROMISC, 0, b""))
        s.bind((interface, 3))
    finally:
        libc.setns(home, 0)
        os.close(home)
        os.close(there)
    s.setblocking(False)
    return s


def mac_of(address):
    return b"\x02\x01" + socket.inet_aton(address)


def arp_serve(stand):
    wires = [wire_open(*stand[side]) for side in SIDES]
    print("ready", flush=True)
    while True:
        for s in select.select(wires, [], [])[0]:
            try:
                frame = s.recv(2048)
            except BlockingIOError:
                continue
            if len(frame) < 42 or frame[12:14] != b"\x08\x06" or frame[20:22] != b"\0\1":
                continue
            mac, ip, wanted = frame[22:28], frame[28:32], frame[38:42]
            if wanted != ip:
                mine = b"\x02\x01" + wanted
                s.send(mac + mine + frame[12:20] + b"\0\2" + mine + wanted + mac + ip)


# --- packets ----------------------------------------------------------------------------


def csum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def l4_csum(proto, src, dst, l4):
    pseudo = socket.inet_aton(src) + socket.inet_aton(dst) + struct.pack("!HH", proto, len(l4))
    return csum(pseudo + l4)


def with_csum(l4, at, value):
    return l4[:at] + struct.pack("!H", value) + l4[at + 2:]


def ip_packet(w, proto, payload):
    """w: the words of a packet, see words()."""
    frag = w["off"] // 8 | (0x2000 if w["mf"] else 0) | (0x4000 if w["df"] else 0)
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), w["id"], frag, w["ttl"],
                       proto, 0, socket.inet_aton(w["src"]), socket.inet_aton(w["dst"]))
    sum_ = csum(head) ^ (0x5555 if w["ipcsum"] == "bad" else 0)
    return head[:10] + struct.pack("!H", sum_) + head[12:] + payload


def finished(w, proto, at, l4):
    """l4 with its checksum, which stands at `at`."""
    sum_ = l4_csum(proto, w["src"], w["dst"], with_csum(l4, at, 0))
    if proto == 17:
        sum_ = sum_ or 0xffff
    if w["csum"] == "bad" and not fragment(w):
        sum_ ^= 0x5555
    return with_csum(l4, at, 0 if w["csum"] == "zero" else sum_)


def fragment(w):
    return w["off"] or w["mf"]


def tcp_build(w):
    head = struct.pack("!HHIIBBHHH", w["sport"], w["dport"], w["seq"], w["ack"], 5 << 4,
                       w["flags"], 65535, 0, 0)
    return ip_packet(w, 6, finished(w, 6, 16, head + w["data"]))


def udp_build(w):
    if fragment(w):
        whole = struct.pack("!HHHH", w["sport"], w["dport"], WHOLE, 0)
        whole += bytes(i & 0xff for i in range(WHOLE - 8))
        return ip_packet(w, 17, finished(w, 17, 6, whole)[:8 + w["len"]])
    head = struct.pack("!HHHH", w["sport"], w["dport"], 8 + w["len"], 0)
    return ip_packet(w, 17, finished(w, 17, 6, head + b"x" * w["len"]))


def rest_build(w):
    """A fragment that is not the first. Ports do not matter for what is in it."""
    return ip_packet(w, 17, bytes(i & 0xff for i in range(w["off"] - 8, WHOLE - 8)))


def icmp_build(w):
    body = b""
    if "about" in w:
        a = dict(w["about"], ttl=63, id=1, off=0, mf=0, df=0, ipcsum="ok", csum="ok")
        if a["proto"] == 6:
            ports = struct.pack("!HHIIBBHHH", a["sport"], a["dport"], 1, 1, 5 << 4, 16, 65535, 0, 0)
            body = ip_packet(a, 6, finished(a, 6, 16, ports))
        else:
            ports = struct.pack("!HHHH", a["sport"], a["dport"], 26, 0)
            body = ip_packet(a, 17, finished(a, 17, 6, ports + b"x" * 18))
        body = body[:28] if w.get("short") else body
    else:
        body = b"x" * 18
    rest = w.get("mtu", 7 << 16 | 1 if w["type"] in (0, 8) else 0)
    msg = struct.pack("!BBHI", w["type"], w["code"], 0, rest) + body
    sum_ = csum(msg) ^ (0x5555 if w["csum"] == "bad" else 0)
    return ip_packet(w, 1, with_csum(msg, 2, sum_))


def build(w):
    return {"tcp": tcp_build, "udp": udp_build, "icmp": icmp_build, "rest": rest_build}[w["kind"]](w)


ENDS = r"(?P<src>[\d.]+):(?P<sport>\d+)>(?P<dst>[\d.]+):(?P<dport>\d+)"


def words(text):
    """The words of a row about a packet."""
    w = {"off": 0, "mf": 0, "df": 0, "id": 1, "csum": "ok", "ipcsum": "ok", "seq": 1, "ack": 1,
         "data": b""}
    m = re.match(rf"(tcp|udp) {ENDS} (?:\[(\w*)\] )?", text)
    icmp = re.match(r"icmp (\d+)/(\d+) ([\d.]+)>([\d.]+) ", text)
    rest = re.match(r"([\d.]+)>([\d.]+) ", text)
    if m:
        w.update(kind=m[1], src=m["src"], dst=m["dst"], sport=int(m["sport"]),
                 dport=int(m["dport"]), flags=sum(FLAGS[c] for c in m[6] or ""))
    elif icmp:
        w.update(kind="icmp", type=int(icmp[1]), code=int(icmp[2]), src=icmp[3], dst=icmp[4])
    elif rest:
        w.update(kind="rest", src=rest[1], dst=rest[2])
    else:
        raise Bad(f"no packet: {text}")
    data = re.search(r" data (b'.*')", text)
    if data:
        w["data"] = eval(data[1], {"__builtins__": {}})  # a literal of our own tests
    about = re.search(rf" about proto (?P<proto>\d+) {ENDS}", text)
    if about:
        w["about"] = {"proto": int(about["proto"]), "src": about["src"], "dst": about["dst"],
                      "sport": int(about["sport"]), "dport": int(about["dport"])}
    for key, value in re.findall(r" (ttl|len|off|mf|id|seq|ack|mtu) (\d+)", text):
        w[key] = int(value)
    for key in ("csum", "ipcsum"):
        found = re.search(rf" {key} (ok|bad|zero)", text)
        w[key] = found[1] if found else "ok"
    w["df"] = int(bool(re.search(r" df\b", text)))
    return w


def sum_word(proto, src, dst, l4):
    at = 6 if proto == 17 else 16
    if proto == 17 and l4[6:8] == b"\0\0":
        return "zero"
    return "ok" if l4_csum(proto, src, dst, l4) == 0 and len(l4) > at else "bad"


def describe(frame, side):
    """A frame in the words of a row, and its parts of a datagram."""
    ip = frame[14:]
    length, ident, frag = struct.unpack("!HHH", ip[2:8])
    ihl = (ip[0] & 15) * 4
    ip, l4 = ip[:length], ip[ihl:length]
    ttl, proto = ip[8], ip[9]
    src, dst = socket.inet_ntoa(ip[12:16]), socket.inet_ntoa(ip[16:20])
    off, mf = (frag & 0x1fff) * 8, frag >> 13 & 1
    if off:
        text = f"{src}>{dst} ttl {ttl}"
    elif proto == 1:
        text = f"icmp {l4[0]}/{l4[1]} {src}>{dst} ttl {ttl}"
        if l4[0] in (3, 11) and len(l4) >= 36:
            q = l4[8:]
            ports = q[(q[0] & 15) * 4:]
            text += " about proto %d %s:%d>%s:%d" % (
                q[9], socket.inet_ntoa(q[12:16]), *struct.unpack("!H", ports[:2]),
                socket.inet_ntoa(q[16:20]), *struct.unpack("!H", ports[2:4]))
            if csum(q[:20]):
                text += " (its IP checksum is wrong)"
        text += " csum " + ("bad" if csum(l4) else "ok")
        text += " mtu %d" % struct.unpack("!H", l4[6:8]) if (l4[0], l4[1]) == (3, 4) else ""
    elif proto in (6, 17):
        sport, dport = struct.unpack("!HH", l4[:4])
        text = f"{'tcp' if proto == 6 else 'udp'} {src}:{sport}>{dst}:{dport} "
        if proto == 6:
            flags = "".join(c for c, bit in FLAGS.items() if l4[13] & bit)
            data = l4[(l4[12] >> 4) * 4:]
            text += f"[{flags}] ttl {ttl} csum {sum_word(6, src, dst, l4)}"
            text += f" data {data!r}" if data else ""
        else:
            text += f"ttl {ttl} csum {sum_word(17, src, dst, l4)} len {len(l4) - 8}"
    else:
        text = f"protocol {proto} {src}>{dst} ttl {ttl}"
    if off or mf:
        text += f" frag off {off} mf {mf}"
    if csum(ip[:ihl]):
        text += " ipcsum bad"
    if side == "server":
        text += " dmac " + frame[:6].hex(":")
    return text, (src, dst, proto, ident, off, mf, l4)


def joined(parts):
    """The datagram that fragments make, in words."""
    parts = sorted(parts, key=lambda p: p[4])
    whole = b""
    for _, _, _, _, off, _, l4 in parts:
        if off != len(whole):
            return f"a gap or an overlap at {off}"
        whole += l4
    if not parts or parts[-1][5] or len({p[:4] for p in parts}) != 1:
        return "no end, or of several datagrams"
    src, dst = parts[0][:2]
    sport, dport = struct.unpack("!HH", whole[:4])
    return (f"udp {src}:{sport}>{dst}:{dport} csum {sum_word(17, src, dst, whole)} "
            f"len {len(whole) - 8}")


# --- rows -------------------------------------------------------------------------------


class Play:
    def __init__(self, stand):
        self.stand = stand
        self.wires = {side: wire_open(*stand[side]) for side in SIDES}
        self.parts = {side: [] for side in SIDES}
        self.rows = 0

    def send(self, side, text):
        w = words(text)
        mac = bytes.fromhex(self.stand["macs"][side].replace(":", ""))
        self.wires[side].send(mac + mac_of(w["src"]) + b"\x08\x00" + build(w))

    def came(self, seconds, count):
        """Up to `count` packets that come out of plvs within that time."""
        seen, end = [], time.monotonic() + seconds
        while len(seen) < count:
            left = end - time.monotonic()
            ready = select.select(list(self.wires.values()), [], [], max(left, 0))[0]
            if not ready and left <= 0:
                break
            for side in SIDES:
                if self.wires[side] in ready:
                    frame = self.wires[side].recv(4096)
                    if frame[12:14] != b"\x08\x00" or frame[0] & 1:
                        continue
                    text, part = describe(frame, side)
                    seen.append(f"at {side}: {text}")
                    if part[4] or part[5]:
                        self.parts[side].append(part)
        return seen

    def expect(self, sent, wanted):
        if wanted == ["nothing"]:
            seen, wanted = self.came(SILENCE_S, 1), []
        else:
            seen = self.came(ANSWER_S, len(wanted))
            seen += self.came(EXTRA_S, 1)
        if sorted(seen) != sorted(wanted):
            raise Bad("\n".join([f"after    {sent}"] + [f"wanted   -> {t}" for t in wanted] +
                                [f"came     -> {t}" for t in seen or ["nothing"]]))

    def ask(self, method, params):
        """The rows of a listing."""
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(10)
        s.connect(self.stand["socket"])
        request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        s.sendall(json.dumps(request).encode() + b"\n")
        rows = []
        for line in s.makefile():
            answer = json.loads(line)
            if answer.get("method") == "rows":
                rows += answer["params"]["rows"]
            elif answer.get("id") == 1:
                if "error" in answer:
                    raise Bad(answer["error"]["message"])
                return rows
        raise Bad("plvs hung up")

    def entries(self, client):
        return self.ask("connection.list", {"client": client.split(":")[0]})

    def entry(self, text):
        m = re.fullmatch(r"(\w+) (\d+):(\d+) (\w+) (\S+) (\S+) (\S+)", text)
        if not m:
            raise Bad(f"no entry: {text}")
        seconds = int(m[2]) * 60 + int(m[3])
        for e in self.entries(m[5]):
            if (e["client"], e["virtual"]) != (m[5], m[6]):
                continue
            if (e["protocol"].upper() == m[1] and e["state"] == m[4] and e["server"] == m[7] and
                    abs(e["expires_s"] - seconds) <= 2):
                return
            raise Bad("wanted   entry: %s\nis       entry: %s %02d:%02d %s %s %s %s" % (
                text, e["protocol"].upper(), e["expires_s"] // 60, e["expires_s"] % 60,
                e["state"], e["client"], e["virtual"], e["server"]))
        raise Bad(f"wanted   entry: {text}\nis       no entry")

    def no_entry(self, text):
        client, virtual = text.split()
        for e in self.entries(client):
            if (e["client"], e["virtual"]) == (client, virtual):
                raise Bad(f"wanted   no entry: {text}\nis       entry: {e['state']} {e['server']}")

    def whole(self, side, text):
        seen = joined(self.parts[side])
        self.parts[side] = []
        if seen != text:
            raise Bad(f"wanted   whole at {side}: {text}\nis       whole at {side}: {seen}")

    def play(self, lines):
        sent, wanted = None, []
        for raw in lines + [""]:
            line = re.sub(r"\s+\([^()]*\)$", "", raw.strip())
            line = re.sub(r"^(client|server) sends\s+", r"\1 sends ", line)
            if line.startswith("-> ") and not line.startswith("-> whole"):
                wanted.append(line[3:])
                continue
            if sent:
                self.expect(sent, wanted)
            sent, wanted = None, []
            if not line or line.startswith("#"):
                continue
            self.rows += 1
            if m := re.match(r"(client|server) sends (.*)", line):
                self.send(m[1], m[2])
                sent = line
            elif m := re.match(r"-> whole at (client|server): (.*)", line):
                self.whole(m[1], m[2])
            elif line.startswith("entry: "):
                self.entry(line[7:])
            elif line.startswith("no entry: "):
                self.no_entry(line[10:])
            else:
                raise Bad(f"not a row: {raw}")


def main():
    with open(sys.argv[2], encoding="utf-8") as f:
        stand = json.load(f)
    if sys.argv[1] == "arp":
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        arp_serve(stand)
    play = Play(stand)
    try:
        play.play(sys.stdin.read().splitlines())
    except Bad as why:
        print(why, file=sys.stderr)
        return 1
    print(f"{play.rows} rows as recorded")
    return 0


if __name__ == "__main__":
    sys.exit(main())
