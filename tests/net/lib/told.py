#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Servers and clients for the PROXY protocol.

	told.py serve ADDRESS SMTP-PORTS READER-PORTS UDP-PORT DIRECTORY
	told.py echo ADDRESS PORT
	told.py ask VIP FILE
	told.py datagrams VIP PORT COUNT

serve: on SMTP-PORTS (FIRST-LAST) a server that speaks first, once it has read the header, and says
which client it was told; on READER-PORTS one that writes what it read into DIRECTORY/PORT; on
UDP-PORT one that answers a datagram with what it was told and how many bytes followed.

echo: a server that reads a header and says again what comes behind it.

ask: one connection for each line "KIND PORT" of FILE, all at the same time. KIND is http (nginx and
HAProxy answer with the client), smtp or reader. Prints "KIND PORT ok", or what was wrong.
"""
import ipaddress
import os
import selectors
import socket
import struct
import sys
import threading
import time

SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"
LIMIT = 25  # seconds for one connection


def header(data):
    """The client and the length of the header that data begins with; None: it is not whole."""
    if data[:12] == SIGNATURE[:len(data)] and len(data) < 16:
        return None
    if data[:12] == SIGNATURE:
        command, family, length = struct.unpack("!BBH", data[12:16])
        if len(data) < 16 + length:
            return None
        if command != 0x21 or family not in (0x11, 0x12, 0x21, 0x22):
            raise ValueError("header of another kind")
        size = 4 if family < 0x20 else 16
        client = ipaddress.ip_address(data[16:16 + size])
        port = struct.unpack("!H", data[16 + 2 * size:18 + 2 * size])[0]
        return client, port, 16 + length
    end = data.find(b"\r\n")
    if end < 0:
        return None
    words = data[:end].decode().split(" ")
    if words[0] != "PROXY" or words[1] not in ("TCP4", "TCP6") or len(words) != 6:
        raise ValueError("no header: %r" % data[:80])
    return ipaddress.ip_address(words[2]), int(words[4]), end + 2


def read_header(sock):
    data = b""
    while header(data) is None:
        more = sock.recv(4096)
        if not more:
            raise ValueError("ended after %r" % data)
        data += more
    client, port, size = header(data)
    return client, port, data[size:]


def smtp(sock, port, directory):
    client, cport, rest = read_header(sock)
    sock.sendall(b"220 %s %d\r\n" % (str(client).encode(), cport))
    while b"QUIT\r\n" not in rest:
        more = sock.recv(4096)
        if not more:
            return
        rest += more
    sock.sendall(b"221 bye\r\n")


def reader(sock, port, directory):
    data = b""
    while True:
        more = sock.recv(4096)
        if not more:
            break
        data += more
    with open(os.path.join(directory, str(port)), "wb") as out:
        out.write(data)
    sock.sendall(b"read\n")


def guarded(sock, port, function, directory):
    try:
        sock.settimeout(LIMIT)
        with sock:
            function(sock, port, directory)
    except (OSError, ValueError) as error:
        print(port, error, flush=True)


def datagrams_serve(sock):
    while True:
        data, source = sock.recvfrom(65535)
        client, port, size = header(data)
        sock.sendto(b"%s %d %d" % (str(client).encode(), port, len(data) - size), source)


def ports_of(text):
    first, last = text.split("-")
    return range(int(first), int(last) + 1)


def serve(address, smtp_ports, reader_ports, udp_port, directory):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    waiting = selectors.DefaultSelector()
    for function, ports in ((smtp, smtp_ports), (reader, reader_ports)):
        for port in ports_of(ports):
            listener = socket.create_server((address, port), family=family, backlog=64)
            waiting.register(listener, selectors.EVENT_READ, (function, port))
    udp = socket.socket(family, socket.SOCK_DGRAM)
    udp.bind((address, int(udp_port)))
    threading.Thread(target=datagrams_serve, args=(udp,), daemon=True).start()
    print("ready", flush=True)
    while True:
        for key, _ in waiting.select():
            function, port = key.data
            sock, _ = key.fileobj.accept()
            threading.Thread(target=guarded, args=(sock, port, function, directory),
                             daemon=True).start()


def echo_one(sock):
    try:
        with sock:
            _, _, data = read_header(sock)
            while True:
                if data:
                    sock.sendall(data)
                data = sock.recv(4096)
                if not data:
                    return
    except (OSError, ValueError) as error:
        print(error, flush=True)


def echo(address, port):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    threading.stack_size(128 * 1024)
    with socket.create_server((address, int(port)), family=family, backlog=4096) as listener:
        while True:
            sock, _ = listener.accept()
            threading.Thread(target=echo_one, args=(sock,), daemon=True).start()


def lines(sock, n):
    data = b""
    while data.count(b"\n") < n:
        more = sock.recv(4096)
        if not more:
            break
        data += more
    return data.decode()


def ask_http(sock, me):
    sock.sendall(b"GET / HTTP/1.0\r\nHost: told\r\n\r\n")
    answer = b""
    while True:
        more = sock.recv(4096)
        if not more:
            break
        answer += more
    body = answer.decode().split("\r\n\r\n", 1)[-1].strip()
    return body == me, answer


def ask_smtp(sock, me):
    greeting = lines(sock, 1)
    sock.sendall(b"QUIT\r\n")
    return greeting == "220 %s\r\n" % me and lines(sock, 1) == "221 bye\r\n", greeting


def ask_reader(sock, me):
    sock.sendall(b"hello from " + me.encode())
    sock.shutdown(socket.SHUT_WR)
    return lines(sock, 1) == "read\n", "not read"


ASK = {"http": ask_http, "smtp": ask_smtp, "reader": ask_reader}


def ask_one(vip, kind, port, said):
    try:
        with socket.create_connection((vip, port), timeout=LIMIT) as sock:
            me = sock.getsockname()
            good, what = ASK[kind](sock, "%s %d" % (ipaddress.ip_address(me[0]), me[1]))
        said.append("%s %d %s" % (kind, port, "ok" if good else what))
    except OSError as error:
        said.append("%s %d %s" % (kind, port, error))


def ask(vip, name):
    threads, said = [], []
    with open(name) as cases:
        for line in cases:
            kind, port = line.split()
            threads.append(threading.Thread(target=ask_one, args=(vip, kind, int(port), said)))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print("\n".join(said))


def datagrams(vip, port, count):
    family = socket.AF_INET6 if ":" in vip else socket.AF_INET
    good = 0
    for i in range(int(count)):
        size = (10, 1400, 1480, 4000)[i % 4]
        with socket.socket(family, socket.SOCK_DGRAM) as sock:
            # The first datagram of a size may meet a smaller path MTU, and is lost then.
            sock.connect((vip, int(port)))
            sock.settimeout(0.5)
            me = sock.getsockname()
            want = b"%s %d %d" % (str(ipaddress.ip_address(me[0])).encode(), me[1], size)
            for _ in range(6):
                try:
                    sock.send(b"x" * size)
                    if sock.recv(200) == want:
                        good += 1
                        break
                except OSError:
                    time.sleep(0.05)
    print(good)


if __name__ == "__main__":
    {"serve": serve, "echo": echo, "ask": ask, "datagrams": datagrams}[sys.argv[1]](*sys.argv[2:])
