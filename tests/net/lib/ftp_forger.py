#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""A client of an FTP server that speaks as the server, too, from the same link.

ftp_forger.py INTERFACE VIP ROUTER ROUTER-MAC SERVER SERVER-MAC PORT SERVER-NAMESPACE

Each case is a session of its own: log in, stop the server's processes, ask by PASV or not,
forge a 227 that names the port, and connect to that port of the VIP. Prints a line per case:
its name and "closed", or "open" when the port answered.
"""
import os
import signal
import socket
import struct
import subprocess
import sys
import time

INTERFACE, VIP, ROUTER, ROUTER_MAC, SERVER, SERVER_MAC, PORT, NAMESPACE = sys.argv[1:9]


def mac(text):
    return bytes.fromhex(text.replace(":", ""))


def own_mac():
    with open(f"/sys/class/net/{INTERFACE}/address") as f:
        return mac(f.read().strip())


def checksum(data):
    data += b"\0" * (len(data) & 1)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def segment(client, cport, seq, ack, text):
    src, dst = socket.inet_aton(SERVER), socket.inet_aton(client)
    tcp = struct.pack("!HHIIHHHH", 21, cport, seq, ack, 0x5018, 64000, 0, 0) + text
    pseudo = src + dst + struct.pack("!BBH", 0, 6, len(tcp))
    tcp = tcp[:16] + struct.pack("!H", checksum(pseudo + tcp)) + tcp[18:]
    ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(tcp), 1, 0x4000, 64, 6, 0) + src + dst
    return ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:] + tcp


def server_signal(number):
    pids = subprocess.run(["ip", "netns", "pids", NAMESPACE], capture_output=True, text=True)
    for pid in pids.stdout.split():
        if open(f"/proc/{pid}/comm").read().strip() == "vsftpd":
            os.kill(int(pid), number)


class Session:
    def __init__(self):
        self.wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        self.wire.bind((INTERFACE, 0))
        self.wire.settimeout(0.2)
        self.control = socket.create_connection((VIP, 21), timeout=10)
        self.reader = self.control.makefile("rb")
        self.seq = self.ack = 0
        self.reply()
        self.say("USER anonymous")
        self.reply()
        self.say("TYPE I")
        self.reply()

    def say(self, command):
        self.control.sendall(command.encode() + b"\r\n")

    def reply(self):
        line = self.reader.readline().decode()
        while line[3:4] == "-":
            line = self.reader.readline().decode()
        return line

    # The server's next numbers, as its frames on the wire say them.
    def numbers(self):
        end = time.monotonic() + 1
        while time.monotonic() < end:
            try:
                frame = self.wire.recv(2048)
            except socket.timeout:
                break
            if frame[12:14] != b"\x08\x00" or frame[26:30] != socket.inet_aton(VIP):
                continue
            total = struct.unpack("!H", frame[16:18])[0]
            sport, dport, seq, ack, off = struct.unpack("!HHIIB", frame[34:47])
            if sport == 21 and dport == self.control.getsockname()[1]:
                size = total - 20 - (off >> 4) * 4
                self.seq, self.ack = (seq + size) & 0xFFFFFFFF, ack

    def forge(self, source, seq_off, ack_off):
        p1, p2 = int(PORT) >> 8, int(PORT) & 255
        text = f"227 Entering Passive Mode ({SERVER.replace('.', ',')},{p1},{p2}).\r\n"
        client, cport = self.control.getsockname()
        packet = segment(client, cport, (self.seq + seq_off) & 0xFFFFFFFF,
                         (self.ack + ack_off) & 0xFFFFFFFF, text.encode())
        for _ in range(3):
            self.wire.send(mac(ROUTER_MAC) + source + b"\x08\x00" + packet)
        # The switch has seen the server's MAC here: the server shows where it is.
        subprocess.run(["ip", "netns", "exec", NAMESPACE, "ping", "-c1", "-W5", "-q", ROUTER],
                       check=True, stdout=subprocess.DEVNULL)


def port_answers():
    try:
        socket.create_connection((VIP, int(PORT)), timeout=1).close()
    except OSError:
        return False
    return True


def case(name, asked, source, seq_off=0, ack_off=0):
    session = Session()
    server_signal(signal.SIGSTOP)
    if asked:
        session.say("PASV")
    session.numbers()
    session.forge(source, seq_off, ack_off)
    print(name, "open" if port_answers() else "closed", flush=True)
    server_signal(signal.SIGCONT)
    session.control.close()


case("of-another-station", True, own_mac())
case("of-other-numbers", True, mac(SERVER_MAC), seq_off=1000000)
case("of-another-acknowledgement", True, mac(SERVER_MAC), ack_off=-1000000)
case("that-nobody-asked-for", False, mac(SERVER_MAC))
