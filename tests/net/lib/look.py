# SPDX-License-Identifier: BSD-3-Clause
"""A client that sees one router of a pair, whichever of them serves.

usage: look.py INTERFACE ROUTER-MAC VIP HOST OWN-ADDRESS

All its frames go to ROUTER-MAC; it is a host of its own, with OWN-ADDRESS, made of raw frames:
no cache learns, no timer backs off, and it looks at all cells at once. Services: TCP and UDP
echo on port 7 of VIP. On standard input:

	open		a TCP connection and a UDP flow are made, which last
	look CELL...	what is seen, to be compared with what is expected: eight words

	established	data of the connection		answer, reset, silence
	flow		a datagram of the UDP flow	answer, silence
	new		SYN				answer, reset, silence
	datagram	a datagram of a new flow	answer, silence
	unknown		TCP that belongs to nothing	reset, silence
	arp		who has the VIP?		answer, silence
	ping		echo request to the VIP		answer, silence
	host		echo request to HOST		answer, silence

"peer": answered by another MAC. Silence is believed after WAIT_S, and after PATIENCE_S where
something else is expected. One line comes back for each; that of a look begins with the time of
its end, in milliseconds.
"""

import random
import select
import socket
import struct
import sys
import time

WAIT_S, PATIENCE_S = 0.25, 2.0
CELLS = ["established", "flow", "new", "datagram", "unknown", "arp", "ping", "host"]
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
TCP, UDP, ICMP = 6, 17, 1
ECHO = 7


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


class Client:
    def __init__(self, interface, router, vip, host, own):
        self.sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        self.sock.bind((interface, 0))
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        self.mac = self.sock.getsockname()[4]
        self.router = bytes.fromhex(router.replace(":", ""))
        self.vip, self.host, self.own = map(socket.inet_aton, (vip, host, own))
        self.seen = {}
        self.ports = {}  # of this client: cell
        self.marks = {}  # of echo requests: cell
        self.flow_port = 0
        self.number = 0
        # The connection: what is sent and not acknowledged stays in `left`.
        self.port = 0
        self.next = self.expected = 0
        self.left = self.asked = b""

    # --- frames out ---

    def ip_send(self, proto, target, body):
        head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(body), 0, 0, 64, proto, 0)
        head += self.own + target
        head = head[:10] + struct.pack(">H", checksum(head)) + head[12:]
        self.sock.send(self.router + self.mac + b"\x08\x00" + head + body)

    def l4_sum(self, proto, body):
        return checksum(self.own + self.vip + struct.pack(">BBH", 0, proto, len(body)) + body)

    def tcp_send(self, port, sequence, acknowledged, flags, data=b""):
        def body(total):
            return struct.pack(">HHIIBBHHH", port, ECHO, sequence & 0xffffffff,
                               acknowledged & 0xffffffff, 0x50, flags, 8192, total, 0) + data
        self.ip_send(TCP, self.vip, body(self.l4_sum(TCP, body(0))))

    def udp_send(self, port, data):
        def body(total):
            return struct.pack(">HHHH", port, ECHO, 8 + len(data), total) + data
        self.ip_send(UDP, self.vip, body(self.l4_sum(UDP, body(0))))

    def ping(self, target, mark):
        body = struct.pack(">BBHHH", 8, 0, 0, mark, 1) + b"look"
        body = body[:2] + struct.pack(">H", checksum(body)) + body[4:]
        self.ip_send(ICMP, target, body)

    def arp_ask(self):
        self.sock.send(b"\xff" * 6 + self.mac + b"\x08\x06" +
                       struct.pack(">HHBBH", 1, 0x800, 6, 4, 1) + self.mac + self.own + bytes(6) +
                       self.vip)

    # --- frames in ---

    def note(self, cell, what, source):
        """Once known, silence and an answer by the peer give way to the router's own answer."""
        if what == "answer" and source != self.router:
            what = "peer"
        if self.seen.get(cell) in (None, "peer"):
            self.seen[cell] = what

    def arp_in(self, frame):
        operation = struct.unpack_from(">H", frame, 20)[0]
        sender, target = frame[28:32], frame[38:42]
        if operation == 1 and target == self.own:
            self.sock.send(frame[22:28] + self.mac + b"\x08\x06" + frame[14:20] + b"\0\x02" +
                           self.mac + self.own + frame[22:32])
        # Announcements are no answers: those come to this client alone.
        elif operation == 2 and sender == self.vip and frame[:6] == self.mac:
            self.note("arp", "answer", frame[22:28])

    def connection_in(self, source, sequence, acknowledged, flags, data):
        if flags & RST:
            self.note("established", "reset", source)
            return
        if flags & SYN:
            self.expected = sequence + 1 & 0xffffffff
            self.tcp_send(self.port, self.next, self.expected, ACK)
            return
        sent = acknowledged - self.next & 0xffffffff
        if sent <= len(self.left):
            self.left = self.left[sent:]
            self.next = acknowledged
        if data:
            # The server echoes in order: a new line ends the known ones.
            new = sequence + len(data) - self.expected & 0xffffffff
            if new < 1 << 31 and new <= len(data):
                self.expected = sequence + len(data) & 0xffffffff
                if data.endswith(self.asked):
                    self.note("established", "answer", source)
            self.tcp_send(self.port, self.next, self.expected, ACK)

    def tcp_in(self, source, body):
        port, sequence, acknowledged, offset, flags = struct.unpack_from(">HIIBB", body, 2)
        data = body[(offset >> 4) * 4:]
        if port == self.port:
            self.connection_in(source, sequence, acknowledged, flags, data)
        elif port in self.ports:
            self.note(self.ports[port], "reset" if flags & RST else "answer", source)
            if flags & SYN:
                self.tcp_send(port, acknowledged, 0, RST)

    def ip_in(self, frame):
        length = struct.unpack_from(">H", frame, 16)[0]
        body = frame[14 + (frame[14] & 15) * 4:14 + length]
        source, sender, proto = frame[6:12], frame[26:30], frame[23]
        if proto == ICMP and body[0] == 0:
            mark = struct.unpack_from(">H", body, 4)[0]
            if mark in self.marks:
                self.note(self.marks[mark], "answer", source)
        elif sender != self.vip:
            return
        elif proto == TCP:
            self.tcp_in(source, body)
        elif proto == UDP:
            # The number tells it from an answer that comes late.
            port = struct.unpack_from(">H", body, 2)[0]
            if port in self.ports and body[8:] == b"%d\n" % self.number:
                self.note(self.ports[port], "answer", source)

    def receive(self, until):
        while (left := until - time.monotonic()) > 0:
            if not select.select([self.sock], [], [], left)[0]:
                return
            frame = self.sock.recv(65536)
            if frame[6:12] == self.mac or len(frame) < 42:
                continue
            if frame[12:14] == b"\x08\x06":
                self.arp_in(frame)
            elif frame[12:14] == b"\x08\x00" and frame[30:34] == self.own:
                self.ip_in(frame)
            return

    # --- commands ---

    def ask(self):
        self.tcp_send(self.port, self.next, self.expected, ACK | PSH, self.left)

    def open(self):
        self.port, self.flow_port = random.sample(range(20000, 60000), 2)
        self.next, self.expected = random.getrandbits(32), 0
        end = time.monotonic() + 10
        while not self.expected and time.monotonic() < end:
            self.tcp_send(self.port, self.next, 0, SYN)
            start, first = self.next, self.next + 1 & 0xffffffff
            self.next = first
            for _ in range(20):
                self.receive(time.monotonic() + 0.05)
                if self.expected:
                    return "opened"
            self.next = start
        return "not opened"

    def look(self, wanted):
        self.number += 1
        self.asked = b"%d\n" % self.number
        self.left += self.asked
        new, datagram, unknown = random.sample(range(20000, 60000), 3)
        self.ports = {new: "new", datagram: "datagram", unknown: "unknown", self.flow_port: "flow"}
        vip_mark, host_mark = random.sample(range(1, 65536), 2)
        self.marks = {vip_mark: "ping", host_mark: "host"}
        self.seen = {}
        self.ask()
        self.udp_send(self.flow_port, self.asked)
        self.tcp_send(new, random.getrandbits(32), 0, SYN)
        self.udp_send(datagram, self.asked)
        self.tcp_send(unknown, random.getrandbits(32), random.getrandbits(32), ACK)
        self.arp_ask()
        self.ping(self.vip, vip_mark)
        self.ping(self.host, host_mark)
        begin = again = time.monotonic()
        while (passed := time.monotonic() - begin) < PATIENCE_S:
            missing = [c for c, w in zip(CELLS, wanted) if w != "silence" and c not in self.seen]
            if passed >= WAIT_S and not missing:
                break
            if "established" in missing and time.monotonic() - again > 0.4:
                again = time.monotonic()
                self.ask()
            self.receive(time.monotonic() + 0.02)
        seen = [self.seen.get(cell, "silence") for cell in CELLS]
        return " ".join([str(int(time.time() * 1000))] + seen)


def main():
    client = Client(*sys.argv[1:6])
    print("ready", flush=True)
    while True:
        # Between commands it answers ARP and acknowledges.
        ready = select.select([client.sock, sys.stdin], [], [])[0]
        if sys.stdin in ready:
            words = sys.stdin.readline().split()
            if not words:
                return
            print(client.open() if words[0] == "open" else client.look(words[1:]), flush=True)
        else:
            client.receive(time.monotonic() + 0.01)


main()
