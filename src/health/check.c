/* SPDX-License-Identifier: BSD-3-Clause */
#include "health/check.h"

#include <stdarg.h>
#include <stdio.h>

const char *const check_type_names[CHECK_TYPE_MAX] = {
#define X(NAME, name) #name,
	CHECK_TYPES(X)
#undef X
		"passive",
};

void probe_end_result(struct probe *p, const struct probe_result *r)
{
	p->ended(p, r);
}

void probe_end(struct probe *p, enum probe_verdict verdict, const char *fmt, ...)
{
	struct probe_result r = {.verdict = (uint8_t)verdict};
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(r.reason, sizeof(r.reason), fmt, ap);
	va_end(ap);
	probe_end_result(p, &r);
}
