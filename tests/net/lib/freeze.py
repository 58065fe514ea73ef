#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""freeze.py PID NAME: stops the thread of that name of a process, and no other thread, as a debugger
does (SIGSTOP would stop them all). Prints the thread's id, and waits until the process is gone."""
import ctypes
import os
import sys

PTRACE_SEIZE, PTRACE_INTERRUPT, WALL = 0x4206, 0x4207, 0x40000000

pid, name = int(sys.argv[1]), sys.argv[2]
for tid in map(int, os.listdir(f"/proc/{pid}/task")):
    with open(f"/proc/{pid}/task/{tid}/comm", encoding="ascii") as comm:
        if comm.read().strip() == name:
            break
else:
    sys.exit(f"no thread {name} in {pid}")
libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
for request in (PTRACE_SEIZE, PTRACE_INTERRUPT):
    if libc.ptrace(request, tid, None, None) != 0:
        sys.exit(f"ptrace: {os.strerror(ctypes.get_errno())}")
os.waitpid(tid, WALL)
print(tid, flush=True)
# The end of the process waits for whoever traces one of its threads.
while not os.WIFEXITED(status := os.waitpid(tid, WALL)[1]) and not os.WIFSIGNALED(status):
    pass
