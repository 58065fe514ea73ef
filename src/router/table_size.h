/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_ROUTER_TABLE_SIZE_H
#define PLVS_ROUTER_TABLE_SIZE_H

/* The size of the connection table where the configuration has no number: docs/sizing.md. */

#include <stdint.h>

/* Connections of each address family on a machine with `memory` bytes. */
uint64_t table_size_default(uint64_t memory);

#endif
