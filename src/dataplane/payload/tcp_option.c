/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/payload/payload.h"

#include <string.h>

#include "base/csum.h"

void payload_word_put(struct rte_tcp_hdr *tcp, uint8_t *at, uint32_t value)
{
	const be32 to = be32_from(value);
	be32 from;
	uint16_t delta;

	memcpy(&from, at, 4);
	delta = csum_delta32(from, to);
	if ((at - (uint8_t *)tcp) & 1) /* across the words of the checksum */
		delta = (uint16_t)(delta << 8 | delta >> 8);
	tcp->cksum = csum_apply(tcp->cksum, delta);
	memcpy(at, &to, 4);
}

uint8_t *tcp_option_next(uint8_t **at, const uint8_t *end, uint8_t *len)
{
	uint8_t *o = *at;

	while (o < end && *o == TCP_OPTION_NOP)
		o++;
	if (end - o < 2 || *o == TCP_OPTION_END || o[1] < 2 || o[1] > end - o)
		return NULL;
	*len = o[1];
	*at = o + o[1];
	return o;
}
