/* SPDX-License-Identifier: BSD-3-Clause */
#include "telnet/telnet_stream.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const telnet_telopt_t options[] = {
	{TELNET_TELOPT_ECHO, TELNET_WILL, TELNET_DONT},
	{TELNET_TELOPT_SGA, TELNET_WILL, TELNET_DO},
	{TELNET_TELOPT_BINARY, TELNET_WILL, TELNET_DO},
	{TELNET_TELOPT_NAWS, TELNET_WONT, TELNET_DO},
	{TELNET_TELOPT_TTYPE, TELNET_WONT, TELNET_DO},
	{-1, 0, 0},
};

void stream_bytes_take(struct stream_bytes *b, size_t n)
{
	b->n -= n;
	b->start = b->n ? b->start + n : 0;
}

/* False: there is no room. */
static bool bytes_put(struct stream_bytes *b, const void *bytes, size_t n)
{
	if (b->n + n > b->room)
		return false;
	if (b->start + b->n + n > b->room) {
		memmove(b->v, b->v + b->start, b->n);
		b->start = 0;
	}
	memcpy(b->v + b->start + b->n, bytes, n);
	b->n += n;
	return true;
}

static void key_put(struct telnet_stream *s, unsigned char key)
{
	s->there = true;
	if (!bytes_put(&s->keys, &key, 1))
		s->broken = true;
}

/* Enter is CR NUL, CR LF or, of programs that speak no telnet, LF alone: one key. */
static void keys_put(struct telnet_stream *s, const unsigned char *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		bool second = s->key_cr && (bytes[i] == '\n' || bytes[i] == '\0');

		s->key_cr = bytes[i] == '\r';
		if (!second && bytes[i] != '\0')
			key_put(s, bytes[i]);
	}
}

static void command(struct telnet_stream *s, unsigned char iac)
{
	switch (iac) {
	case TELNET_IP:
	case TELNET_BREAK:
	case TELNET_ABORT:
		key_put(s, 3);
		break;
	case TELNET_EC:
		key_put(s, 127);
		break;
	case TELNET_EL:
		key_put(s, 21);
		break;
	case TELNET_EOF:
		key_put(s, 4);
		break;
	case TELNET_AYT:
		telnet_stream_print(s, "\r\n[yes]\r\n", 9);
		break;
	default:
		break;
	}
}

static void window(struct telnet_stream *s, const unsigned char *v, size_t n)
{
	if (n != 4)
		return;
	s->columns = (uint16_t)(v[0] << 8 | v[1]);
	s->rows = (uint16_t)(v[2] << 8 | v[3]);
	s->resized = true;
}

/* Only what may stand in a file name of terminfo, so that it names none elsewhere. */
static void terminal(struct telnet_stream *s, const char *name)
{
	size_t n = strlen(name);

	if (n == 0 || n > STREAM_TERM_MAX)
		return;
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)tolower((unsigned char)name[i]);

		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && !strchr("+-._", c))
			return;
	}
	if (name[0] == '.')
		return;
	for (size_t i = 0; i <= n; i++)
		s->term[i] = (char)tolower((unsigned char)name[i]);
}

static void on_event(telnet_t *telnet, telnet_event_t *e, void *arg)
{
	struct telnet_stream *s = arg;

	switch (e->type) {
	case TELNET_EV_DATA:
		keys_put(s, (const unsigned char *)e->data.buffer, e->data.size);
		break;
	case TELNET_EV_SEND:
		if (!bytes_put(&s->out, e->data.buffer, e->data.size))
			s->broken = true;
		break;
	case TELNET_EV_WILL:
		if (e->neg.telopt == TELNET_TELOPT_TTYPE && !s->term[0])
			telnet_ttype_send(telnet);
		/* fall through */
	case TELNET_EV_WONT:
	case TELNET_EV_DO:
	case TELNET_EV_DONT:
		s->speaks = true;
		s->options++;
		break;
	case TELNET_EV_SUBNEGOTIATION:
		s->speaks = true;
		s->options++;
		if (e->sub.telopt == TELNET_TELOPT_NAWS)
			window(s, (const unsigned char *)e->sub.buffer, e->sub.size);
		break;
	case TELNET_EV_TTYPE:
		if (e->ttype.cmd == TELNET_TTYPE_IS && e->ttype.name)
			terminal(s, e->ttype.name);
		break;
	case TELNET_EV_IAC:
		s->options++;
		command(s, e->iac.cmd);
		break;
	case TELNET_EV_ERROR:
		s->broken = true;
		break;
	default:
		break;
	}
	if (s->options > STREAM_OPTIONS)
		s->broken = true;
}

int telnet_stream_open(struct telnet_stream *s)
{
	memset(s, 0, sizeof(*s));
	s->out = (struct stream_bytes){.room = STREAM_OUT_ROOM, .v = malloc(STREAM_OUT_ROOM)};
	s->keys = (struct stream_bytes){.room = STREAM_KEYS_ROOM, .v = malloc(STREAM_KEYS_ROOM)};
	s->telnet = telnet_init(options, on_event, 0, s);
	if (!s->out.v || !s->keys.v || !s->telnet) {
		telnet_stream_close(s);
		return -ENOMEM;
	}
	telnet_negotiate(s->telnet, TELNET_WILL, TELNET_TELOPT_ECHO);
	telnet_negotiate(s->telnet, TELNET_WILL, TELNET_TELOPT_SGA);
	telnet_negotiate(s->telnet, TELNET_DO, TELNET_TELOPT_SGA);
	telnet_negotiate(s->telnet, TELNET_DO, TELNET_TELOPT_NAWS);
	telnet_negotiate(s->telnet, TELNET_DO, TELNET_TELOPT_TTYPE);
	telnet_negotiate(s->telnet, TELNET_DO, TELNET_TELOPT_BINARY);
	telnet_negotiate(s->telnet, TELNET_WILL, TELNET_TELOPT_BINARY);
	return 0;
}

void telnet_stream_close(struct telnet_stream *s)
{
	if (s->telnet)
		telnet_free(s->telnet);
	free(s->out.v);
	free(s->keys.v);
	memset(s, 0, sizeof(*s));
}

void telnet_stream_received(struct telnet_stream *s, const void *bytes, size_t n)
{
	telnet_recv(s->telnet, bytes, n);
}

void telnet_stream_print(struct telnet_stream *s, const void *bytes, size_t n)
{
	const unsigned char *v = bytes;
	unsigned char text[2 * STREAM_READ];
	size_t len = 0;

	/* CR alone is CR NUL in the network's terminal; clients that do without take it, too. */
	for (size_t i = 0; i < n && len + 2 <= sizeof(text); i++) {
		if (s->out_cr && v[i] != '\n' && s->speaks)
			text[len++] = '\0';
		s->out_cr = v[i] == '\r';
		text[len++] = v[i];
	}
	telnet_send(s->telnet, (const char *)text, len);
}

bool telnet_stream_takes_input(const struct telnet_stream *s)
{
	return s->out.n < STREAM_OUT_PAUSE && s->keys.n < STREAM_KEYS_PAUSE;
}

bool telnet_stream_takes_output(const struct telnet_stream *s)
{
	return s->out.n < STREAM_OUT_PAUSE;
}

bool telnet_stream_agreed(const struct telnet_stream *s)
{
	return s->speaks && s->term[0] && s->columns;
}
