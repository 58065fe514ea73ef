/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/ftp/ftp_text.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

struct cursor {
	const char *p, *end;
};

/* A decimal number up to max, of as many digits as that needs. */
static bool take_number(struct cursor *c, uint32_t max, uint32_t *out)
{
	uint32_t v = 0;
	unsigned int digits = 0;

	while (c->p < c->end && *c->p >= '0' && *c->p <= '9' && digits < 5) {
		v = v * 10 + (uint32_t)(*c->p++ - '0');
		digits++;
	}
	*out = v;
	return digits > 0 && v <= max;
}

static bool take(struct cursor *c, char ch)
{
	if (c->p == c->end || *c->p != ch)
		return false;
	c->p++;
	return true;
}

static bool at_digit(const struct cursor *c)
{
	return c->p < c->end && *c->p >= '0' && *c->p <= '9';
}

/* Four bytes of an address with `sep` between them. */
static bool take_address(struct cursor *c, char sep, struct addr *out)
{
	uint32_t addr = 0, byte;

	for (unsigned int i = 0; i < 4; i++) {
		if ((i && !take(c, sep)) || !take_number(c, 255, &byte))
			return false;
		addr = addr << 8 | byte;
	}
	*out = addr_from_v4(be32_from(addr));
	return true;
}

static bool take_numbers(struct cursor *c, struct ftp_line *out)
{
	uint32_t hi, lo;

	if (!take_address(c, ',', &out->addr) || !take(c, ',') || !take_number(c, 255, &hi) ||
	    !take(c, ',') || !take_number(c, 255, &lo) || at_digit(c))
		return false;
	out->port = (uint16_t)(hi << 8 | lo);
	return true;
}

/* An IPv6 address up to the delimiter. */
static bool take_address6(struct cursor *c, char d, struct addr *out)
{
	char text[ADDR_STRLEN];
	size_t n = 0;

	while (c->p < c->end && *c->p != d && n < sizeof(text) - 1)
		text[n++] = *c->p++;
	text[n] = 0;
	return addr_parse(text, out) == 0 && out->family == ADDR_V6;
}

/* "<d>1<d>a.b.c.d<d>port<d>", "<d>2<d>2001:db8::1<d>port<d>" */
static bool take_extended(struct cursor *c, struct ftp_line *out)
{
	uint32_t port;
	char d;

	if (c->p == c->end || at_digit(c))
		return false;
	d = *c->p++;
	if (take(c, '2')) {
		if (!take(c, d) || !take_address6(c, d, &out->addr))
			return false;
	} else if (!take(c, '1') || !take(c, d) || !take_address(c, '.', &out->addr)) {
		return false;
	}
	if (!take(c, d) || !take_number(c, UINT16_MAX, &port) || !take(c, d))
		return false;
	out->port = (uint16_t)port;
	return true;
}

/* "(<d><d><d>port<d>" */
static bool take_extended_reply(struct cursor *c, struct ftp_line *out)
{
	uint32_t port;
	char d;

	while (c->p < c->end && *c->p != '(')
		c->p++;
	if (!take(c, '(') || c->p == c->end || at_digit(c))
		return false;
	d = *c->p++;
	if (!take(c, d) || !take(c, d) || !take_number(c, UINT16_MAX, &port) || !take(c, d))
		return false;
	out->port = (uint16_t)port;
	return true;
}

static bool take_word(struct cursor *c, const char *word)
{
	size_t n = strlen(word);

	if ((size_t)(c->end - c->p) < n || strncasecmp(c->p, word, n) != 0)
		return false;
	c->p += n;
	return true;
}

static bool word_ends(const struct cursor *c)
{
	return c->p == c->end || *c->p == ' ' || *c->p == '\r' || *c->p == '\n';
}

#define TELNET_IAC    0xffU
#define TELNET_FIRST  0xf0U
#define TELNET_OPTION 0xfbU /* to DONT: an option follows */

static void skip_telnet(struct cursor *c)
{
	while (c->end - c->p >= 2 && (uint8_t)c->p[0] == TELNET_IAC &&
	       (uint8_t)c->p[1] >= TELNET_FIRST)
		c->p += (uint8_t)c->p[1] >= TELNET_OPTION && (uint8_t)c->p[1] != TELNET_IAC &&
					c->end - c->p >= 3
				? 3
				: 2;
}

/* EPSV, EPSV and a family, EPSV ALL. */
static enum ftp_verb take_epsv(struct cursor *c)
{
	if (!word_ends(c))
		return FTP_OTHER;
	if (!take(c, ' '))
		return FTP_EPSV;
	if (take_word(c, "ALL"))
		return word_ends(c) ? FTP_EPSV_ALL : FTP_OTHER;
	return at_digit(c) || word_ends(c) ? FTP_EPSV : FTP_OTHER;
}

/* Of PORT and EPRT. */
static void take_argument(struct cursor *c, const char *line, bool extended, struct ftp_line *out)
{
	const char *begin = c->p;
	const bool ok = extended ? take_extended(c, out) : take_numbers(c, out);

	out->verb = ok && word_ends(c) ? FTP_PORT : FTP_BAD;
	out->at = (uint16_t)(begin - line);
	out->len = (uint16_t)(c->p - begin);
	out->extended = extended;
}

void ftp_parse_command(const char *line, size_t len, struct ftp_line *out)
{
	struct cursor c = {line, line + len};

	*out = (struct ftp_line){.verb = FTP_OTHER};
	skip_telnet(&c);
	if (c.p == c.end || *c.p == '\r' || *c.p == '\n') {
		out->verb = FTP_EMPTY;
	} else if (take_word(&c, "PASV")) {
		out->verb = word_ends(&c) ? FTP_PASV : FTP_OTHER;
	} else if (take_word(&c, "EPSV")) {
		out->verb = take_epsv(&c);
	} else if (take_word(&c, "ABOR")) {
		out->verb = word_ends(&c) ? FTP_ABOR : FTP_OTHER;
	} else if (take_word(&c, "PORT ")) {
		take_argument(&c, line, false, out);
	} else if (take_word(&c, "EPRT ")) {
		take_argument(&c, line, true, out);
	}
}

void ftp_parse_reply(const char *line, size_t len, struct ftp_line *out)
{
	struct cursor c = {line, line + len};
	const char *numbers;

	*out = (struct ftp_line){.verb = FTP_OTHER};
	if (take_word(&c, "227 ")) {
		/* Parentheses are usual, not certain (RFC 1123, 4.1.2.6). */
		while (c.p < c.end && !at_digit(&c))
			c.p++;
		numbers = c.p;
		out->verb = take_numbers(&c, out) ? FTP_227 : FTP_BAD;
		out->at = (uint16_t)(numbers - line);
		out->len = (uint16_t)(c.p - numbers);
	} else if (take_word(&c, "229 ")) {
		out->verb = take_extended_reply(&c, out) ? FTP_229 : FTP_BAD;
	}
}

uint16_t ftp_reply_code(const char *line, size_t len, bool *more)
{
	struct cursor c = {line, line + (len < 3 ? len : 3)};
	uint32_t code;

	*more = false;
	if (!take_number(&c, 999, &code) || c.p != line + 3)
		return 0;
	c.end = line + len;
	*more = take(&c, '-');
	return *more || word_ends(&c) ? (uint16_t)code : 0;
}

size_t ftp_numbers_put(be32 addr, uint16_t port, char out[FTP_NUMBERS_MAX])
{
	uint32_t a = be32_to(addr);

	return (size_t)snprintf(out, FTP_NUMBERS_MAX, "%u,%u,%u,%u,%u,%u", a >> 24, a >> 16 & 255,
				a >> 8 & 255, a & 255, port >> 8 & 255U, port & 255U);
}

size_t ftp_argument_put(bool extended, const struct addr *addr, uint16_t port,
			char out[FTP_ARGUMENT_MAX])
{
	char text[ADDR_STRLEN];

	if (!extended)
		return ftp_numbers_put(addr->v4, port, out);
	return (size_t)snprintf(out, FTP_ARGUMENT_MAX, "|%u|%s|%u|",
				addr->family == ADDR_V6 ? 2U : 1U,
				addr_format(addr, text, sizeof(text)), port);
}
