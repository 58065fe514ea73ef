# SPDX-License-Identifier: BSD-3-Clause
"""advertisement.py MAC ADDRESS: a frame in hexadecimal by which MAC tells all nodes that it has
ADDRESS: an unsolicited neighbour advertisement with the override flag."""
import ipaddress
import struct
import sys

mac = bytes.fromhex(sys.argv[1].replace(":", ""))
address = ipaddress.ip_address(sys.argv[2]).packed
nodes = ipaddress.ip_address("ff02::1").packed
message = bytes([136, 0, 0, 0, 0x20, 0, 0, 0]) + address + bytes([2, 1]) + mac
pseudo = address + nodes + struct.pack(">II", len(message), 58) + message
total = sum(struct.unpack(">%dH" % (len(pseudo) // 2), pseudo))
while total >> 16:
    total = (total & 0xffff) + (total >> 16)
message = message[:2] + struct.pack(">H", ~total & 0xffff) + message[4:]
header = struct.pack(">IHBB", 0x60000000, len(message), 58, 255) + address + nodes
print((bytes.fromhex("333300000001") + mac + b"\x86\xdd" + header + message).hex())
