/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_PAYLOAD_PAYLOAD_H
#define PLVS_DATAPLANE_PAYLOAD_PAYLOAD_H

/* Changes of the payload of TCP segments, with its length and sequence numbers: for FTP (ftp/ftp.h)
 * and for headers with the client's address (proxy/proxy.h). Worker context. */

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <rte_tcp.h>

#include "dataplane/worker.h"

#define TCP_OPTION_END	0U
#define TCP_OPTION_NOP	1U
#define TCP_OPTION_MSS	2U
#define TCP_OPTION_SACK 5U

/* Writes a word of a TCP header and updates the checksum. */
void payload_word_put(struct rte_tcp_hdr *tcp, uint8_t *at, uint32_t value);

static inline uint16_t payload_half_at(const uint8_t *at)
{
	be16 half;

	memcpy(&half, at, sizeof(half));
	return be16_to(half);
}

/* Does not update the checksum. */
static inline void payload_half_put(uint8_t *at, uint16_t value)
{
	const be16 half = be16_from(value);

	memcpy(at, &half, sizeof(half));
}

/* The next option of a TCP header between `at` and end, from *at on; *len is its length. NULL: no
 * more options, or an option that does not fit. */
uint8_t *tcp_option_next(uint8_t **at, const uint8_t *end, uint8_t *len);

#define FAM_TEMPLATE "dataplane/payload/payload.fam.h"
#include "base/both_families.h"

#endif
