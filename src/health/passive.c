/* SPDX-License-Identifier: BSD-3-Clause */
#include "health/passive.h"

#include <inttypes.h>
#include <stdio.h>

static bool share_reached(uint64_t part, uint64_t all, uint32_t percent)
{
	return percent && part * 100 >= all * percent;
}

void passive_judge(const struct check_spec *spec, const struct passive_counters *before,
		   const struct passive_counters *now, struct probe_result *out)
{
	uint64_t syns = now->syns - before->syns;
	uint64_t silent = now->no_answer - before->no_answer;
	uint64_t refused = now->refused - before->refused;
	uint64_t answers = now->answers - before->answers;
	uint64_t known = answers + silent + refused;
	uint64_t mean_us = answers ? (now->answer_us - before->answer_us) / answers : 0;

	*out = (struct probe_result){.verdict = PROBE_OK};
	/* The fate of a SYN may show in the next window. */
	if (syns < known)
		syns = known;
	if (syns == 0 || syns < spec->passive.min_syns) {
		snprintf(out->reason, sizeof(out->reason), "%" PRIu64 " SYNs are too few to judge",
			 syns);
		return;
	}
	if (share_reached(silent, syns, spec->passive.no_answer_percent)) {
		out->verdict = PROBE_FAIL;
		snprintf(out->reason, sizeof(out->reason),
			 "%" PRIu64 " of %" PRIu64 " SYNs of clients were not answered", silent,
			 syns);
	} else if (share_reached(refused, syns, spec->passive.refused_percent)) {
		out->verdict = PROBE_FAIL;
		snprintf(out->reason, sizeof(out->reason),
			 "%" PRIu64 " of %" PRIu64 " SYNs of clients were refused", refused, syns);
	} else if (spec->passive.max_answer_ms && mean_us > 1000ULL * spec->passive.max_answer_ms) {
		out->verdict = PROBE_FAIL;
		snprintf(out->reason, sizeof(out->reason),
			 "clients' SYNs were answered after %" PRIu64 " ms", mean_us / 1000);
	} else {
		snprintf(out->reason, sizeof(out->reason),
			 "%" PRIu64 " SYNs of clients, %" PRIu64 " silent, %" PRIu64 " refused",
			 syns, silent, refused);
	}
}
