#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""inside.py router|spawner|telnet|session PID: makes every thread of a running process try what it may not, as an
attacker inside of it would. The thread is stopped by ptrace, its registers are set to a system call,
one instruction runs, and the registers are put back, so that the program goes on as if nothing was. Ends
with 1 if a call is not refused by EPERM, or by ENOSYS, which the C library takes as "use clone instead".
Each call is harmless where it is not refused."""
import ctypes
import errno
import os
import platform
import signal
import sys

ATTACH, DETACH, SINGLESTEP, GETREGS, SETREGS = 16, 17, 9, 12, 13
WALL = 0x40000000
NAMES = ("r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx rdx rsi rdi orig_rax rip cs eflags rsp ss "
         "fs_base gs_base ds es fs gs").split()
AF_PACKET, AF_ALG = 17, 38

# What, number of the call, arguments.
EVERYBODY = [
    ("a module", 175, [0, 0, 0]),
    ("a reboot", 169, [0, 0, 0, 0]),
    ("I/O ports", 172, [3]),
]
ROUTER = EVERYBODY + [
    ("a program", 59, [0, 0, 0]),
    ("a process", 56, [0x800 | signal.SIGCHLD, 0, 0, 0, 0]),
    ("a process by clone3", 435, [0, 0]),
    ("a namespace", 272, [0]),
    ("another namespace", 308, [2 ** 64 - 1, 0]),
    ("an end of a mount", 166, [0, 0]),
    ("another root", 161, [0]),
    ("root", 117, [0, 0, 0]),
    ("groups", 116, [0, 0]),
    ("the memory of a process", 310, [1, 0, 0, 0, 0, 0]),
    ("ptrace", 101, [16, 1, 0, 0]),
    ("the clock", 164, [0, 0]),
    ("io_uring", 425, [0, 0]),
    ("keys", 250, [0, 0, 0, 0, 0]),
    ("perf events", 298, [0, 0, 0, 0, 0]),
    ("a socket of AF_ALG", 41, [AF_ALG, 5, 0]),
]
WITHOUT_RIGHTS = EVERYBODY + [
    ("a packet socket", 41, [AF_PACKET, 3, 0]),
]
TELNET = WITHOUT_RIGHTS + [
    ("root", 117, [0, 0, 0]),
    ("a namespace", 272, [0x40000000]),
]
SESSION = TELNET + [
    ("a Unix socket", 41, [1, 1, 0]),
    ("a TCP socket", 41, [2, 1, 0]),
    ("a pair of sockets", 53, [1, 1, 0, 0]),
    ("a connection", 42, [3, 0, 0]),
    ("ptrace", 101, [16, 1, 0, 0]),
    ("the memory of a process", 310, [1, 0, 0, 0, 0, 0]),
    ("a descriptor of a process", 438, [3, 0, 0]),
    ("io_uring", 425, [1, 0]),
]
KINDS = {"router": ROUTER, "spawner": WITHOUT_RIGHTS, "telnet": TELNET, "session": SESSION}


class Regs(ctypes.Structure):
    _fields_ = [(n, ctypes.c_ulonglong) for n in NAMES]


libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
libc.ptrace.restype = ctypes.c_long


def ptrace(request, tid, data=None):
    if libc.ptrace(request, tid, None, data) == -1:
        e = ctypes.get_errno()
        raise OSError(e, "ptrace(%d) of %d: %s" % (request, tid, os.strerror(e)))


def instruction(pid):
    """The address of a syscall instruction in the process: libc has many."""
    with open("/proc/%d/maps" % pid) as maps, open("/proc/%d/mem" % pid, "rb") as mem:
        for line in maps:
            words = line.split()
            if len(words) > 5 and "r-xp" in words[1] and "libc.so" in words[5]:
                begin, end = (int(x, 16) for x in words[0].split("-"))
                mem.seek(begin)
                at = mem.read(end - begin).find(b"\x0f\x05")
                if at >= 0:
                    return begin + at
    sys.exit("inside: %d has no libc" % pid)


def stopped(tid):
    """Waits for a stop of the thread; None if it has ended. Other signals than ours are dropped."""
    _, status = os.waitpid(tid, WALL)
    return os.WSTOPSIG(status) if os.WIFSTOPPED(status) else None


def call(tid, at, number, arguments):
    before, regs = Regs(), Regs()
    ptrace(GETREGS, tid, ctypes.byref(before))
    ctypes.memmove(ctypes.byref(regs), ctypes.byref(before), ctypes.sizeof(regs))
    regs.rip, regs.rax, regs.orig_rax = at, number, 2 ** 64 - 1
    for name, value in zip(("rdi", "rsi", "rdx", "r10", "r8", "r9"), arguments):
        setattr(regs, name, value)
    ptrace(SETREGS, tid, ctypes.byref(regs))
    ptrace(SINGLESTEP, tid)
    stopped(tid)
    ptrace(GETREGS, tid, ctypes.byref(regs))
    ptrace(SETREGS, tid, ctypes.byref(before))
    return ctypes.c_long(regs.rax).value


def main():
    if platform.machine() != "x86_64":
        print("skipped: system calls are set for x86_64")
        return 0
    kind, pid = sys.argv[1], int(sys.argv[2])
    at, bad, threads = instruction(pid), [], 0
    for tid in sorted(int(t) for t in os.listdir("/proc/%d/task" % pid)):
        ptrace(ATTACH, tid)
        if stopped(tid) is None:
            continue
        with open("/proc/%d/task/%d/comm" % (pid, tid)) as f:
            name = f.read().strip()
        threads += 1
        for what, number, arguments in KINDS[kind]:
            got = call(tid, at, number, arguments)
            if got not in (-errno.EPERM, -errno.ENOSYS):
                bad.append("%s of thread %s is not refused: %d" % (what, name, got))
        ptrace(DETACH, tid)
    for line in bad:
        print(line)
    print("%s: %d threads tried %d forbidden calls each" % (kind, threads, len(KINDS[kind])))
    return 1 if bad else 0


signal.signal(signal.SIGCHLD, signal.SIG_DFL)
sys.exit(main())
