/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_HEALTH_ADVICE_H
#define PLVS_HEALTH_ADVICE_H

/* What servers and programs say of themselves. Any bytes may come. Context: any. */

#include "health/check.h"

/*
 * One line of HAProxy's agent protocol: words parted by blanks or commas, in any case: "75%",
 * "up", "down", "fail", "stopped", "drain", "maint", "ready"; of words that contradict each
 * other the last counts; what follows "#" is why, and "maxconn:" and unknown words mean
 * nothing. Adds to r->advice and sets r->weight_percent. why gets the description, or "".
 * Whether there was any word that means something.
 */
bool advice_parse(const char *text, size_t len, struct probe_result *r, char *why, size_t why_len);

/*
 * A load number: the first of the 1-minute averages in what uptime or rup print, or a number
 * that the text begins with. 0, or -EINVAL (none, negative, or no such number).
 */
int load_parse(const char *text, size_t len, double *out);

#endif
