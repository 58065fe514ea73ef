#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Connections that are open and silent, at both ends.

usage: holders.py serve ADDRESS PORT
       holders.py connect ADDRESS PORT COUNT FIRST-SOURCE-PORT

Each end prints "open PORT" and, when its connection is over, "reset PORT" or "closed PORT", with the
client's port."""
import selectors
import socket
import sys

kind, address, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
family = socket.AF_INET6 if ":" in address else socket.AF_INET
ready = selectors.DefaultSelector()


def hold(s, client_port):
    s.setblocking(False)
    ready.register(s, selectors.EVENT_READ, client_port)
    print("open", client_port, flush=True)


if kind == "serve":
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((address, port))
    listener.listen(64)
    ready.register(listener, selectors.EVENT_READ, None)
else:
    for i in range(int(sys.argv[4])):
        s = socket.socket(family)
        s.bind(("", int(sys.argv[5]) + i))
        s.connect((address, port))
        s.sendall(b"hello\n")
        hold(s, int(sys.argv[5]) + i)

while True:
    for key, _ in ready.select():
        if key.data is None:
            s, peer = key.fileobj.accept()
            hold(s, peer[1])
            continue
        try:
            if key.fileobj.recv(4096):
                continue
            print("closed", key.data, flush=True)
        except ConnectionResetError:
            print("reset", key.data, flush=True)
        ready.unregister(key.fileobj)
        key.fileobj.close()
