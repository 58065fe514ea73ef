#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""One FTP session with many data connections: ftp_session.py VIP ROUNDS [burst].

Passive and active, by the old commands and (IPv6: only) the extended ones, taking turns over one control
connection, whose sequence numbers are wrong for good if one change of a text's length is
forgotten. The same before that, with a client that sends its commands byte by byte; with "burst" the
bytes leave at once, and the eighth segment has the rest. Prints who the server was.
"""
import ftplib
import socket
import sys
import time


class Slow(ftplib.FTP):
    """Every byte of a command is a segment."""

    def putline(self, line):
        for byte in (line + "\r\n").encode():
            self.sock.sendall(bytes([byte]))
            time.sleep(0.002)


class Burst(ftplib.FTP):
    """A command is eight segments.

    By full NAT the router holds a PORT or EPRT back until its last segment has come. Without acknowledgements
    TCP sends ten segments, and once its time-out of 200 ms expires it repeats those and sends no further ones.
    """

    def putline(self, line):
        data = (line + "\r\n").encode()
        for i in range(7):
            self.sock.sendall(data[i:i + 1])
        self.sock.sendall(data[7:])


def port_command(ftp, extended):
    """An active data connection: a listener that is announced."""
    listener = socket.socket(ftp.af)
    listener.bind((ftp.sock.getsockname()[0], 0))
    listener.listen(1)
    listener.settimeout(20)
    host, port = listener.getsockname()[:2]
    if extended:
        ftp.sendeprt(host, port)
    else:
        ftp.sendport(host, port)
    return listener


def passive_command(ftp, extended):
    if extended:
        host, port = ftplib.parse229(ftp.sendcmd("EPSV"), ftp.sock.getpeername())
    else:
        host, port = ftplib.parse227(ftp.sendcmd("PASV"))
        assert host == ftp.host, f"227 names {host}, not the VIP"
    return socket.create_connection((host, port), timeout=20)


def read_all(conn):
    data = b""
    while True:
        more = conn.recv(65536)
        if not more:
            return data
        data += more


def fetch(ftp, name, active, extended):
    if active:
        listener = port_command(ftp, extended)
        ftp.sendcmd("RETR " + name)
        conn, peer = listener.accept()
        assert peer[0] == ftp.host, f"data came from {peer[0]}, not the VIP"
        listener.close()
    else:
        conn = passive_command(ftp, extended)
        ftp.sendcmd("RETR " + name)
    data = read_all(conn)
    conn.close()
    ftp.voidresp()
    return data


def session(kind, vip, rounds):
    ftp = kind(vip, timeout=20)
    ftp.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    ftp.login()
    ftp.voidcmd("TYPE I")
    names = set()
    for i in range(rounds):
        names.add(fetch(ftp, "who", i & 1, i & 2 or ftp.af == socket.AF_INET6))
        assert ftp.sendcmd("NOOP").startswith("200")
    assert len(names) == 1, f"one session met {names}"
    assert ftp.size("big") == 4194304
    ftp.quit()
    return names.pop().decode().strip()


if __name__ == "__main__":
    session(Burst if sys.argv[3:] == ["burst"] else Slow, sys.argv[1], 4)
    print(session(ftplib.FTP, sys.argv[1], int(sys.argv[2])))
