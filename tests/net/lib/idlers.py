#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""idlers.py CONTROL-SOCKET METRICS-SOCKET: bad clients, a kind after the other, while a good
client asks for the version ten times a second. Prints for each kind the longest answer, and
fails when one took longer than LIMIT_S."""
import json
import socket
import sys
import time

CLIENTS = 50
SECONDS = 1  # a stall shows as one long answer, however short the time is
LIMIT_S = 0.5  # the stall of old was 3 s; a busy machine alone makes 0.1 s
control, metrics = sys.argv[1:3]


def connect(path):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    s.setblocking(False)
    s.connect(path)
    return s


def send(s, data):
    try:
        return s.send(data)
    except (BlockingIOError, BrokenPipeError, ConnectionResetError):
        return 0


def ask(method):
    return (json.dumps({"jsonrpc": "2.0", "id": 1, "method": method}) + "\n").encode()


def never_read(method, count=1):
    def kind():
        clients = [connect(control) for _ in range(CLIENTS)]
        for s in clients:
            send(s, ask(method) * count)
        yield
        while True:
            yield
    return kind


def read_slowly():
    clients = [connect(control) for _ in range(CLIENTS)]
    for s in clients:
        send(s, ask("service.list"))
    while True:
        for s in clients:
            try:
                s.recv(1)
            except (BlockingIOError, ConnectionResetError):
                pass
        yield


def half_lines():
    clients = [connect(control) for _ in range(CLIENTS)]
    while True:
        for s in clients:
            send(s, b'{"jsonrpc": "2.0", "params": "' + b"x" * 65536)
        yield


def come_and_go():
    while True:
        for _ in range(CLIENTS):
            s = connect(control)
            send(s, ask("service.list"))
            s.close()
        yield


def metrics_never_read():
    clients = []
    for _ in range(CLIENTS):
        try:
            clients.append(connect(metrics))
        except BlockingIOError:
            pass
    for s in clients:
        send(s, b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
    while True:
        yield


def metrics_halves():
    while True:
        clients = []
        for _ in range(CLIENTS):
            try:
                clients.append(connect(metrics))
            except BlockingIOError:
                pass
        for s in clients:
            send(s, b"GET /met")
        yield
        for s in clients:
            s.close()


def longest(kind):
    good = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    good.settimeout(30)
    good.connect(control)
    lines = good.makefile("rb")
    worst, end = 0, time.monotonic() + SECONDS
    bad = kind()
    while time.monotonic() < end:
        next(bad)
        begin = time.monotonic()
        good.sendall(ask("version"))
        lines.readline()
        worst = max(worst, time.monotonic() - begin)
        time.sleep(0.05)
    bad.close()
    return worst


KINDS = {
    "never read service.list": never_read("service.list"),
    "never read many service.list": never_read("service.list", 64),
    "never read counter.list": never_read("counter.list"),
    "never read health.list": never_read("health.list"),
    "never read config.get": never_read("config.get"),
    "never read config.schema": never_read("config.schema", 64),
    "never read status": never_read("status", 1000),
    "read a byte at a time": read_slowly,
    "send half lines": half_lines,
    "come and go": come_and_go,
    "never read metrics": metrics_never_read,
    "send half requests to metrics": metrics_halves,
}

bad = []
for name, kind in KINDS.items():
    worst = longest(kind)
    print(f"  {CLIENTS} clients that {name}: the longest answer to another took {worst * 1000:.0f} ms")
    if worst > LIMIT_S:
        bad.append(name)
if bad:
    sys.exit("over the limit: " + ", ".join(bad))
