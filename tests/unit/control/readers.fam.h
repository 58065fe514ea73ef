/* SPDX-License-Identifier: BSD-3-Clause */
/* Template of readers.h: the tables of one family. */

static inline void FAM_FN(tables, text)(FILE *out, const struct snapshot *s)
{
	for (uint32_t i = 0; s->FAM(owned) &&i <= s->FAM(owned)->mask; i++) {
		const struct FAM(listener) *l = &s->FAM(owned)->slots[i];

		if (l->proto) {
			fprintf(out, "owned");
			HEX(out, l->addr);
			fprintf(out, " %x %u %x of %s\n", l->port, l->proto, l->flags,
				s->services[l->service_id]->rt->key);
		}
	}
	for (uint32_t i = 0; i <= s->FAM(addrs)->mask; i++) {
		struct FAM(addr_entry) e = s->FAM(addrs)->slots[i];

		/* Lingering addresses are run-time state: they depend on configurations of before.
		 */
		e.kinds &= ~ADDR_KIND_LINGERING;
		if (e.kinds) {
			fprintf(out, "address");
			HEX(out, e);
			fprintf(out, "\n");
		}
	}
	for (uint32_t i = 0; i <= s->FAM(listeners)->mask; i++) {
		const struct FAM(listener) *l = &s->FAM(listeners)->slots[i];

		if (l->proto) {
			fprintf(out, "listener");
			HEX(out, l->addr);
			fprintf(out, " %x %u of %s\n", l->port, l->proto,
				s->services[l->service_id]->rt->key);
		}
	}
}
