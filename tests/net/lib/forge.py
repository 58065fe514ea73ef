#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Frames of an outsider, and a client beside them.

usage: forge.py frame NETNS INTERFACE DESTINATION-MAC ROW...
       forge.py hold ADDRESS PORT

`frame` sends a packet a row, in the notation of rows.py: the sources are whatever a row says.
`hold` opens a TCP connection to an echo server and prints "PORT NEXT": its own port, and the
sequence number that it expects next. After each line on standard input it asks again and
prints "alive" or why not.
"""
import os
import socket
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True
import rows  # noqa: E402

TCP_REPAIR, TCP_REPAIR_QUEUE, TCP_QUEUE_SEQ, RECV_QUEUE = 19, 20, 21, 1


def frames_send(netns, interface, mac, texts):
    wire = rows.wire_open(netns, interface)
    for text in texts:
        w = rows.words(text + " ")
        w.setdefault("ttl", 64)
        w.setdefault("len", 18)
        wire.send(bytes.fromhex(mac.replace(":", "")) + b"\x02\x66\x66\x66\x66\x66\x08\x00" +
                  rows.build(w))


def asked(s):
    s.sendall(b"are you there?")
    left = len(b"are you there?")
    while left:
        got = s.recv(left)
        if not got:
            raise OSError("closed")
        left -= len(got)


def expected_next(s):
    s.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
    s.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR_QUEUE, RECV_QUEUE)
    number = s.getsockopt(socket.IPPROTO_TCP, TCP_QUEUE_SEQ) & 0xffffffff
    s.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, -1)  # off, without a probe
    return number


def hold(address, port):
    s = socket.create_connection((address, int(port)), timeout=5)
    asked(s)
    print(s.getsockname()[1], expected_next(s), flush=True)
    s.settimeout(3)
    for _ in sys.stdin:
        try:
            asked(s)
            print("alive", flush=True)
        except OSError as e:
            print(f"dead: {e}", flush=True)


if sys.argv[1] == "frame":
    frames_send(sys.argv[2], sys.argv[3], sys.argv[4], sys.argv[5:])
else:
    hold(sys.argv[2], sys.argv[3])
