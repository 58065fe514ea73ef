/* SPDX-License-Identifier: BSD-3-Clause */
/* The probes of nanny, as checks of plvs. */
#include <string.h>

#include "import/lvscf.h"

#define TIMEOUT_DEFAULT 10U
#define REENTRY_DEFAULT 180U
#define WORDS_MAX	64U

const char *lvscf_unescape(struct importer *im, const struct lvscf_value *v, size_t *len)
{
	static const char from[] = "nrt\\'\"", to[] = "\n\r\t\\'\"";
	char *out = arena_alloc(im, v->len + 1);
	size_t n = 0;

	for (size_t i = 0; i < v->len; i++) {
		const char *at =
			v->text[i] == '\\' && i + 1 < v->len ? strchr(from, v->text[i + 1]) : NULL;

		out[n++] = at ? to[at - from] : v->text[i];
		i += at != NULL;
	}
	*len = n;
	return out;
}

static void timing_set(struct importer *im, const struct lvscf_block *b, struct lvs_check *c)
{
	const struct lvscf_value *timeout = &b->v[D_TIMEOUT], *reentry = &b->v[D_REENTRY];
	uint32_t seconds = timeout->at.line ? timeout->number : TIMEOUT_DEFAULT;
	uint32_t again = reentry->at.line ? reentry->number : REENTRY_DEFAULT;

	c->rise = 1;
	if (seconds == 0) {
		note(im, timeout->at, NOTE_DIFFERS,
		     "timeout 0 is no period: Piranha's own default of %u s is taken, and rise 1, "
		     "since reentry cannot be divided by it",
		     TIMEOUT_DEFAULT);
		seconds = TIMEOUT_DEFAULT;
	} else if (again / seconds > 1) {
		c->rise = again / seconds;
	}
	if (seconds > 86400)
		seconds = 86400;
	c->interval_ms = c->timeout_ms = seconds * 1000;
	c->fall = 1;
}

/* An expected text as a step: nothing is expected of "". */
static void expect_step(struct importer *im, const struct lvscf_block *b, struct lvs_check *c)
{
	const struct lvscf_value *v = &b->v[D_EXPECT];
	size_t len;
	const char *bytes;

	if (!v->at.line || v->len == 0)
		return;
	bytes = lvscf_unescape(im, v, &len);
	if (b->v[D_USE_REGEX].number) {
		step_add(im, c, "expect_pattern", pattern_bytes(im, bytes, len));
		note(im, v->at, NOTE_NOTICE,
		     "expect: a POSIX pattern, searched in the first 254 bytes; plvs looks "
		     "further");
	} else if (len == 1 && bytes[0] == '*') {
		step_add(im, c, "expect_pattern", "(?s).");
	} else {
		step_add(im, c, "expect_prefix", text_bytes(im, bytes, len));
	}
}

static void send_step(struct importer *im, const struct lvscf_block *b, struct lvs_check *c)
{
	const struct lvscf_value *v = &b->v[D_SEND];
	size_t len;
	const char *bytes;

	if (!v->at.line || v->len == 0)
		return;
	bytes = lvscf_unescape(im, v, &len);
	step_add(im, c, "send", text_bytes(im, bytes, len));
}

/* Blanks part the words of a program; nanny knows no quotes. */
static struct lvs_word *argv_split(struct importer *im, const char *text)
{
	struct lvs_word *argv = NULL;
	char *copy = arena_copy(im, text, strlen(text)), *save = NULL;
	uint32_t n = 0;

	for (char *w = strtok_r(copy, " \t", &save); w && n < WORDS_MAX;
	     w = strtok_r(NULL, " \t", &save), n++)
		word_add(im, &argv, w);
	return argv;
}

/* Output must be exactly what is expected; the exit code does not matter. */
static void program_check(struct importer *im, const struct lvscf_block *b, struct lvs_check *c)
{
	const struct lvscf_value *program = &b->v[D_SEND_PROGRAM], *expect = &b->v[D_EXPECT];
	const char *bytes;
	size_t len;

	c->type = "exec";
	c->argv = argv_split(im, program->text);
	c->any_code = true;
	if (!expect->at.line || expect->len == 0) {
		c->output_pattern = "^$";
	} else {
		bytes = lvscf_unescape(im, expect, &len);
		if (b->v[D_USE_REGEX].number)
			c->output_pattern = pattern_bytes(im, bytes, len);
		else if (len == 1 && bytes[0] == '*')
			c->output_pattern = "(?s).";
		else
			c->output_pattern = arena_printf(im, "^%s$", pattern_quote(im, bytes, len));
		note(im, program->at, NOTE_DIFFERS,
		     "send_program: no output was a success where something is expected; in plvs "
		     "it "
		     "fails");
	}
	note(im, program->at, NOTE_DIFFERS,
	     "send_program: nanny ran it as root, plvs runs it as nobody unless exec.user says "
	     "otherwise");
	if (b->v[D_SEND].at.line)
		note(im, b->v[D_SEND].at, NOTE_DROPPED, "send: send_program (line %u) wins over it",
		     program->at.line);
}

/* A datagram. Without send, nanny waits for an unrequested one. */
static void udp_check(struct importer *im, const struct lvscf_block *b, struct lvs_check *c)
{
	c->type = "udp";
	send_step(im, b, c);
	if (c->steps) {
		expect_step(im, b, c);
		if (!c->steps->next)
			step_add(im, c, "expect_pattern", "(?s).");
		return;
	}
	step_add(im, c, "send", "\\n");
	expect_step(im, b, c);
	note(im, b->at, NOTE_DIFFERS,
	     "virtual %s: a UDP service without send: nanny waits for a datagram without having "
	     "sent "
	     "one, which hardly ever comes. Imported as a udp check that sends a newline%s",
	     b->name,
	     c->steps->next ? ""
			    : " and is content unless ICMP refuses it: weaker, and likely meant");
}

static bool said(const struct lvscf_block *b, enum lvscf_directive id)
{
	return b->v[id].at.line && b->v[id].len;
}

static void tcp_check(struct importer *im, const struct lvscf_block *b, uint32_t service_port,
		      struct lvs_check *c)
{
	if (said(b, D_SEND) || said(b, D_EXPECT)) {
		c->type = "script";
		send_step(im, b, c);
		expect_step(im, b, c);
	} else if (service_port == 80) {
		c->type = "script";
		step_add(im, c, "send", "GET / HTTP/1.0\\r\\n\\r\\n");
		step_add(im, c, "expect_prefix", "HTTP");
	} else {
		c->type = "tcp";
	}
}

void lvscf_checks(struct importer *im, const struct lvscf *cf, const struct lvscf_block *b,
		  struct lvs_service *svc, struct lvs_server *s, uint32_t port)
{
	struct lvs_check *c = check_new(im, s, b->at, "tcp");
	const char *protocol = b->v[D_PROTOCOL].at.line ? b->v[D_PROTOCOL].text : "tcp";

	(void)cf;
	(void)svc;
	c->port = port;
	timing_set(im, b, c);
	if (said(b, D_SEND_PROGRAM)) {
		c->at = b->v[D_SEND_PROGRAM].at;
		program_check(im, b, c);
		if (c->argv && c->argv->text[0] == '/') {
			c->port = 0;
			return;
		}
		note(im, c->at, NOTE_UNSAID,
		     "send_program has no absolute path: imported as a connection, which is "
		     "weaker");
		*c = (struct lvs_check){.next = c->next,
					.at = c->at,
					.type = "tcp",
					.port = port,
					.interval_ms = c->interval_ms,
					.timeout_ms = c->timeout_ms,
					.rise = c->rise,
					.fall = c->fall};
		return;
	}
	if (strcmp(protocol, "udp") == 0)
		udp_check(im, b, c);
	else
		tcp_check(im, b, b->v[D_PORT].at.line ? b->v[D_PORT].number : 80, c);
}
