#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Starves an AF_XDP port: starve.py PID N

Overwrites every entry of the fill ring of the N-th AF_XDP socket of a process (by inode, from 0)
with an address outside of its umem. The kernel swallows such entries, so the port receives
nothing from then on: what happened to plvs when the driver registered too small a umem.
"""
import re
import struct
import sys

FILL_RING = 0x100000000  # XDP_UMEM_PGOFF_FILL_RING
DESCRIPTORS = 320  # offset of the first one in a ring, on machines with 64-byte cache lines

pid, number = sys.argv[1], int(sys.argv[2])
rings = {}
with open(f"/proc/{pid}/maps") as maps:
    for line in maps:
        m = re.match(r"([0-9a-f]+)-([0-9a-f]+) \S+ ([0-9a-f]+) \S+ (\d+) +(.*)", line)
        if m and "socket:[" in m[5] and int(m[3], 16) == FILL_RING:
            rings[int(m[4])] = (int(m[1], 16), int(m[2], 16))
begin, end = rings[sorted(rings)[number]]
n = (end - begin - DESCRIPTORS) // 8
with open(f"/proc/{pid}/mem", "r+b", buffering=0) as mem:
    mem.seek(begin + DESCRIPTORS)
    mem.write(struct.pack("<Q", 0x0000FFFFFFFFF000) * n)
