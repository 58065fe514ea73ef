/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_CLI_LIVE_H
#define PLVS_CLI_LIVE_H

#include <stddef.h>
#include <stdio.h>

/* One line of a picture, cut to width columns (0 or less: not cut); escape sequences of
 * styles take no column and are always whole. */
void live_line_put(FILE *f, const char *line, size_t len, int width);

#endif
