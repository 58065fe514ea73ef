/* SPDX-License-Identifier: BSD-3-Clause */

/* The part of resolve.h that is compiled once for each address family. */

/* For a new NAT connection, or one that the peer has: has the client's next hop asked for now,
 * so that the first answer does not wait. */
void FAM(resolve_ahead)(struct worker *w, struct FAM(conn) *c);
