/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/ftp/ftp_dialog.h"

#include <string.h>

#define CODE_PRELIMINARY_END 200
#define CODE_READY	     220 /* the greeting: no command asked for it */
#define CODE_CLOSING	     421
#define CODE_PASV	     227
#define CODE_EPSV	     229

static void queue_take(struct ftp_dialog *d, unsigned int n)
{
	memmove(d->queue, d->queue + n, (d->n - n) * sizeof(d->queue[0]));
	d->n = (uint8_t)(d->n - n);
}

void ftp_dialog_command(struct ftp_dialog *d, enum ftp_verb verb, uint32_t end)
{
	if (d->n == FTP_COMMANDS_MAX)
		queue_take(d, 1);
	d->queue[d->n++] = (struct ftp_command){.end = end, .verb = (uint8_t)verb};
}

void ftp_dialog_forget(struct ftp_dialog *d)
{
	d->n = 0;
	d->multiline = 0;
}

static unsigned int queue_find(const struct ftp_dialog *d, enum ftp_verb verb)
{
	unsigned int i = 0;

	while (i < d->n && d->queue[i].verb != verb)
		i++;
	return i;
}

bool ftp_dialog_awaits(const struct ftp_dialog *d, enum ftp_verb verb)
{
	return queue_find(d, verb) < d->n;
}

static enum ftp_verb answered(struct ftp_dialog *d, unsigned int code, uint32_t ack)
{
	unsigned int at = 0;
	enum ftp_verb verb;

	if (code == CODE_PASV)
		at = queue_find(d, FTP_PASV);
	else if (code == CODE_EPSV)
		at = queue_find(d, FTP_EPSV);
	if (at >= d->n || (int32_t)(ack - d->queue[at].end) < 0)
		return FTP_OTHER;
	verb = d->queue[at].verb;
	if ((verb == FTP_PASV && code != CODE_PASV && code < FTP_FAILED) ||
	    (verb == FTP_EPSV && code != CODE_EPSV && code < FTP_FAILED))
		return FTP_OTHER;
	queue_take(d, at + 1);
	return verb;
}

void ftp_dialog_reply(struct ftp_dialog *d, const char *line, size_t len, uint32_t ack,
		      struct ftp_reply *out)
{
	bool more;
	uint16_t code = ftp_reply_code(line, len, &more);

	*out = (struct ftp_reply){.answers = FTP_OTHER};
	if (d->multiline) {
		if (code != d->multiline || more)
			return;
		d->multiline = 0;
	} else if (more) {
		d->multiline = code;
		return;
	}
	out->code = code;
	if (code == CODE_CLOSING)
		d->n = 0;
	else if (code >= CODE_PRELIMINARY_END && code != CODE_READY)
		out->answers = answered(d, code, ack);
}
