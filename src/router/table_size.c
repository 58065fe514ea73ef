/* SPDX-License-Identifier: BSD-3-Clause */
#include "router/table_size.h"

#define CONNECTION_MEMORY 8192UL /* bytes of the machine for each */
#define CONNECTIONS_LEAST 1000000UL
#define CONNECTIONS_MOST  16000000UL

uint64_t table_size_default(uint64_t memory)
{
	const uint64_t n = memory / CONNECTION_MEMORY;

	if (n < CONNECTIONS_LEAST)
		return CONNECTIONS_LEAST;
	return n > CONNECTIONS_MOST ? CONNECTIONS_MOST : n;
}
