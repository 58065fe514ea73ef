/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_MODEL_KEPT_REPORT_H
#define PLVS_MODEL_KEPT_REPORT_H

/* Connections of the process before that were taken up at the start, for status and metrics.
 * Main writes the report before workers run; any thread reads it later. */

#include <stdint.h>

enum kept_source {
	KEPT_NOTHING,
	KEPT_FILE,   /* written by an orderly end: ha/sync/sync_file.h */
	KEPT_LEDGER, /* left by a killed process: ha/sync/ledger_file.h */
};

struct kept_report {
	enum kept_source source;
	uint64_t taken;	  /* connections and templates */
	uint64_t unknown; /* dropped: their servers are not configured */
	uint64_t half;	  /* dropped: being written when the process was killed */
	uint64_t damaged; /* dropped: not sound */
	uint64_t no_room; /* dropped: the tables were full */
	uint64_t refused; /* dropped: another connection has the key */
	uint64_t age_ms;  /* of a ledger: since the last sign of life of the process before */
	uint64_t took_ms;
	char why[256]; /* the reason why connections that were there were not taken up; or "" */
};

#endif
