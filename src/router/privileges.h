/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_ROUTER_PRIVILEGES_H
#define PLVS_ROUTER_PRIVILEGES_H

/*
 * The rights of the router. The process starts as root, because ports, hugepages and namespaces
 * need that. When everything runs, every thread gives up the rights that it will not need again,
 * and no thread can get them back:
 *
 *	the user	root -> the user of --user
 *	capabilities	all -> those of privileges_left()
 *	execve()	gives no rights (no_new_privs)
 *	system calls	those of router/syscall_filter.c
 *
 * Linux keeps users and capabilities per thread, and EAL's threads start early. So each thread gets
 * a signal whose handler makes the calls, as glibc's setresuid() does. The filter is put on all
 * threads by the kernel (SECCOMP_FILTER_FLAG_TSYNC). Threads that start later inherit all.
 *
 * Context: main.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define PRIVILEGES_MAX_GROUPS 64

struct privileges {
	bool become; /* become the user below; else keep the process's user */
	uid_t uid;
	gid_t gid;
	int n_groups;
	gid_t groups[PRIVILEGES_MAX_GROUPS];
};

/* name: a user, or NULL to stay. 0; -ENOENT: there is no such user; -EPERM: only root becomes
 * another. */
int privileges_user(struct privileges *p, const char *name);

/* AF_XDP ports, which may be opened again, by the most rights that any of them needs. */
enum privileges_xdp {
	XDP_NONE,
	XDP_OF_FILE,   /* an XDP program is loaded from a file */
	XDP_OF_LIBXDP, /* libxdp chooses the program */
};

/* Capabilities that remain, a bit each. */
uint64_t privileges_left(enum privileges_xdp xdp);

/* Gives up all capabilities but `left`, in every thread of the process. 0; -ETIMEDOUT: a thread
 * does not answer; or -errno of a call. After an error threads may differ, and the process must
 * end. */
int privileges_drop(const struct privileges *p, uint64_t left);

#endif
