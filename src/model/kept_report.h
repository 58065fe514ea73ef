/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_MODEL_KEPT_REPORT_H
#define PLVS_MODEL_KEPT_REPORT_H

/* Connections of the process before that were taken up at the start, for status and metrics.
 * Written by main before workers run, then read by anybody. */

#include <stdint.h>

enum kept_source {
	KEPT_NOTHING,
	KEPT_FILE,   /* that an orderly end wrote: ha/sync/sync_file.h */
	KEPT_LEDGER, /* that a killed process left: ha/sync/ledger_file.h */
};

struct kept_report {
	enum kept_source source;
	uint64_t taken;	  /* connections and templates */
	uint64_t unknown; /* dropped: their servers are not configured */
	uint64_t half;	  /* dropped: being written when the process was killed */
	uint64_t damaged; /* dropped: not sound */
	uint64_t no_room; /* dropped: the tables were full */
	uint64_t refused; /* dropped: in the way of another one */
	uint64_t age_ms;  /* since the process before was known to run; of a ledger */
	uint64_t took_ms;
	char why[256]; /* "" or why what there was was not taken up */
};

#endif
