/* SPDX-License-Identifier: BSD-3-Clause */

/* The part of translated_error.h that is compiled once for each address family: that of the error
 * before. */

/* Translates p, which is PKT_RELATED, into an error of the other family from ends->source to
 * ends->dest, about a packet that went the other way. Sets l3, l3_len and l4_off; the caller writes
 * the Ethernet header. back_mtu: translate.h. DROP_MAX, or the reason to drop the error. */
enum drop_reason FAM_FN(translated_error, make)(struct worker *w, struct FAM(pkt) *p,
						const struct OTHER_FAM(new_ends) * ends,
						uint16_t back_mtu);
