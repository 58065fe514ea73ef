/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_LINK_RESERVE_H
#define PLVS_LINK_RESERVE_H

/*
 * net.ipv4.ip_local_reserved_ports of the thread's namespace: ports that Linux gives to
 * nobody by itself. Ports that are listed already stay. Context: link.
 */

#include <stdint.h>

#define RESERVE_LEN 4096

struct reserve {
	char before[RESERVE_LEN]; /* as found; only with ours */
	char ours[RESERVE_LEN];	  /* as Linux shows it since; "": nothing was changed */
};

/* Adds ports first to last; 0: none. Failures are logged: checks work all the same. */
void reserve_ports(struct reserve *r, uint16_t first, uint16_t last);
/* As it was before, unless somebody else has changed it since. */
void reserve_undo(struct reserve *r);

#endif
