/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_LINK_VIPS_H
#define PLVS_LINK_VIPS_H

/*
 * Addresses that plvs puts on TAPs: active VIPs and gateways. The wanted addresses are compared
 * with those of the mirror, so that one mechanism covers a crash, changes by an administrator, and
 * a new TAP. Link thread.
 */

#include <stdbool.h>

#include "link/link.h"
#include "link/mirror.h"
#include "link/nlreq.h"

struct vip_task;

struct vips {
	struct mirror *mirror;
	struct nlreq *req;
	struct link_counters *counters;
	struct link_address *list;
	uint32_t n;
	struct hash_table by_addr; /* of list, without prefixes */
	struct link_address *gone; /* prefixes of earlier lists: their routes are removed */
	uint32_t n_gone;
	void *nodes;
	struct vip_task *tasks; /* changes to be made */
	uint32_t n_tasks, next, max_tasks;
	bool told;
	bool off; /* no address of the list is active on this router */
	/* A bit for each port whose interface Linux keeps. VIPs are not put on those: workers
	 * answer for them, and Linux would answer with RST when the router was killed. */
	uint32_t shared;
};

/* 0 or -ENOMEM. */
int vips_init(struct vips *v, struct mirror *mirror, struct nlreq *req,
	      struct link_counters *counters);
void vips_fini(struct vips *v);
/* Takes the list over (malloc). 0 or -ENOMEM (then the old list stays, the new is freed). */
int vips_set(struct vips *v, struct link_address *list, uint32_t n);
/* Makes the list of changes. 0 or -ENOMEM. */
int vips_plan(struct vips *v);
/* Makes up to budget changes. True: there are more. */
bool vips_work(struct vips *v, uint32_t budget);
/* True: the presence (or with gone the absence) of an address contradicts the list. */
bool vips_contradicts(const struct vips *v, const struct addr *addr, uint8_t proto, bool gone);

#endif
