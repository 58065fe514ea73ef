/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_PAGES_H
#define PLVS_DATAPLANE_PAGES_H

/*
 * Zeroed memory for the big tables: anonymous, on a NUMA node, huge pages advised
 * (transparent ones do as well as hugetlbfs here and need no set-up). Control context.
 */

#include <stddef.h>

/* socket -1: any node. NULL: no memory. */
void *pages_alloc(size_t bytes, int socket);
/* NULL is allowed. bytes as given to pages_alloc(). */
void pages_free(void *p, size_t bytes);

/* Requests small pages for memory of pages_alloc() that is used sparsely, so that the first touch
 * clears 4 KiB and not 2 MiB. */
void pages_sparse(void *p, size_t bytes);

#endif
