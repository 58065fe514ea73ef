/* SPDX-License-Identifier: BSD-3-Clause */

/* The part of ftp_control.h that is compiled once for each address family. */

struct ftp_control *FAM_FN(ftp_control, find)(struct worker *w, const struct FAM(conn) *c);
/* NULL: the handshake is not over, or there is no room (counted). */
struct ftp_control *FAM_FN(ftp_control, new)(struct worker *w, const struct FAM(conn) *c);

/* Expects a data connection from now on, in place of an earlier one. False: no room (counted). */
bool FAM_FN(ftp, announce)(struct worker *w, struct ftp_control *fc, const struct FAM(conn) *c,
			   const struct ftp_data *data, uint32_t seconds);

/* --- ftp_client.c, ftp_read.c --- */

/* Read the payload, which may be empty, of a client's and of a server's segment. The server's may
 * be rewritten, with its length, and by full NAT the client's. */
void FAM_FN(ftp_read, client)(struct worker *w, struct ftp_control *fc, struct FAM(pkt) *p);
void FAM_FN(ftp_read, server)(struct worker *w, struct ftp_control *fc, struct FAM(pkt) *p);

/* --- ftp_edit.c --- */

/* A segment that is read, and may be changed. Sequence numbers are those of each end itself. */
struct FAM(ftp_edit) {
	struct FAM(pkt) *p;
	uint32_t seq;	/* of its payload */
	uint32_t ack;	/* of the other end's bytes */
	uint32_t start; /* of the line at hand, in the payload */
	int32_t grown;	/* bytes by which lines before it have grown */
	bool changed;	/* FAM_FN(ftp_edit, done)() has to be called */
	bool rewritten; /* a line was rewritten */
};

/* The sequence number of the line at hand. */
static inline uint32_t FAM_FN(ftp_edit, line)(const struct FAM(ftp_edit) *a)
{
	return a->seq + a->start - (uint32_t)a->grown;
}

/* Puts text in the place of len bytes from `at` of the line at hand on, and moves the numbers
 * behind the line. Returns the growth of the text. */
int32_t FAM_FN(ftp_edit, replace)(struct worker *w, struct ftp_control *fc, struct FAM(ftp_edit) *a,
				  uint16_t at, uint16_t len, const char *text, size_t n);
/* Cuts the segment at `at`; its sender will retransmit the bytes from there. False: the bytes were
 * held back too often, or the segment has a FIN. */
bool FAM_FN(ftp_edit, cut_back)(struct ftp_control *fc, struct FAM(ftp_edit) *a, uint32_t at,
				uint32_t len);
/* Puts bytes that were held back before the bytes that follow them. */
bool FAM_FN(ftp_edit, join)(struct ftp_control *fc, struct FAM(ftp_edit) *a);
/* had: the length of the packet at its arrival. */
void FAM_FN(ftp_edit, done)(const struct FAM(ftp_edit) *a, uint16_t had);

/* --- ftp_seq.c --- */

/* The acknowledgement of a segment, in the other end's own numbers. Without ACK: the next byte of
 * that end to be read. */
uint32_t FAM_FN(ftp, acked)(const struct FAM(pkt) *p, const struct ftp_control *fc);
/* Adjusts the sequence number and the acknowledgements of a segment. */
void FAM_FN(ftp, seq_adjust)(struct FAM(pkt) *p, const struct ftp_control *fc);
