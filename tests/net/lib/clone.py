# SPDX-License-Identifier: BSD-3-Clause
"""A clone of a router: it has the key, hears what is said to the router, and speaks as it does.

usage: clone.py KEY-FILE INTERFACE OWN-ADDRESS PEER-ADDRESS STATE TERM SECONDS

Runs where the frames for the router pass by. Says a heartbeat 20 times a second, under a session
of its own, that names the peer's session and the last sequence heard: as honest as the router.
"""

import hashlib
import hmac
import os
import socket
import struct
import sys
import time

KEY_FILE, INTERFACE, OWN, PEER, STATE, TERM, SECONDS = sys.argv[1:]
PORT, ETHER, HEADER, HMAC = 7694, 14, 80, 32


def checksum(data):
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def heard(frame):
    """The UDP payload of a message of the peer to the router, or None."""
    if len(frame) < ETHER + 28 + HEADER or frame[12:14] != b"\x08\x00" or frame[23] != 17:
        return None
    if frame[26:30] != socket.inet_aton(PEER) or frame[30:34] != socket.inet_aton(OWN):
        return None
    if struct.unpack_from(">H", frame, ETHER + 22)[0] != PORT:
        return None
    return frame[ETHER + 28:]


def heartbeat(key_id, key, theirs, session, sequence):
    message = bytearray(theirs[:-HMAC])
    message[5] = 1
    struct.pack_into(">I", message, 12, key_id)
    message[16:32] = session
    message[32:48] = theirs[16:32]
    struct.pack_into(">Q", message, 48, sequence)
    message[56:64] = theirs[48:56]
    message[HEADER] = 2
    message[HEADER + 1] = int(STATE)
    message[HEADER + 2] = 3
    struct.pack_into(">Q", message, HEADER + 8, int(TERM))
    return bytes(message) + hmac.new(key, bytes(message), hashlib.sha256).digest()


def frame_of(theirs, payload):
    """To where the peer's frame came from."""
    udp = struct.pack(">HHHH", PORT, PORT, 8 + len(payload), 0) + payload
    ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0,
                     socket.inet_aton(OWN), socket.inet_aton(PEER))
    ip = ip[:10] + struct.pack(">H", checksum(ip)) + ip[12:]
    return theirs[6:12] + theirs[0:6] + b"\x08\x00" + ip + udp


def main():
    with open(KEY_FILE, encoding="ascii") as f:
        words = f.read().split()
    key_id, key = int(words[0]), bytes.fromhex(words[1].removeprefix("hex:"))
    session, sequence, sent = os.urandom(16), 1000, 0
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0800))
    wire.bind((INTERFACE, 0))
    wire.settimeout(0.05)
    end, due = time.monotonic() + float(SECONDS), 0
    frame = payload = None
    while time.monotonic() < end:
        try:
            got = wire.recv(4096)
        except socket.timeout:
            got = b""
        if heard(got):
            frame, payload = got, heard(got)
        if frame and time.monotonic() >= due:
            due = time.monotonic() + 0.05
            sequence += 1
            wire.send(frame_of(frame, heartbeat(key_id, key, payload, session, sequence)))
            sent += 1
    print(sent)


main()
