# SPDX-License-Identifier: BSD-3-Clause
"""What two routers said to each other, and what a stranger may do to it.

usage: heartbeats.py KEY-FILE OUT-DIRECTORY NAME=FILE.pcap...

Writes OUT-DIRECTORY/CHANGE.NAME for every change below: Ethernet frames in hexadecimal, one a
line, for `probe frame-send`. IP and UDP checksums are made right, so that what is refused is
refused by plvs. The sender's MAC is a stranger's: no switch sends elsewhere what is for the
routers. KEY-FILE is the routers' own: with their key only `type` and `value` are signed.

	replayed	as recorded
	reversed	the last one first
	reflected	each to the router that sent it
	elsewhere	from an address that is not the peer's
	truncated	each cut at another length
	overlong	with bytes behind the HMAC
	flipped		one bit changed, another one in each
	resigned	signed with another key under the same number
	magic version cluster key session sequence role length
			that field changed, the HMAC as it was
	type value	a type that is none, a role that is none: signed with the routers' key
"""

import hashlib
import hmac
import struct
import sys

MESSAGES, SYNC = 7694, 7695
STRANGER = bytes.fromhex("020000000666")
ETHER, IP, UDP, HMAC = 14, 20, 8, 32
PAYLOAD = ETHER + IP + UDP
HEARTBEAT, HEADER = 1, 80
# Where fields of a datagram begin: docs/ha-protocol.md.
FIELDS = {"magic": 0, "version": 4, "length": 7, "cluster": 11, "key": 15, "session": 20,
          "sequence": 48, "role": 80}
CHANGES = ["replayed", "reversed", "reflected", "elsewhere", "truncated", "overlong", "flipped",
           "resigned", "type", "value", *FIELDS]
HEARTBEATS_MAX = 60


def frames(path):
    """Datagrams of the routers: all that are no heartbeats, and some that are."""
    with open(path, "rb") as f:
        data = f.read()
    order = "<" if data[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
    at, beats = 24, 0
    while at + 16 <= len(data):
        length = struct.unpack_from(order + "I", data, at + 8)[0]
        frame = data[at + 16:at + 16 + length]
        at += 16 + length
        if len(frame) < PAYLOAD + HEADER + HMAC:
            continue
        beats += port_of(frame) == MESSAGES and frame[PAYLOAD + 5] == HEARTBEAT
        if frame[PAYLOAD + 5] != HEARTBEAT or beats <= HEARTBEATS_MAX:
            yield frame


def port_of(frame):
    return struct.unpack_from(">H", frame, ETHER + IP + 2)[0]


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def frame_of(frame, datagram, source=None, target=None, mac=None):
    """The frame with other addresses or another datagram in it."""
    ip = bytearray(frame[ETHER:ETHER + IP])
    ip[12:16] = source or ip[12:16]
    ip[16:20] = target or ip[16:20]
    struct.pack_into(">H", ip, 2, IP + UDP + len(datagram))
    struct.pack_into(">H", ip, 10, 0)
    struct.pack_into(">H", ip, 10, checksum(bytes(ip)))
    udp = frame[ETHER + IP:ETHER + IP + 4] + struct.pack(">HH", UDP + len(datagram), 0)
    return (mac or frame[:6]) + STRANGER + frame[12:ETHER] + bytes(ip) + udp + datagram


def signed(datagram, key):
    return datagram[:-HMAC] + hmac.new(key, datagram[:-HMAC], hashlib.sha256).digest()


def byte_set(datagram, at, value):
    return datagram[:at] + bytes([value]) + datagram[at + 1:]


def flipped(datagram, bit):
    at = bit // 8 % len(datagram)
    return byte_set(datagram, at, datagram[at] ^ 1 << bit % 8)


def changed(change, frame, number, key):
    """None: this one is not of use."""
    datagram = frame[PAYLOAD:]
    if change == "reflected":
        return frame_of(frame, datagram, frame[ETHER + 16:ETHER + 20],
                        frame[ETHER + 12:ETHER + 16], frame[6:12])
    if change == "elsewhere":
        return frame_of(frame, datagram, frame[ETHER + 12:ETHER + 15] + b"\x63")
    if change in ("type", "value"):
        if port_of(frame) != MESSAGES:
            return None
        at, value = (5, 63) if change == "type" else (HEADER, 9)
        datagram = signed(byte_set(datagram, at, value), key)
    elif change == "truncated":
        datagram = datagram[:number * 13 % len(datagram)]
    elif change == "overlong":
        datagram += bytes(1 + number % 100)
    elif change == "flipped":
        datagram = flipped(datagram, number * 37 + 5)
    elif change == "resigned":
        datagram = signed(datagram, bytes(range(32)))
    elif change in FIELDS:
        datagram = flipped(datagram, FIELDS[change] * 8 + 1)
    return frame_of(frame, datagram)


def main():
    with open(sys.argv[1], encoding="ascii") as f:
        key = bytes.fromhex(f.readline().split()[1].removeprefix("hex:"))
    for argument in sys.argv[3:]:
        name, path = argument.split("=")
        found = list(frames(path))
        for change in CHANGES:
            out = [changed(change, frame, number, key) for number, frame in enumerate(found)]
            if change == "reversed":
                out.reverse()
            with open(f"{sys.argv[2]}/{change}.{name}", "w", encoding="ascii") as f:
                f.writelines(frame.hex() + "\n" for frame in out if frame)


main()
