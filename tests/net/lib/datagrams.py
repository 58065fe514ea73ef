#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Large datagrams, one after the other.

datagrams.py echo ADDRESS PORT                  gives back what it gets
datagrams.py ask ADDRESS PORT COUNT SIZE        prints how many came back as they were

An answer may take 5 s: on a busy machine a program may not run for longer than half a second.
"""
import os
import socket
import sys


def udp_socket(address, port):
    info = socket.getaddrinfo(address, port, type=socket.SOCK_DGRAM)[0]
    return socket.socket(info[0], info[1]), info[4]


def echo(address, port):
    sock, own = udp_socket(address, port)
    sock.bind(own)
    while True:
        data, peer = sock.recvfrom(65536)
        sock.sendto(data, peer)


def ask(address, port, count, size):
    good = 0
    for _ in range(count):
        sock, server = udp_socket(address, port)
        data = os.urandom(size)
        sock.settimeout(5)
        sock.connect(server)
        sock.send(data)
        try:
            good += sock.recv(65536) == data
        except OSError as error:
            print(f"no answer: {error}", file=sys.stderr)
    print(good)


if __name__ == "__main__":
    if sys.argv[1] == "echo":
        echo(sys.argv[2], sys.argv[3])
    else:
        ask(sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5]))
