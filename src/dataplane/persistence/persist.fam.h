/* SPDX-License-Identifier: BSD-3-Clause */

/* The part of persist.h that is compiled once for each address family. */

/*
 * Finds the server of a packet's client, on any worker. 0 with *out; or
 *   -ENOENT       no server is available
 *   -ENOSPC       no room for a template
 *   -EBADMSG      no Call-ID, which the service's persistence needs
 *   -EINPROGRESS  the packet has left, on its way to its home
 */
int FAM_FN(persist, choose)(struct worker *w, const struct service_match *match, struct FAM(pkt) *p,
			    struct persist_choice *out);

/* The worker whose table has the templates of a client's network. */
unsigned int FAM_FN(persist, home)(const struct worker *w, const struct service *svc,
				   FAM_ADDR client);
/* At home: the template of a packet's client, or NULL. The packet has its L4 header. */
struct FAM(conn) *FAM_FN(persist, find)(const struct worker *w, const struct service_match *match,
					const struct FAM(pkt) *p);

/* Hands a later fragment without a connection off to the home as well, so that the fragment comes
 * back after its first one. False: this worker is the home, or the fragment has been there. */
bool FAM_FN(persist, follow)(struct worker *w, const struct service_match *match,
			     struct FAM(pkt) *p);

/* Takes packets that other workers sent home (HANDOFF_HOME): decides and sends them back. */
void FAM_FN(persist, receive)(struct worker *w, struct FAM(burst) *b);
/* Packets with a decision (HANDOFF_DECIDED), back at their connection's owner. */
void FAM_FN(persist, back)(struct worker *w, struct FAM(burst) *b);
