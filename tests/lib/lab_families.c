/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/lab_families.h"

int lab_families_open(void **state, uint64_t max_connections)
{
	const link_id client_side = link_id_of(0, 0), server_side = link_id_of(1, 0);

	if (lab_open(state, max_connections, false) < 0)
		return -1;
	world_route(&h, "::/0", client_side, NULL);
	world_route(&h, "2001:db8:10::/48", server_side, NULL);
	world_own(&h, "2001:db8:c::fe", client_side);
	world_own(&h, ROUTER6, server_side);
	world_neighbour(&h, client_side, CLIENT6, "02:06:00:00:00:01");
	world_neighbour(&h, server_side, SERVER6, "02:06:00:00:00:02");
	return 0;
}

int lab_families_pools(const char *local4, const char *local6)
{
	const link_id server_side = link_id_of(1, 0);

	return world_pool(&h, local4, server_side) < 0 || world_pool(&h, local6, server_side) < 0
		       ? -1
		       : 0;
}

struct packet lab_take(unsigned int port)
{
	struct packet p = {0};

	assert_true(lab_got(port, &p));
	assert_false(p.bad_ip || p.bad_l4);
	return p;
}

struct packet lab_answer(const struct packet *got, uint8_t flags)
{
	return (struct packet){.v6 = got->v6,
			       .saddr = got->daddr,
			       .daddr = got->saddr,
			       .saddr6 = got->daddr6,
			       .daddr6 = got->saddr6,
			       .sport = got->dport,
			       .dport = got->sport,
			       .proto = got->proto,
			       .tcp_flags = flags};
}
