/* SPDX-License-Identifier: BSD-3-Clause */

/* The part of persist.h that is compiled once for each address family. */

/*
 * The server of a packet's client, at whatever worker. 0 with *out; or
 *   -ENOENT       no server is available
 *   -ENOSPC       no room for a template
 *   -EBADMSG      no Call-ID, and the service's persistence goes by it
 *   -EINPROGRESS  the packet has left, on its way to its home
 */
int FAM_FN(persist, choose)(struct worker *w, const struct service_match *match, struct FAM(pkt) *p,
			    struct persist_choice *out);

/* The worker whose table has the templates of a client's network. */
unsigned int FAM_FN(persist, home)(const struct worker *w, const struct service *svc,
				   FAM_ADDR client);
/* At home: the template of a packet's client, or NULL. The packet has its headers. */
struct FAM(conn) *FAM_FN(persist, find)(const struct worker *w, const struct service_match *match,
					const struct FAM(pkt) *p);

/* Hands a fragment that follows such a packet, and has no connection yet, the same way to its home,
 * so that the fragment comes back after the packet. False: this worker is the home, or the fragment
 * has been there. */
bool FAM_FN(persist, follow)(struct worker *w, const struct service_match *match,
			     struct FAM(pkt) *p);

/* Packets that other workers sent home (HANDOFF_HOME): decided and sent back. */
void FAM_FN(persist, receive)(struct worker *w, struct FAM(burst) *b);
/* Packets with a decision (HANDOFF_DECIDED), back at their connection's owner. */
void FAM_FN(persist, back)(struct worker *w, struct FAM(burst) *b);
