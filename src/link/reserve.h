/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_LINK_RESERVE_H
#define PLVS_LINK_RESERVE_H

/*
 * net.ipv4.ip_local_reserved_ports of the thread's namespace: ports that Linux does not give to
 * sockets by itself. Ports that are listed already stay. Context: link.
 */

#include <stdint.h>

#define RESERVE_LEN 4096

struct reserve {
	char before[RESERVE_LEN]; /* as found; valid if `ours` is not empty */
	char ours[RESERVE_LEN];	  /* as Linux shows the list after the change; "": no change */
};

/* Adds ports first to last; 0: none. Failures are logged; checks work without the reservation. */
void reserve_ports(struct reserve *r, uint16_t first, uint16_t last);
/* Restores the list, unless another program has changed it since. */
void reserve_undo(struct reserve *r);

#endif
