/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_TESTS_NET_ORACLE_PACKETS_COMPARE_H
#define PLVS_TESTS_NET_ORACLE_PACKETS_COMPARE_H

/*
 * Packets of plvs and of tayga, byte by byte. Fields in which tayga follows RFC 6145, or has an own
 * way, where plvs follows RFC 7915:
 *  - IPv4, no fragment, at most 1260 bytes: RFC 7915, 5.1 clears DF and gives an identification;
 *    tayga sets DF, with identification 0.
 *  - the IPv4 header that an ICMP error quotes, for the same reason.
 * A datagram without a checksum is dropped by tayga. tayga drops atomic fragments (RFC 6946), which
 * are not compared.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct comparison {
	unsigned int n_compared, n_dropped, n_differ;
	unsigned int n_lacking; /* dropped by tayga alone, as it does */
};

/* IP packets; of length 0: dropped. lacks: tayga drops such a packet by a rule of its own. Prints a
 * line that begins with DIFFERS where the packets differ. */
void packets_compare(struct comparison *sum, const char *what, const uint8_t *ours, size_t n,
		     const uint8_t *theirs, size_t m, bool lacks);

#endif
