/* SPDX-License-Identifier: BSD-3-Clause */
/* Messages of ipvsadm, and the names of its options in them. */
#include <stdarg.h>
#include <stdio.h>

#include "cli/ipvsadm/adm_internal.h"

const char *const adm_tunnel_names[ADM_TUNNELS] = {"ipip", "gue", "gre"};

const char *const adm_option_names[ADM_N_OPTIONS] = {
#define X(name, text) text,
	ADM_OPTIONS(X)
#undef X
};

int adm_fail(struct adm *a, int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfprintf(a->errors, fmt, ap);
	va_end(ap);
	fputc('\n', a->errors);
	return code;
}
