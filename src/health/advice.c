/* SPDX-License-Identifier: BSD-3-Clause */
#include "health/advice.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MAX_PERCENT 100000U
#define MAX_LOAD    1e6
#define LOAD_TEXT   512 /* bytes looked at for a load number */

static const struct {
	const char *word;
	uint32_t set, clear;
} words[] = {
	{"up", ADVICE_UP, ADVICE_DOWN},
	{"down", ADVICE_DOWN, ADVICE_UP},
	{"stopped", ADVICE_DOWN, ADVICE_UP},
	{"fail", ADVICE_DOWN, ADVICE_UP},
	{"failed", ADVICE_DOWN, ADVICE_UP},
	{"drain", ADVICE_DRAIN, ADVICE_MAINT | ADVICE_READY},
	{"maint", ADVICE_MAINT, ADVICE_DRAIN | ADVICE_READY},
	{"ready", ADVICE_READY, ADVICE_DRAIN | ADVICE_MAINT},
};

/* "75%" */
static bool percent_parse(const char *word, size_t len, uint32_t *out)
{
	uint32_t v = 0;

	if (len < 2 || word[len - 1] != '%')
		return false;
	for (size_t i = 0; i < len - 1; i++) {
		if (word[i] < '0' || word[i] > '9')
			return false;
		v = v * 10 + (uint32_t)(word[i] - '0');
		if (v > MAX_PERCENT)
			return false;
	}
	*out = v;
	return true;
}

static bool word_take(const char *word, size_t len, struct probe_result *r)
{
	uint32_t percent;

	if (percent_parse(word, len, &percent)) {
		r->advice |= ADVICE_WEIGHT;
		r->weight_percent = percent;
		return true;
	}
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strlen(words[i].word) != len || strncasecmp(word, words[i].word, len) != 0)
			continue;
		r->advice = (r->advice & ~words[i].clear) | words[i].set;
		return true;
	}
	return false;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == ',';
}

bool advice_parse(const char *text, size_t len, struct probe_result *r, char *why, size_t why_len)
{
	bool any = false;
	size_t end = 0;

	while (end < len && text[end] != '\n' && text[end] != '\r' && text[end] != '\0')
		end++;
	why[0] = '\0';
	for (size_t at = 0; at < end;) {
		size_t begin = at;

		while (at < end && !is_blank(text[at]) && text[at] != '#')
			at++;
		if (at > begin)
			any |= word_take(text + begin, at - begin, r);
		if (at < end && text[at] == '#') {
			for (at++; at < end && is_blank(text[at]);)
				at++;
			snprintf(why, why_len, "%.*s", (int)(end - at), text + at);
			break;
		}
		at++;
	}
	return any;
}

int load_parse(const char *text, size_t len, double *out)
{
	char copy[LOAD_TEXT + 1];
	const char *at;
	char *end;
	double v;

	len = len < LOAD_TEXT ? len : LOAD_TEXT;
	memcpy(copy, text, len);
	copy[len] = '\0';
	at = strstr(copy, "load average");
	at = at ? at + strcspn(at, ":0123456789\n") : copy;
	at += strspn(at, ": \t");
	/* Of what strtod() takes, only plain decimals. */
	if (*at < '0' || *at > '9' || at[1] == 'x' || at[1] == 'X')
		return -EINVAL;
	v = strtod(at, &end);
	if (!(v >= 0 && v <= MAX_LOAD) || (*end && !strchr(" \t\r\n,;%", *end)))
		return -EINVAL;
	*out = v;
	return 0;
}
