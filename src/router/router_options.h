/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_ROUTER_ROUTER_OPTIONS_H
#define PLVS_ROUTER_ROUTER_OPTIONS_H

/* The command line of plvs. */

#include <stdbool.h>

struct options {
	const char *config_path;
	const char *log_level;
	const char *user; /* whom plvs becomes when it has started, or NULL */
	bool unconfined;
	bool check;
	bool version;
	bool withdraw; /* only remove the routes that a killed process left */
};

extern const char options_usage[];

/* The index of "--", behind which the own arguments stand, EAL's before. 0: there is none, and all
 * arguments are own. */
int options_own(int argc, char **argv);
/* 0, or -EINVAL after a line on standard error. */
int options_parse(int argc, char **argv, struct options *o);

#endif
