/* SPDX-License-Identifier: BSD-3-Clause */
#include "model/fib.h"

#include <errno.h>
#include <stdlib.h>

struct fib *fib_create(void)
{
	return calloc(1, sizeof(struct fib));
}

void fib_destroy(struct fib *fib)
{
	if (fib == NULL)
		return;
	fib4_destroy(fib->v4);
	fib6_destroy(fib->v6);
	for (unsigned int port = 0; port < MAX_PORTS; port++)
		free(fib->links[port]);
	free(fib->links_of);
	free(fib);
}

int fib_set_link(struct fib *fib, link_id link, const struct link_info *info)
{
	struct link_info **page;

	if (link >= LINK_MAX)
		return -EINVAL;
	page = &fib->links[link_port(link)];
	if (*page == NULL) {
		*page = calloc(4096, sizeof(**page));
		if (*page == NULL)
			return -ENOMEM;
	}
	(*page)[link_vlan(link)] = *info;
	return 0;
}
