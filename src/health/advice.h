/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_HEALTH_ADVICE_H
#define PLVS_HEALTH_ADVICE_H

/* Parsing of advice that servers and programs print about themselves. Any bytes are safe. Context:
 * any. */

#include "health/check.h"

/*
 * Parses a line of HAProxy's agent protocol: words parted by blanks or commas, in any case:
 * "75%", "up", "down", "fail", "stopped", "drain", "maint", "ready". Of contradicting words the
 * last counts. The text after "#" is the description. "maxconn:" and unknown words are ignored.
 * Adds to r->advice and sets r->weight_percent. why gets the description, or "". True: at least one
 * word was known.
 */
bool advice_parse(const char *text, size_t len, struct probe_result *r, char *why, size_t why_len);

/*
 * Parses a load number: the first 1-minute average in the output of uptime or rup, or a number at
 * the begin of the text. 0, or -EINVAL (none, negative, or no such number).
 */
int load_parse(const char *text, size_t len, double *out);

#endif
