/* SPDX-License-Identifier: BSD-3-Clause */
/* Template of owned_port.h. */

/* Control. The table of the snapshot's services, for snapshot_set_owned*(). NULL: no memory. */
struct FAM(listener_table) *FAM_FN(owned_ports, create)(const struct snapshot *s);

/* Control. The entries of these servers' ports in t, the table of an earlier snapshot, become those
 * of s. t is not published yet, and has room for twice n more. */
void FAM_FN(owned_ports, patch)(struct FAM(listener_table) *t, const struct snapshot *s,
				const struct runtime *rt, const struct endpoint *servers,
				uint32_t n);

/* Worker or any. The entry, or NULL. */
static inline const struct FAM(listener) *
FAM_FN(owned_port, find)(const struct snapshot *s, uint8_t proto, FAM_ADDR addr, be16 port)
{
	return s->FAM(owned) ? FAM_FN(listener_table, entry)(s->FAM(owned), proto, addr, port)
			     : NULL;
}
