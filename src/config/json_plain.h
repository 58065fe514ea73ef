/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_CONFIG_JSON_PLAIN_H
#define PLVS_CONFIG_JSON_PLAIN_H

/*
 * A reader of JSON for large documents. jansson's own looks at each character through a function
 * and copies each string twice; here a string without an escape is taken as it stands. The reader
 * makes jansson's values, and knows objects, arrays, strings without escapes, whole numbers, true,
 * false and null. A text with anything else, or with a fault, is left to jansson, which has the
 * words for faults.
 */

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

/* text: len bytes of valid UTF-8 without NUL, nested at most CONFIG_MAX_DEPTH deep
 * (json_text_blank()), and a NUL behind them. New reference. NULL: the text is not so plain, is not
 * JSON, has a key twice in one object, or there is no memory. */
json_t *json_plain_parse(const char *text, size_t len);

#endif
