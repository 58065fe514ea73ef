#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Sends UDP datagrams with a wrong checksum: wrong_sum.py ADDRESS PORT COUNT"""
import socket
import struct
import sys

address, port, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
family = socket.AF_INET6 if ":" in address else socket.AF_INET
with socket.socket(family, socket.SOCK_DGRAM) as probe:
    probe.connect((address, port))
    source = probe.getsockname()[0]
with socket.socket(family, socket.SOCK_RAW, socket.IPPROTO_UDP) as raw:
    for i in range(count):
        payload = b"wrong"
        head = struct.pack("!HHH", 40000 + i, port, 8 + len(payload))
        pseudo = socket.inet_pton(family, source) + socket.inet_pton(family, address)
        data = pseudo + struct.pack("!HH", socket.IPPROTO_UDP, 8 + len(payload)) + head + payload
        data += b"\0" * (len(data) % 2)
        total = sum(struct.unpack(f"!{len(data) // 2}H", data))
        while total >> 16:
            total = (total & 0xFFFF) + (total >> 16)
        wrong = (~total & 0xFFFF) ^ 0x0100
        raw.sendto(head + struct.pack("!H", wrong or 1) + payload, (address, 0))
