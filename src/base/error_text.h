/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_BASE_ERROR_TEXT_H
#define PLVS_BASE_ERROR_TEXT_H

/* The sentence beside a -errno: names the object and the failure. Context: any. */

#include <stddef.h>

#define ERROR_TEXT 256 /* bytes of the caller's buffer */

/* Writes the sentence. Returns ret, so that it can be returned at once. */
int error_text(char error[ERROR_TEXT], int ret, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
