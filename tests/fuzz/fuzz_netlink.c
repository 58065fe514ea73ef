/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <libmnl/libmnl.h>

#include "link/mirror.h"
#include "link/nlparse.h"

/*
 * Answers of netlink, as one buffer of messages: parsed and put into the mirror, which lives
 * on from message to message. The routes that workers would get are built in the end.
 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int fact)
{
	if (!fact)
		abort();
}

/* Of a family's addresses. */
static uint8_t bits(const struct addr *a)
{
	return a->family == ADDR_V6 ? 128 : 32;
}

static void message(struct mirror *m, const struct nlmsghdr *nlh)
{
	struct nl_event ev;
	link_id link;
	int ret = nl_parse(nlh, &ev);

	must(ret == 1 || ret == 0 || ret < 0);
	if (ret != 1)
		return;
	if (ev.kind == NL_LINK)
		must(memchr(ev.link.name, 0, sizeof(ev.link.name)) != NULL);
	if (ev.kind == NL_ADDR)
		must(ev.addr.len <= bits(&ev.addr.addr));
	if (ev.kind == NL_ROUTE)
		must(ev.route.dest.len <= bits(&ev.route.dest.addr));
	mirror_apply(m, &ev, &link);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* Aligned, and of its own size, so that a read past it is seen. */
	uint8_t *copy = malloc(size ? size : 1);
	struct nlmsghdr *nlh = (struct nlmsghdr *)copy;
	int left = (int)size;
	struct mirror m;
	struct fib *fib;
	uint32_t n;

	must(copy != NULL && mirror_init(&m, 2) == 0);
	memcpy(copy, data, size);
	mirror_set_tap(&m, link_id_of(0, 0), 4);
	mirror_set_tap(&m, link_id_of(1, 0), 5);
	for (; nl_message_ok(nlh, left); nlh = mnl_nlmsg_next(nlh, &left)) {
		/* The contract: its aligned length may be read. */
		if ((int)MNL_ALIGN(nlh->nlmsg_len) > left)
			break;
		message(&m, nlh);
	}
	fib = mirror_build(&m, &n, NULL);
	must(fib != NULL);
	fib_destroy(fib);
	mirror_fini(&m);
	free(copy);
	return 0;
}
