/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <seccomp.h>
#include <sys/prctl.h>

#include "telnet/telnetd.h"

#define CALL(name) SCMP_SYS(name)

/* The ways to another socket, to another process's memory, and around this filter. A process that
 * has no descriptor of a socket of the router can get none. */
static const int refused[] = {
	CALL(socket),
	CALL(socketpair),
	CALL(connect),
	CALL(bind),
	CALL(listen),
	CALL(accept),
	CALL(accept4),
	CALL(ptrace),
	CALL(process_vm_readv),
	CALL(process_vm_writev),
	CALL(pidfd_open),
	CALL(pidfd_getfd),
	CALL(io_uring_setup),
	CALL(io_uring_enter),
	CALL(io_uring_register),
	CALL(userfaultfd),
	CALL(perf_event_open),
	CALL(bpf),
	CALL(keyctl),
	CALL(add_key),
	CALL(request_key),
	CALL(unshare),
	CALL(setns),
	CALL(mount),
	CALL(open_by_handle_at),
	CALL(name_to_handle_at),
};

int telnet_filter_enter(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	int ret = filter ? 0 : -ENOMEM;

	for (size_t i = 0; !ret && i < sizeof(refused) / sizeof(refused[0]); i++)
		ret = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), refused[i], 0);
	if (!ret && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		ret = -errno;
	if (!ret)
		ret = seccomp_load(filter);
	if (filter)
		seccomp_release(filter);
	return ret;
}
