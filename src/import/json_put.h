/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_IMPORT_JSON_PUT_H
#define PLVS_IMPORT_JSON_PUT_H

#include <stdio.h>

/* Writes a text as a JSON string; the text is UTF-8 (text_is_plain()) or from escape.c. */
void json_put(FILE *f, const char *text);

#endif
