/* SPDX-License-Identifier: BSD-3-Clause */

/* The part of translated_error.h that is compiled once for each address family: that of the error
 * as it came. */

/* The frame of p, which is PKT_RELATED, becomes an error of the other family from ends->source to
 * ends->dest, about a packet that went the other way; l3, l3_len and l4_off are those of the new
 * packet, and its Ethernet header is to be written. back_mtu: translate.h. DROP_MAX, or the reason
 * why nobody is told. */
enum drop_reason FAM_FN(translated_error, make)(struct worker *w, struct FAM(pkt) *p,
						const struct OTHER_FAM(new_ends) * ends,
						uint16_t back_mtu);
