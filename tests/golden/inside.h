/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_TESTS_GOLDEN_INSIDE_H
#define PLVS_TESTS_GOLDEN_INSIDE_H

/* The stages in this process: one worker, ring ports, virtual time. */

#include "config/config.h"
#include "golden/asked.h"
#include "publish/publisher.h"
#include "golden/scenario.h"
#include "lib/harness.h"

struct inside {
	struct harness harness;
	struct publisher publisher;
	struct config *config;
	struct asked *asked;
};

/* inside_lists.c */
json_t *inside_list(struct scenario *s);
json_t *inside_stats(struct scenario *s);
json_t *inside_conns(struct scenario *s);

#endif
