/* SPDX-License-Identifier: BSD-3-Clause */

/* The part of ftp_port.h that is compiled once for each address family. */

/* A data connection from server:dport to a local port. */
struct FAM(ftp_end) {
	FAM_ADDR local, server;
	be16 lport, dport;
	uint8_t step; /* of the client's endpoint */
};

/* Chooses end->lport, a port of end->step that is free, for `seconds`. False: none was found. */
bool FAM_FN(ftp_port, choose)(struct worker *w, struct FAM(ftp_end) *end, uint32_t seconds);
/* The port is not chosen again for `seconds`. */
void FAM_FN(ftp_port, hold)(struct worker *w, const struct FAM(ftp_end) *end, uint32_t seconds);
/* A data connection from this end was made; it ends. */
void FAM_FN(ftp_port, taken)(struct worker *w, const struct FAM(local_end) *end);
void FAM_FN(ftp_port, released)(struct worker *w, const struct FAM(local_end) *end);
