/* SPDX-License-Identifier: BSD-3-Clause */
/* Template of mark.h. */

/* The properties of a packet that a rule compares. */
struct FAM(mark_key) {
	FAM_ADDR saddr, daddr;
	link_id link;
	be16 sport, dport;
	uint8_t proto;
};

/* A prefix of destinations, and the service that its rule leads to. */
struct FAM(mark_cover_entry) {
	FAM_ADDR addr;
	uint8_t len;
	bool lingering; /* no rule leads to the service any more; connections may be left */
	uint32_t service_id;
};

/* The destinations that a rule whose mark has a service can match. Steering asks the cover before
 * any classification. */
struct FAM(mark_cover) {
	uint32_t refs;	      /* control only */
	uint32_t n, n_linger; /* entries; those that linger */
	struct FAM(fib) *fib;
	struct FAM(mark_cover_entry) entries[]; /* control only; in order, each once */
};

/*
 * The cover of the rules that apply to the family. Entries of the cover before that the rules do
 * not have any more linger: connections that came by a rule outlive the rule and its service.
 * before may be NULL. NULL with errno 0: nothing is covered; with ENOMEM: no memory.
 */
struct FAM(mark_cover) *FAM_FN(mark_cover, create)(const struct mark_rule *rules, uint32_t n,
						   const struct FAM(listener_table) *services,
						   const struct FAM(mark_cover) *before);
/* A copy without the lingering entries of services that are not busy[id], in *out (NULL: no entry
 * is left). 1, 0 (all entries stay: no copy is made) or -ENOMEM. */
int FAM_FN(mark_cover, trim)(const struct FAM(mark_cover) *c, const uint8_t *busy,
			     struct FAM(mark_cover) **out);
void FAM_FN(mark_cover, put)(struct FAM(mark_cover) *c); /* NULL is allowed */
bool FAM_FN(mark_cover, has)(const struct FAM(mark_cover) *c, FAM_ADDR dest);
