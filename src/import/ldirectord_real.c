/* SPDX-License-Identifier: BSD-3-Clause */
/* real=HOST[->HOST][:PORT] METHOD [WEIGHT] ["request","receive"] [l:N] [u:N] */
#include "import/ldirectord.h"
#include "model/limits.h"

#include <stdlib.h>
#include <string.h>

static bool invalid(struct importer *im, struct origin at, const char *what, const char *expected)
{
	note(im, at, NOTE_ERROR, "invalid real server line: \"%.64s\": expected %s", what,
	     expected);
	return false;
}

/* HOST, HOST->HOST, each with :PORT behind; [V6]:PORT. */
static bool endpoint_take(struct importer *im, struct origin at, char *word, bool v6,
			  struct ldir_real *out)
{
	char *arrow = strstr(word, "->"), *host = word, *colon;
	const char *why, *name;

	if (*word == '[') {
		host = word + 1;
		colon = strchr(host, ']');
		if (!colon)
			return invalid(im, at, word, "[ADDRESS]:PORT");
		*colon++ = '\0';
		colon = *colon == ':' ? colon : NULL;
	} else {
		colon = strrchr(word, ':');
	}
	if (colon) {
		*colon = '\0';
		out->port_text = colon + 1;
	}
	if (arrow)
		*arrow = '\0';
	if (host_lookup(im, host, v6, &out->first, &out->host, &why) < 0) {
		out->lost = why;
		out->host = host;
	}
	out->last = out->first;
	if (!arrow || out->lost)
		return true;
	if (host_lookup(im, arrow + 2, false, &out->last, &name, &why) < 0)
		return invalid(im, at, arrow + 2, "an address");
	if (out->first.family != ADDR_V4 || out->last.family != ADDR_V4 ||
	    be32_to(out->last.v4) < be32_to(out->first.v4) ||
	    be32_to(out->last.v4) - be32_to(out->first.v4) >= MAX_SERVICE_SERVERS_IN)
		return invalid(im, at, arrow + 2, "a range of at most 4096 IPv4 addresses");
	return true;
}

static bool method_take(const char *word, enum lvs_method *out)
{
	static const struct {
		const char *name;
		enum lvs_method method;
	} methods[] = {{"gate", METHOD_DR}, {"masq", METHOD_NAT}, {"ipip", METHOD_TUNNEL}};

	for (size_t i = 0; i < 3; i++)
		if (strcmp(methods[i].name, word) == 0) {
			*out = methods[i].method;
			return true;
		}
	return false;
}

/* "request","receive" at *p; moves behind it. */
static bool texts_take(struct importer *im, char **p, struct ldir_real *out)
{
	char *a = strchr(*p + 1, '"'), *b, *end;

	if (!a)
		return false;
	out->request = arena_copy(im, *p + 1, (size_t)(a - *p - 1));
	b = a + 1 + strspn(a + 1, " \t,");
	if (*b != '"') {
		*p = a + 1;
		return true;
	}
	end = strchr(b + 1, '"');
	if (!end)
		return false;
	out->receive = arena_copy(im, b + 1, (size_t)(end - b - 1));
	*p = end + 1;
	return true;
}

/* The words behind the method, in this order. */
static bool rest_take(struct importer *im, struct origin at, char *p, struct ldir_real *out)
{
	static const char order[] = "l: must stand before u:, both behind weight and request";
	uint64_t n;
	int stage = 0;

	for (;;) {
		char word[32];
		size_t len;

		p += strspn(p, " \t");
		if (!*p)
			return true;
		if (*p == '"') {
			if (stage > 1)
				return invalid(im, at, p, order);
			if (!texts_take(im, &p, out))
				return invalid(im, at, p, "\"request\",\"receive\"");
			stage = 1;
			continue;
		}
		len = strcspn(p, " \t\"");
		snprintf(word, sizeof(word), "%.*s", len < 31 ? (int)len : 31, p);
		p += len;
		if (number_parse(word, MAX_WEIGHT, &n) && stage == 0) {
			out->weight = (uint32_t)n;
		} else if (strncmp(word, "l:", 2) == 0 && number_parse(word + 2, UINT32_MAX, &n)) {
			if (stage > 2)
				return invalid(im, at, word, order);
			out->lower = (uint32_t)n;
			stage = 2;
		} else if (strncmp(word, "u:", 2) == 0 && number_parse(word + 2, UINT32_MAX, &n)) {
			out->upper = (uint32_t)n;
			stage = 3;
		} else if (word[0] == '-' && stage == 0) {
			note(im, at, NOTE_NOTICE,
			     "\"%s\" is passed over: ldirectord looks for blanks and digits "
			     "anywhere",
			     word);
		} else {
			return invalid(im, at, word, "WEIGHT, \"request\",\"receive\", l:N or u:N");
		}
	}
}

bool ldir_real_parse(struct importer *im, struct origin at, const char *text, bool v6,
		     bool fallback, struct ldir_real *out)
{
	char *copy = arena_copy(im, text, strlen(text)), *p = copy;
	size_t len = strcspn(p, " \t");
	char *rest = p + len, *word;

	*out = (struct ldir_real){.at = at, .weight = 1, .method = METHOD_DR};
	if (*rest)
		*rest++ = '\0';
	if (!endpoint_take(im, at, copy, v6, out))
		return false;
	rest += strspn(rest, " \t");
	len = strcspn(rest, " \t");
	word = arena_copy(im, rest, len);
	if (!*word && fallback)
		return true;
	if (!method_take(word, &out->method))
		return invalid(im, at, word, "gate, masq or ipip");
	return rest_take(im, at, rest + len, out);
}
