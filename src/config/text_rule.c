/* SPDX-License-Identifier: BSD-3-Clause */
/* The characters that texts may have: rules of the schema. */
#include "config/config_internal.h"

#include <errno.h>
#include <string.h>

static const char *const rule_texts[RULE_MAX] = {
	[RULE_LABEL] = "letters, digits, '.', '_' and '-'",
	[RULE_PORT] = "a letter, then letters, digits, '_' and '-'",
	[RULE_IFNAME] = "a name that Linux takes for an interface",
	[RULE_PATH] = "an absolute path",
	[RULE_NETNS] = "a name that `ip netns` lists, or an absolute path",
	[RULE_LINK] = "a port or port.VLAN, with '!' before it for all others",
	[RULE_COMMENT] = "text without control characters",
	[RULE_TEXT] = "text, with \\\\r \\\\n \\\\t \\\\0 \\\\\\\\ and \\\\xHH for bytes",
	[RULE_DEVICE] = "a DPDK device without blanks and commas",
};

const char *config_text_rule(enum config_text_rule rule)
{
	return rule_texts[rule < RULE_MAX ? rule : RULE_DEVICE];
}

static int ifname_check(const char *text)
{
	if (strcmp(text, ".") == 0 || strcmp(text, "..") == 0)
		return -EINVAL;
	for (; *text; text++)
		if (*text <= ' ' || *text == 0x7f || *text == '/' || *text == ':' || *text == '%' ||
		    (unsigned char)*text >= 0x80)
			return -EINVAL;
	return 0;
}

int config_text_check(enum config_text_rule rule, const char *text, const char **why)
{
	static const char label[] =
		"._-0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	const char *alnum = label + 3, *letters = label + 13;
	bool ok = text[0] != '\0';

	switch (rule) {
	case RULE_LABEL:
		ok = ok && strchr(alnum, text[0]) && text[strspn(text, label)] == '\0';
		break;
	case RULE_PORT:
		ok = ok && strchr(letters, text[0]) && text[strspn(text, label + 1)] == '\0';
		break;
	case RULE_IFNAME:
		ok = ok && ifname_check(text) == 0;
		break;
	case RULE_NETNS:
		ok = ok && (text[0] == '/' || !strchr(text, '/')) && text[0] != '.';
		break;
	case RULE_PATH:
		ok = text[0] == '/';
		break;
	case RULE_LINK:
		text += text[0] == '!' ? 1 + strspn(text + 1, " ") : 0;
		ok = text[0] && strchr(letters, text[0]) && text[strspn(text, label)] == '\0';
		break;
	case RULE_COMMENT:
		for (const char *p = text; *p; p++)
			ok = ok && (unsigned char)*p >= ' ' && *p != 0x7f;
		break;
	case RULE_TEXT:
		break;
	case RULE_DEVICE:
	case RULE_MAX:
		ok = ok && !strchr(text, ',');
		for (const char *p = text; *p; p++)
			ok = ok && *p > ' ' && *p != 0x7f;
		break;
	}
	if (!ok)
		*why = config_text_rule(rule);
	return ok ? 0 : -EINVAL;
}
