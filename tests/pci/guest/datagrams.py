#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""datagrams.py serve ADDRESS PORT: answers each datagram with itself.
datagrams.py ask ADDRESS PORT SIZE COUNT: that many, one after the other, none in fragments; prints how
many came back whole."""
import os
import socket
import sys

IP_MTU_DISCOVER, IP_PMTUDISC_DO = 10, 2

mode, address, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO)
if mode == "serve":
    s.bind((address, port))
    print("ready", flush=True)
    while True:
        data, client = s.recvfrom(65535)
        s.sendto(data, client)
s.connect((address, port))
s.settimeout(5)
whole = 0
for _ in range(int(sys.argv[5])):
    data = os.urandom(int(sys.argv[4]))
    try:
        s.send(data)
        whole += s.recv(65535) == data
    except OSError as e:
        print(e, file=sys.stderr)
print(whole)
