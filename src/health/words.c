/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>

#include "health/health_internal.h"

const char *words_ordinal(uint32_t n, char *buf, size_t len)
{
	static const char *const ends[] = {"th", "st", "nd", "rd"};
	bool teen = n % 100 >= 11 && n % 100 <= 13;

	snprintf(buf, len, "%u%s", n, ends[!teen && n % 10 < 4 ? n % 10 : 0]);
	return buf;
}

static void append(char *buf, size_t len, const char *text)
{
	size_t used = strlen(buf);

	if (used < len)
		snprintf(buf + used, len - used, "%s", text);
}

/* " after 12 ms"; to be appended. */
static void duration(uint32_t us, char *buf, size_t len)
{
	if (us < 1000)
		snprintf(buf, len, " after %u.%u ms", us / 1000, us / 100 % 10);
	else if (us < 10000000)
		snprintf(buf, len, " after %u ms", us / 1000);
	else
		snprintf(buf, len, " after %u s", us / 1000000);
}

void words_answer(const struct check_spec *spec, const struct probe_result *r,
		  const struct addr *vip, uint32_t streak, uint32_t needed, char *buf, size_t len)
{
	char part[64], ordinal[16], addr[ADDR_STRLEN];

	snprintf(buf, len, "%s", r->reason);
	/* Bytes of servers may end up in a reason, which goes to logs and terminals. */
	for (char *c = buf; *c; c++)
		if ((unsigned char)*c < 0x20 || (unsigned char)*c >= 0x7f)
			*c = '.';
	if (vip) {
		snprintf(part, sizeof(part), " by the VIP %s",
			 addr_format(vip, addr, sizeof(addr)));
		append(buf, len, part);
	}
	if (!r->timeout && r->verdict != PROBE_ERROR && spec->type != CHECK_PASSIVE) {
		duration(r->duration_us, part, sizeof(part));
		append(buf, len, part);
	}
	if (needed > 1) {
		snprintf(part, sizeof(part), ", %s of %u",
			 words_ordinal(streak, ordinal, sizeof(ordinal)), needed);
		append(buf, len, part);
	}
}
