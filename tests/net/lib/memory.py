#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""memory.py PID TEXT: prints how often a text is in the writable memory of a process."""
import sys

pid, text = sys.argv[1], sys.argv[2].encode()
found = 0
with open(f"/proc/{pid}/maps", encoding="ascii") as maps, open(f"/proc/{pid}/mem", "rb") as mem:
    for line in maps:
        words = line.split()
        if not words[1].startswith("rw") or words[-1] in ("[vvar]", "[vsyscall]"):
            continue
        begin, end = (int(x, 16) for x in words[0].split("-"))
        try:
            mem.seek(begin)
            found += mem.read(end - begin).count(text)
        except OSError:
            pass
print(found)
