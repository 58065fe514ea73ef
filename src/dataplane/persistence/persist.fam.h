/* SPDX-License-Identifier: BSD-3-Clause */

/* One family's part of persist.h. */

/*
 * The server of a packet's client, at whatever worker. 0 with *out; or
 *   -ENOENT       no server is available
 *   -ENOSPC       no room for a template
 *   -EINPROGRESS  the packet is on its way home: it has left
 */
int FAM_FN(persist, choose)(struct worker *w, const struct service_match *match, struct FAM(pkt) *p,
			    struct persist_choice *out);

/* The worker whose table has the templates of a client's network. */
unsigned int FAM_FN(persist, home)(const struct worker *w, const struct service *svc,
				   FAM_ADDR client);
/* At home: the template of a packet's client, or NULL. */
struct FAM(conn) *FAM_FN(persist, find)(const struct worker *w, const struct service_match *match,
					const struct FAM(key) *k);

/* A fragment behind such a packet, which has no connection yet: goes the same way, so that it
 * comes back after it. False: it need not, or it has been there. */
bool FAM_FN(persist, follow)(struct worker *w, const struct service_match *match,
			     struct FAM(pkt) *p);

/* Packets that other workers sent home (HANDOFF_HOME): decided and sent back. */
void FAM_FN(persist, receive)(struct worker *w, struct FAM(burst) *b);
/* Packets with a decision (HANDOFF_DECIDED), back at their connection's owner. */
void FAM_FN(persist, back)(struct worker *w, struct FAM(burst) *b);
