/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_HEALTH_ADVICE_H
#define PLVS_HEALTH_ADVICE_H

/* Advice that servers and programs print about themselves. Any bytes may come. Context: any. */

#include "health/check.h"

/*
 * Parses a line of HAProxy's agent protocol: words parted by blanks or commas, in any case:
 * "75%", "up", "down", "fail", "stopped", "drain", "maint", "ready". Of words that contradict
 * each other the last counts. The text after "#" is the description. "maxconn:" and unknown words
 * have no meaning. Adds to r->advice and sets r->weight_percent. why gets the description, or "".
 * True: some word has a meaning.
 */
bool advice_parse(const char *text, size_t len, struct probe_result *r, char *why, size_t why_len);

/*
 * A load number: the first of the 1-minute averages in what uptime or rup print, or a number
 * that the text begins with. 0, or -EINVAL (none, negative, or no such number).
 */
int load_parse(const char *text, size_t len, double *out);

#endif
