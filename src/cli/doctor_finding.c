/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdarg.h>
#include <string.h>

#include "cli/doctor.h"
#include "cli/view.h"

static const char *const severity_words[] = {
	[DOCTOR_WELL] = "well", [DOCTOR_WARNING] = "warning", [DOCTOR_CRITICAL] = "critical"};

const char *const doctor_ids[FINDING_MAX] = {
#define X(NAME, id, severity) [FINDING_##NAME] = id,
	DOCTOR_FINDINGS(X)
#undef X
};

static const enum doctor_severity severities[FINDING_MAX] = {
#define X(NAME, id, severity) [FINDING_##NAME] = DOCTOR_##severity,
	DOCTOR_FINDINGS(X)
#undef X
};

void doctor_find(json_t *findings, enum doctor_finding finding, const char *why, const char *type,
		 const char *fmt, ...)
{
	json_t *what;
	va_list ap;

	va_start(ap, fmt);
	what = json_vsprintf(fmt, ap);
	va_end(ap);
	json_array_append_new(findings,
			      json_pack("{s:s, s:s, s:o, s:s, s:s}", "id", doctor_ids[finding],
					"severity", severity_words[severities[finding]], "what",
					what ? what : json_string("?"), "why", why, "type", type));
}

enum doctor_severity doctor_worst(const json_t *findings)
{
	enum doctor_severity worst = DOCTOR_WELL;
	const json_t *f;
	size_t i;

	json_array_foreach (findings, i, f)
		if (strcmp(view_text(f, "severity"), severity_words[DOCTOR_CRITICAL]) == 0)
			return DOCTOR_CRITICAL;
		else
			worst = DOCTOR_WARNING;
	return worst;
}
