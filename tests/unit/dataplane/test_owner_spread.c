/* SPDX-License-Identifier: BSD-3-Clause */
/* Connections of few addresses spread over workers by their ports. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "dataplane/owner.h"
#include "model/limits.h"

#define FIRST_PORT 1024U
#define PORTS	   (65536U - FIRST_PORT)

static unsigned int of_worker[MAX_WORKERS];

/* The busiest worker's connections over the mean, in per cent. */
static unsigned int busiest(unsigned int n_workers, unsigned int all)
{
	unsigned int most = 0;

	for (unsigned int i = 0; i < n_workers; i++)
		most = of_worker[i] > most ? of_worker[i] : most;
	return most * 100 / (all / n_workers);
}

/* A gateway: one address, each of its ports a client. */
static void the_ports_of_one_address_spread_evenly(void **state)
{
	struct owner_map map;

	(void)state;
	for (unsigned int n = 1; n <= MAX_WORKERS; n *= 2) {
		owner_map_init(&map, n);
		for (uint32_t gateway = 0; gateway < 64; gateway++) {
			const be32 addr = be32_from(0xcb007100U + gateway * 0x10307U);

			memset(of_worker, 0, sizeof(of_worker));
			for (unsigned int port = FIRST_PORT; port <= UINT16_MAX; port++)
				of_worker[owner4(&map, addr, be16_from((uint16_t)port))]++;
			assert_in_range(busiest(n, PORTS), 100, 102);
		}
	}
}

/* The ports that Linux gives to connections one after the other: even ones. */
static void even_ports_of_one_address_spread_evenly(void **state)
{
	struct owner_map map;

	(void)state;
	owner_map_init(&map, MAX_WORKERS);
	memset(of_worker, 0, sizeof(of_worker));
	for (unsigned int port = 32768; port < 61000; port += 2)
		of_worker[owner4(&map, be32_from(0xcb007107U), be16_from((uint16_t)port))]++;
	assert_in_range(busiest(MAX_WORKERS, (61000 - 32768) / 2), 100, 110);
}

static int owner_start(void **state)
{
	(void)state;
	owner_init();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_ports_of_one_address_spread_evenly),
		cmocka_unit_test(even_ports_of_one_address_spread_evenly),
	};

	return cmocka_run_group_tests(tests, owner_start, NULL);
}
