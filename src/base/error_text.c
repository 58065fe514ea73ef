/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/error_text.h"

#include <stdarg.h>
#include <stdio.h>

int error_text(char error[ERROR_TEXT], int ret, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(error, ERROR_TEXT, fmt, ap);
	va_end(ap);
	return ret;
}
