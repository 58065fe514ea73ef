/* SPDX-License-Identifier: BSD-3-Clause */
#include "router/syscall_filter.h"

#include <errno.h>
#include <linux/bpf.h>
#include <sched.h>
#include <stddef.h>
#include <sys/socket.h>

#include <seccomp.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

#define CALL(name) SCMP_SYS(name)

/* Calls of the C library, DPDK, libevent and ours while the router runs. Not here: programs and
 * processes (execve, fork), namespaces and mounts, users and capabilities, other processes'
 * memory, modules, time of day, keys, io_uring, userfaultfd. */
static const int calls[] = {
	/* descriptors and files */
	CALL(read),
	CALL(write),
	CALL(readv),
	CALL(writev),
	CALL(pread64),
	CALL(pwrite64),
	CALL(preadv),
	CALL(pwritev),
	CALL(preadv2),
	CALL(pwritev2),
	CALL(close),
	CALL(close_range),
	CALL(open),
	CALL(openat),
	CALL(openat2),
	CALL(stat),
	CALL(fstat),
	CALL(lstat),
	CALL(newfstatat),
	CALL(statx),
	CALL(statfs),
	CALL(fstatfs),
	CALL(access),
	CALL(faccessat),
	CALL(faccessat2),
	CALL(readlink),
	CALL(readlinkat),
	CALL(getdents64),
	CALL(getcwd),
	CALL(mkdir),
	CALL(mkdirat),
	CALL(rmdir),
	CALL(unlink),
	CALL(unlinkat),
	CALL(rename),
	CALL(renameat),
	CALL(renameat2),
	CALL(chmod),
	CALL(fchmod),
	CALL(fchmodat),
	CALL(chown),
	CALL(fchown),
	CALL(fchownat),
	CALL(lseek),
	CALL(ftruncate),
	CALL(fallocate),
	CALL(fsync),
	CALL(fdatasync),
	CALL(flock),
	CALL(fcntl),
	CALL(dup),
	CALL(dup2),
	CALL(dup3),
	CALL(pipe),
	CALL(pipe2),
	CALL(ioctl),
	CALL(umask),
	CALL(utimensat),
	CALL(sendfile),
	/* waiting */
	CALL(poll),
	CALL(ppoll),
	CALL(select),
	CALL(pselect6),
	CALL(epoll_create),
	CALL(epoll_create1),
	CALL(epoll_ctl),
	CALL(epoll_wait),
	CALL(epoll_pwait),
	CALL(epoll_pwait2),
	CALL(eventfd),
	CALL(eventfd2),
	CALL(signalfd4),
	CALL(timerfd_create),
	CALL(timerfd_settime),
	CALL(timerfd_gettime),
	CALL(inotify_init1),
	CALL(inotify_add_watch),
	CALL(inotify_rm_watch),
	CALL(nanosleep),
	CALL(clock_nanosleep),
	CALL(restart_syscall),
	CALL(wait4),
	CALL(waitid),
	/* memory */
	CALL(mmap),
	CALL(munmap),
	CALL(mprotect),
	CALL(mremap),
	CALL(madvise),
	CALL(mlock),
	CALL(mlock2),
	CALL(munlock),
	CALL(mlockall),
	CALL(munlockall),
	CALL(msync),
	CALL(brk),
	CALL(mincore),
	CALL(mbind),
	CALL(get_mempolicy),
	CALL(set_mempolicy),
	CALL(move_pages),
	CALL(memfd_create),
	CALL(membarrier),
	/* sockets; socket() below */
	CALL(socketpair),
	CALL(bind),
	CALL(listen),
	CALL(accept),
	CALL(accept4),
	CALL(connect),
	CALL(getsockname),
	CALL(getpeername),
	CALL(setsockopt),
	CALL(getsockopt),
	CALL(sendto),
	CALL(recvfrom),
	CALL(sendmsg),
	CALL(recvmsg),
	CALL(sendmmsg),
	CALL(recvmmsg),
	CALL(shutdown),
	/* threads; clone() below */
	CALL(set_robust_list),
	CALL(get_robust_list),
	CALL(rseq),
	CALL(futex),
	CALL(futex_waitv),
	CALL(set_tid_address),
	CALL(gettid),
	CALL(exit),
	CALL(exit_group),
	CALL(sched_yield),
	CALL(sched_setaffinity),
	CALL(sched_getaffinity),
	CALL(sched_setscheduler),
	CALL(sched_getscheduler),
	CALL(sched_setparam),
	CALL(sched_getparam),
	CALL(sched_setattr),
	CALL(sched_getattr),
	CALL(sched_get_priority_min),
	CALL(sched_get_priority_max),
	CALL(sched_rr_get_interval),
	CALL(getpriority),
	CALL(setpriority),
	CALL(getcpu),
	/* signals: kill() is bound by the user, who is root no more */
	CALL(rt_sigaction),
	CALL(rt_sigprocmask),
	CALL(rt_sigreturn),
	CALL(rt_sigtimedwait),
	CALL(rt_sigpending),
	CALL(rt_sigsuspend),
	CALL(rt_sigqueueinfo),
	CALL(sigaltstack),
	CALL(tgkill),
	CALL(kill),
	CALL(pidfd_open),
	CALL(pidfd_send_signal),
	CALL(alarm),
	CALL(setitimer),
	/* what one may ask */
	CALL(getpid),
	CALL(getppid),
	CALL(getuid),
	CALL(geteuid),
	CALL(getgid),
	CALL(getegid),
	CALL(getresuid),
	CALL(getresgid),
	CALL(getgroups),
	CALL(getpgrp),
	CALL(getpgid),
	CALL(getsid),
	CALL(capget),
	CALL(clock_gettime),
	CALL(clock_getres),
	CALL(gettimeofday),
	CALL(time),
	CALL(times),
	CALL(getrusage),
	CALL(sysinfo),
	CALL(uname),
	CALL(getrandom),
	CALL(getrlimit),
	CALL(prlimit64),
	CALL(prctl),
	CALL(arch_prctl),
};

static const int families[] = {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK, AF_PACKET, AF_XDP};

static int rules_add(scmp_filter_ctx filter, bool xdp)
{
	int rc = 0;

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]) && rc == 0; i++)
		rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i], 0);
	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]) && rc == 0; i++)
		rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, CALL(socket), 1,
				      SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)families[i]));
	/* Threads, no processes. glibc takes clone() where there is no clone3(), whose flags are
	 * in memory and not for a filter to see. */
	if (rc == 0)
		rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, CALL(clone), 1,
				      SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));
	if (rc == 0)
		rc = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), CALL(clone3), 0);
	/* A TAP that is made again needs a program (link/tap.c), an AF_XDP port maps as well. */
	if (rc == 0 && xdp)
		rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, CALL(bpf), 0);
	else if (rc == 0)
		rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, CALL(bpf), 1,
				      SCMP_A0(SCMP_CMP_EQ, BPF_PROG_LOAD));
	return rc;
}

int syscall_filter_load(bool xdp)
{
	scmp_filter_ctx filter;
	int rc;

	if (SANITIZED)
		return -ENOSYS;
	filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	if (!filter)
		return -ENOMEM;
	rc = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
	if (rc == 0)
		(void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_LOG, 1);
	/* A tree, not a list: calls are many, and workers of virtual ports make some. */
	if (rc == 0)
		(void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (rc == 0)
		rc = rules_add(filter, xdp);
	if (rc == 0)
		rc = seccomp_load(filter);
	seccomp_release(filter);
	return rc;
}
