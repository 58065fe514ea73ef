/* SPDX-License-Identifier: BSD-3-Clause */
/* Lines of a keepalived.conf as a tree of statements. Braces count outside of quotes. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "import/keepalived.h"

#define DEPTH_MAX      32U
#define STATEMENTS_MAX 1000000U
#define WORDS_MAX      512U

void kw_tree_init(struct kw_tree *t, struct importer *im)
{
	*t = (struct kw_tree){.im = im};
	t->root.children_end = &t->root.children;
	t->open = &t->root;
}

static void word_end(struct kw_tree *t, struct origin at, const char *start, size_t len)
{
	struct kw *k = t->statement;

	if (!k) {
		k = arena_alloc(t->im, sizeof(*k));
		k->at = at;
		k->parent = t->open;
		k->raw = arena_alloc(t->im, 4 * sizeof(char *));
		k->children_end = &k->children;
		if (++t->n > STATEMENTS_MAX)
			give_up(t->im, at, "more than %u statements", STATEMENTS_MAX);
		*t->open->children_end = k;
		t->open->children_end = &k->next;
		t->statement = t->last = k;
	}
	if (k->n == WORDS_MAX)
		give_up(t->im, at, "more than %u words in one statement", WORDS_MAX);
	/* Room for 4, then doubled at each power of two. */
	if (k->n >= 4 && (k->n & (k->n - 1)) == 0) {
		const char **raw = arena_alloc(t->im, 2 * k->n * sizeof(char *));

		memcpy(raw, k->raw, k->n * sizeof(char *));
		k->raw = raw;
	}
	k->raw[k->n++] = arena_copy(t->im, start, len);
}

static void block_open(struct kw_tree *t, struct origin at)
{
	struct kw *k = t->last;

	if (!k || k->block) {
		note(t->im, at, NOTE_ERROR, "a { without a keyword in front of it");
		/* A block of nobody, so that its } is in order. */
		word_end(t, at, "{", 1);
		k = t->last;
	}
	if (++t->depth > DEPTH_MAX)
		give_up(t->im, at, "blocks nest deeper than %u", DEPTH_MAX);
	k->block = true;
	t->open = k;
	t->statement = t->last = NULL;
}

static void block_close(struct kw_tree *t, struct origin at)
{
	t->statement = NULL;
	t->last = NULL;
	if (t->open == &t->root) {
		note(t->im, at, NOTE_ERROR, "a } without a block that it could close");
		return;
	}
	t->depth--;
	t->open = t->open->parent;
}

/* The end of a word at p: quotes hold it together, ${...} is no brace. 0: a quote is open. */
static size_t word_len(const char *p)
{
	size_t i = 0;
	char quote = '\0';

	for (; p[i]; i++) {
		if (p[i] == '\\' && p[i + 1]) {
			i++;
		} else if (quote) {
			quote = p[i] == quote ? '\0' : quote;
		} else if (p[i] == '"' || p[i] == '\'') {
			quote = p[i];
		} else if (p[i] == '$' && p[i + 1] == '{' && strchr(p + i, '}')) {
			i += strcspn(p + i, "}");
		} else if (strchr(" \t\f\v\r{}", p[i])) {
			break;
		}
	}
	return quote ? 0 : i;
}

void kw_tree_line(struct kw_tree *t, struct origin at, const char *line)
{
	const char *p = line;
	size_t len;

	t->statement = NULL;
	for (;;) {
		p += strspn(p, " \t\f\v\r");
		if (!*p)
			return;
		if (*p == '{') {
			block_open(t, at);
			p++;
		} else if (*p == '}') {
			block_close(t, at);
			p++;
		} else {
			len = word_len(p);
			if (len == 0) {
				note(t->im, at, NOTE_ERROR, "a quote is not closed");
				return;
			}
			word_end(t, at, p, len);
			p += len;
		}
	}
}

void kw_tree_end(struct kw_tree *t)
{
	for (struct kw *k = t->open; k != &t->root; k = k->parent)
		note(t->im, k->at, NOTE_ERROR, "the block of %.64s that begins here is not closed",
		     k->raw[0]);
}

/* ---- words ---- */

/* After \: the byte it stands for; *p moves to its last character. */
static char escape_byte(const char **p)
{
	static const char from[] = "abEfnrtv", to[] = "\a\b\033\f\n\r\t\v";
	const char *at = strchr(from, **p);
	char digits[4] = "";

	if (**p == 'x' && strspn(*p + 1, "0123456789abcdefABCDEF")) {
		snprintf(digits, 3, "%s", *p + 1);
		digits[strspn(digits, "0123456789abcdefABCDEF")] = '\0';
		*p += strlen(digits);
		return (char)strtoul(digits, NULL, 16);
	}
	if (**p >= '0' && **p <= '7') {
		snprintf(digits, 4, "%s", *p);
		digits[strspn(digits, "01234567")] = '\0';
		*p += strlen(digits) - 1;
		return (char)strtoul(digits, NULL, 8);
	}
	if (**p == 'c' && (*p)[1]) {
		(*p)++;
		return (char)(**p & 0x1f);
	}
	return at ? to[at - from] : **p;
}

static const char *word_make(struct importer *im, const char *raw, bool escapes)
{
	struct text_buf b = {0};
	char quote = '\0', c;

	buf_puts(im, &b, "");
	for (const char *p = raw; *p; p++) {
		if (*p == '\\' && p[1]) {
			p++;
			c = escapes ? escape_byte(&p) : *p;
			if (!escapes && *p != '"' && *p != '\'' && *p != '#' && *p != '!')
				buf_puts(im, &b, "\\");
			if (c)
				buf_put(im, &b, &c, 1);
		} else if (quote ? *p == quote : *p == '"' || *p == '\'') {
			/* Single quotes inside double ones part a script's words later on. */
			quote = quote ? '\0' : *p;
		} else {
			buf_put(im, &b, p, 1);
		}
	}
	return b.data;
}

const char *kw_word(struct importer *im, const struct kw *k, uint32_t i)
{
	return i < k->n ? word_make(im, k->raw[i], false) : "";
}

const char *kw_value(struct importer *im, const struct kw *k, uint32_t i)
{
	return i < k->n ? word_make(im, k->raw[i], true) : "";
}

bool kw_is(const struct kw *k, const char *keyword)
{
	return k->n && strcmp(k->raw[0], keyword) == 0;
}

const struct kw *kw_find(const struct kw *block, const char *keyword)
{
	const struct kw *k = block->children;

	while (k && !kw_is(k, keyword))
		k = k->next;
	return k;
}

/* ---- values ---- */

bool kw_number(struct importer *im, const struct kw *k, uint32_t i, uint32_t max, uint32_t *out)
{
	uint64_t n;

	if (number_parse(kw_word(im, k, i), max, &n)) {
		*out = (uint32_t)n;
		return true;
	}
	note(im, k->at, NOTE_ERROR, "%.48s \"%.32s\": expected a number from 0 to %u", k->raw[0],
	     kw_word(im, k, i), max);
	return false;
}

bool kw_ms(struct importer *im, const struct kw *k, uint32_t *ms)
{
	if (seconds_ms_parse(kw_word(im, k, 1), ms))
		return true;
	note(im, k->at, NOTE_ERROR, "%.48s \"%.32s\": expected seconds", k->raw[0],
	     kw_word(im, k, 1));
	return false;
}

bool kw_flag(struct importer *im, const struct kw *k)
{
	bool on = true;

	if (k->n > 1 && !yes_parse(kw_word(im, k, 1), &on))
		note(im, k->at, NOTE_ERROR, "%.48s \"%.32s\": expected on or off", k->raw[0],
		     kw_word(im, k, 1));
	return on;
}

void kw_no_block(struct importer *im, const struct kw *k)
{
	if (k->block)
		note(im, k->at, NOTE_ERROR,
		     "%.48s has no block: keepalived ignores the {, and what follows is lost to it",
		     k->raw[0]);
}

void kw_family(struct importer *im, const struct kw *k, uint32_t i, uint8_t *family)
{
	const char *word = kw_word(im, k, i);

	if (strcmp(word, "inet6") == 0)
		*family = ADDR_V6;
	else if (strcmp(word, "inet") == 0)
		*family = ADDR_V4;
	else if (*word)
		note(im, k->at, NOTE_ERROR, "%.48s \"%.32s\": expected inet or inet6", k->raw[0],
		     word);
}

bool kw_address(struct importer *im, const struct kw *k, uint32_t i, struct addr *out)
{
	if (addr_parse(kw_word(im, k, i), out) == 0)
		return true;
	note(im, k->at, NOTE_ERROR, "%.48s: \"%.64s\" is no address", k->raw[0], kw_word(im, k, i));
	return false;
}

bool kw_port(struct importer *im, const struct kw *k, uint32_t i, uint32_t *out)
{
	uint64_t n;

	if (number_parse(kw_word(im, k, i), 65535, &n)) {
		*out = (uint32_t)n;
		return true;
	}
	note(im, k->at, NOTE_ERROR,
	     "%.48s: \"%.32s\" is no port: keepalived takes numbers alone, and passes the line "
	     "over",
	     k->raw[0], kw_word(im, k, i));
	return false;
}

struct lvs_word *kw_argv(struct importer *im, const char *text)
{
	struct lvs_word *argv = NULL;
	const char *p = text;
	uint32_t n = 0;

	for (;;) {
		struct text_buf b = {0};
		bool quoted = false;

		p += strspn(p, " \t");
		if (!*p || n++ == 64)
			return argv;
		buf_puts(im, &b, "");
		for (; *p && (quoted || (*p != ' ' && *p != '\t')); p++) {
			if (*p == '\'')
				quoted = !quoted;
			else
				buf_put(im, &b, p, 1);
		}
		word_add(im, &argv, b.data);
	}
}

/* "type gue port 6080 csum" behind TUN. false: noted. */
static bool tunnel_take(struct importer *im, const struct kw *k, struct encap *out)
{
	static const struct {
		const char *word;
		uint8_t checksum;
	} sums[] = {{"nocsum", ENCAP_NO_CHECKSUM},
		    {"csum", ENCAP_CHECKSUM},
		    {"remcsum", ENCAP_REMOTE_CHECKSUM}};
	uint32_t port = 0;

	for (uint32_t i = 2; i < k->n; i++) {
		const char *word = kw_word(im, k, i);
		size_t sum = 0;

		while (sum < sizeof(sums) / sizeof(sums[0]) && strcmp(word, sums[sum].word) != 0)
			sum++;
		if (sum < sizeof(sums) / sizeof(sums[0])) {
			out->checksum = sums[sum].checksum;
		} else if (strcmp(word, "type") == 0 && i + 1 < k->n) {
			if (!lvs_tunnel_type(kw_word(im, k, ++i), &out->type)) {
				note(im, k->at, NOTE_ERROR,
				     "a tunnel of type %.16s: expected ipip, gue "
				     "or gre",
				     kw_word(im, k, i));
				return false;
			}
		} else if (strcmp(word, "port") == 0 && i + 1 < k->n) {
			if (!kw_port(im, k, ++i, &port))
				return false;
			out->port = be16_from((uint16_t)port);
		} else {
			note(im, k->at, NOTE_ERROR, "%s TUN: \"%.32s\" is not expected", k->raw[0],
			     word);
			return false;
		}
	}
	lvs_tunnel_finish(im, k->at, out);
	return true;
}

bool kw_method(struct importer *im, const struct kw *k, enum lvs_method *out, struct encap *tunnel)
{
	const char *m = kw_word(im, k, 1);

	*tunnel = (struct encap){0};
	if (strcmp(m, "NAT") == 0) {
		*out = METHOD_NAT;
	} else if (strcmp(m, "DR") == 0) {
		*out = METHOD_DR;
	} else if (strcmp(m, "TUN") == 0) {
		*out = METHOD_TUNNEL;
		return tunnel_take(im, k, tunnel);
	} else {
		note(im, k->at, NOTE_ERROR, "%s \"%.32s\": expected NAT, DR or TUN, in capitals",
		     k->raw[0], m);
		return false;
	}
	return true;
}
